import { tameText } from '../core/redact.ts';
import { callback, check, must, object, oneOf, isListOf, isText } from '../core/rules.ts';
import type { Json } from './record.ts';

/** What is not written down, beside what never is: credentials, tokens, and what a URL has after its host. */
export interface RedactionOptions {
  /**
   * Paths of a record such as `event.failure.closure.reason` or `payload.user.*`: `*` stands for one part of any name. What follows a path is not written down
   * either.
   *
   * @default []
   */
  paths?: readonly string[];
  /** Text that a peer or the application wrote for people: reasons of a close, messages of errors. @default 'withheld' */
  texts?: 'withheld' | 'kept';
  /** What messages say; they are recorded at the level `messages` only. A function says what of one is kept. @default 'withheld' */
  payloads?: 'withheld' | 'kept' | ((payload: unknown) => unknown);
}

/** What stands where something was not written down. */
export const REDACTED = '[redacted]';

/** What is left of a value, and the paths of what is not. */
export interface Redacted {
  value: Json;
  paths: string[];
}

const PATH = /^[^.]+(\.[^.]+)*$/;

export const redactionRule = object({
  paths: must('a list of paths such as event.failure', (value) =>
    isListOf(value, (path) => isText(path) && PATH.test(path)),
  ),
  texts: oneOf(['withheld', 'kept']),
  payloads: (value, path) =>
    typeof value === 'function' ? callback(value, path) : oneOf(['withheld', 'kept'])(value, path),
});

// names of what opens doors; the chart's own word for whether fresh ones are needed is no such thing
const SECRET =
  /token|secret|passw|credential|authori[sz]ation|^auth$|cookie|api[-_]?key|signature|private|bearer|^headers?$|jwt/i;
const NO_SECRET: ReadonlySet<unknown> = new Set(['fresh', 'kept']);
const TEXT: ReadonlySet<string> = new Set(['reason', 'message', 'stack', 'description']);
// what may have to be changed in a text: most need no second look
const SUSPECT = /:\/\/|eyJ|bearer|basic|[^\x20-\x7e\u00a0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\uffff]/i;
// source: RFC 7519 (three parts, the first a JSON object in base64url); RFC 6750 and RFC 7617 (schemes)
const TOKENS = /\beyJ[\w-]+\.[\w-]*(\.[\w-]*)?|\b(bearer|basic)\s+[\w+/=.~-]+/gi;

/** Decides what of a record is written down. The same always becomes the same, so that a redacted log can be replayed. */
export class Redaction {
  readonly #paths: readonly (readonly string[])[];
  readonly #keepsTexts: boolean;
  readonly #payloads: NonNullable<RedactionOptions['payloads']>;
  readonly #secrets = new Map<string, boolean>();

  /** @throws {ConfigurationError} `INVALID_OPTIONS` */
  constructor(options: RedactionOptions = {}) {
    check(redactionRule, options);
    this.#paths = (options.paths ?? []).map((path) => path.split('.'));
    this.#keepsTexts = options.texts === 'kept';
    this.#payloads = options.payloads ?? 'withheld';
  }

  /** What may be written down of `value`, which is at `path` in its record. Never throws. */
  of(value: unknown, path: string): Redacted {
    const paths: string[] = [];
    return { value: this.#seen(value, { path: [path], paths, above: [] }), paths };
  }

  /** The same of changes by path; `null` where there is none. */
  ofChanges(changes: Readonly<Record<string, unknown>>, path: string): Redacted | null {
    const paths: string[] = [];
    const kept: Record<string, Json> = {};
    let isEmpty = true;
    for (const key in changes) {
      isEmpty = false;
      const parts = key.split('.');
      const place = { path: [path, ...parts], paths, above: [] };
      kept[key] = this.#isWithheld(parts.at(-1) ?? '', changes[key])
        ? withheld(place)
        : this.#seen(changes[key], place);
    }
    return isEmpty ? null : { value: kept, paths };
  }

  /** The same of what a message says; `undefined` for nothing at all. @throws What the application's own function throws. */
  payload(payload: unknown): Redacted | undefined {
    if (this.#payloads === 'withheld') return undefined;
    const kept = this.#payloads === 'kept' ? payload : this.#payloads(payload);
    return kept === undefined ? undefined : this.of(kept, 'payload');
  }

  #seen(value: unknown, place: Place): Json {
    if (this.#isNamed(place.path)) return withheld(place);
    switch (typeof value) {
      case 'string':
        return this.#text(value, place);
      case 'number':
        return Number.isFinite(value) ? value : null;
      case 'boolean':
        return value;
      case 'object':
        return value === null || place.above.includes(value) ? null : this.#within(value, place);
      case 'bigint':
        return String(value);
      default:
        return null;
    }
  }

  #within(value: object, place: Place): Json {
    if (value instanceof Error) return this.#seen(errorFacts(value), place);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
    const above = [...place.above, value];
    if (Array.isArray(value)) {
      return value.map((item, index) => this.#seen(item, { ...place, path: [...place.path, String(index)], above }));
    }
    const kept: Record<string, Json> = {};
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined || typeof item === 'function' || typeof item === 'symbol') continue;
      const at = { ...place, path: [...place.path, key], above };
      kept[key] = this.#isWithheld(key, item) ? withheld(at) : this.#seen(item, at);
    }
    return kept;
  }

  #isWithheld(key: string, value: unknown): boolean {
    if (TEXT.has(key)) return !this.#keepsTexts && typeof value === 'string' && value !== '';
    let isSecret = this.#secrets.get(key);
    if (isSecret === undefined) this.#secrets.set(key, (isSecret = SECRET.test(key)));
    // a number or a switch of that name is a fact about secrets
    return (
      isSecret &&
      ((typeof value === 'string' && !NO_SECRET.has(value)) || (typeof value === 'object' && value !== null))
    );
  }

  #text(text: string, { path, paths }: Place): string {
    if (!SUSPECT.test(text)) return text;
    const open = text.replace(TOKENS, REDACTED);
    const shown = tameText(open);
    if (shown !== text) paths.push(path.join('.'));
    return shown;
  }

  #isNamed(path: readonly string[]): boolean {
    return this.#paths.some(
      (named) => named.length === path.length && named.every((part, index) => part === '*' || part === path[index]),
    );
  }
}

interface Place {
  path: readonly string[];
  paths: string[];
  above: readonly object[];
}

function withheld({ path, paths }: Place): string {
  paths.push(path.join('.'));
  return REDACTED;
}

function errorFacts(error: Error): object {
  const { name, message } = error;
  const { code } = error as { code?: unknown };
  return { name, message, ...((typeof code === 'string' || typeof code === 'number') && { code }) };
}
