import type { FailureAccount } from './explanation.ts';

/** What of the context of a connection an explanation goes by; absent is what is not known. */
export interface ConnectionFacts {
  readonly failure?: unknown;
  readonly opens?: unknown;
  readonly retries?: unknown;
  readonly floorMs?: unknown;
  readonly tenure?: unknown;
  readonly wire?: unknown;
  readonly isResumed?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const FRESH: Required<ConnectionFacts> = {
  failure: null,
  opens: 0,
  retries: 0,
  floorMs: 0,
  tenure: 'new',
  wire: null,
  isResumed: false,
};
const MOST_PARTS = 4;
// source: ECMA-262, the range of a time value
const MOST_MS = 8.64e15;

/** What an actor knows that was just made. */
export function freshFacts(): ConnectionFacts {
  return FRESH;
}

/** What a whole context says. Whoever can write a log may have written anything: nothing is taken for what its type says. */
export function factsOf(context: unknown): ConnectionFacts {
  const fields = fieldsOf(context);
  return Object.fromEntries(
    Object.keys(FRESH).flatMap((key) => (Object.hasOwn(fields, key) ? [[key, fields[key]]] : [])),
  );
}

/** The facts after changes, which are told by path. */
export function factsAfter(facts: ConnectionFacts, changes: unknown): ConnectionFacts {
  let after = facts;
  for (const [path, value] of Object.entries(fieldsOf(changes))) {
    const parts = path.split('.', MOST_PARTS + 1);
    if (Object.hasOwn(FRESH, parts[0] ?? '') && parts.length <= MOST_PARTS) after = changed(after, parts, value);
  }
  return after;
}

/** What went wrong; `null` where it does not say. */
export function failureOf(value: unknown): FailureAccount | null {
  const { code, category, strategy, retryAfterMs, closure } = fieldsOf(value);
  const name = textOf(code);
  if (name === null) return null;
  const { code: closeCode, initiator, wasClean, status } = fieldsOf(closure);
  return {
    code: name,
    category: textOf(category),
    strategy: textOf(strategy),
    retryAfterMs: numberOf(retryAfterMs) ?? 0,
    closure:
      typeof closure === 'object' && closure !== null
        ? {
            code: numberOf(closeCode),
            initiator: textOf(initiator),
            wasClean: typeof wasClean === 'boolean' ? wasClean : null,
          }
        : null,
    httpStatus: numberOf(status),
  };
}

/** What has fields; of anything else there are none. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A time in ms since 1970 that a calendar has. */
export function timeOf(value: unknown): number | null {
  const time = numberOf(value);
  return time !== null && Math.abs(time) <= MOST_MS ? time : null;
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

// copies have what they are told as their own: no path leads to a prototype
function changed(target: unknown, [part = '', ...rest]: readonly string[], value: unknown): Fields {
  const own = fieldsOf(target);
  const before = Object.hasOwn(own, part) ? own[part] : undefined;
  return { ...own, [part]: rest.length === 0 ? value : changed(before, rest, value) };
}
