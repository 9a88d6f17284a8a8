import * as z from 'zod/mini';

import { ConfigurationError, type ErrorCode } from './errors.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;

const field = <Value>(says: string, accepts: (value: unknown) => boolean): z.ZodMiniOptional<z.ZodMiniCustom<Value>> =>
  z.optional(z.custom<Value>(accepts, says));

const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isObjectWith = (value: unknown, ...methods: string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((name) => isFunction((value as Record<string, unknown>)[name]));

const duration = (leastMs = 0): ReturnType<typeof field<number>> =>
  field(`must be a whole number of milliseconds from ${leastMs} to ${MAX_DELAY_MS}`, (value) =>
    isWhole(value, leastMs, MAX_DELAY_MS),
  );
const count = (least = 0): ReturnType<typeof field<number>> =>
  field(`must be a whole number of at least ${least}`, (value) => isWhole(value, least, Number.MAX_SAFE_INTEGER));
const limit = (): ReturnType<typeof field<number>> =>
  field(
    'must be a whole number of at least 0, or Infinity',
    (value) => value === Infinity || isWhole(value, 0, Number.MAX_SAFE_INTEGER),
  );
const flag = (): ReturnType<typeof field<boolean>> =>
  field('must be true or false', (value) => typeof value === 'boolean');
const callback = (): ReturnType<typeof field> => field('must be a function', isFunction);
const text = (): ReturnType<typeof field<string>> =>
  field('must be a text that is not empty', (value) => typeof value === 'string' && value !== '');

const closeCode = (value: unknown): boolean => isWhole(value, 0, 65_535);
const closeRule = z.strictObject({
  codes: z.custom(
    (value) => closeCode(value) || (Array.isArray(value) && value.length === 2 && value.every(closeCode)),
    'must be a close code, or the first and last of a band',
  ),
  verdict: z.custom((value) => value === 'retry' || value === 'stop', "must be 'retry' or 'stop'"),
  category: z.custom((value) => typeof value === 'string', 'must be an error category'),
  floorMs: duration(),
});

const retry = z
  .strictObject({
    baseMs: duration(1),
    capMs: duration(1),
    promptMs: duration(),
    stableMs: duration(),
    maxRetries: limit(),
    offlineMs: duration(1),
    hiddenMs: duration(1),
  })
  .check(
    z.refine(({ baseMs = 500, capMs = 30_000 }) => capMs >= baseMs, {
      path: ['capMs'],
      error: 'must be at least baseMs',
    }),
  );

const heartbeat = z
  .strictObject({
    intervalMs: duration(1),
    lateMs: duration(1),
    timeoutMs: duration(2),
    ping: field(
      "must be 'auto', 'silence' or a function",
      (value) => value === 'auto' || value === 'silence' || isFunction(value),
    ),
  })
  .check(
    z.refine(({ lateMs = 1, timeoutMs = 10_000 }) => timeoutMs > lateMs, {
      path: ['timeoutMs'],
      error: 'must be more than lateMs',
    }),
  );

const serviceFields = {
  url: z.custom(
    (value) => typeof value === 'string' || value instanceof URL || isFunction(value),
    'must be a URL or a function that gives one',
  ),
  protocols: field('must be a list of texts or a function', (value) => isFunction(value) || isTexts(value)),
  credentials: z.optional(
    z.union([
      z.custom(isFunction, 'must be a function'),
      z.strictObject({ get: z.custom(isFunction, 'must be a function'), timeoutMs: duration(1), maxRetries: limit() }),
    ]),
  ),
  urlTimeoutMs: duration(1),
  connectTimeoutMs: duration(1),
  closeTimeoutMs: duration(),
  retry: z.optional(retry),
  closeRules: z.optional(z.array(closeRule)),
  decide: callback(),
  queue: z.optional(z.strictObject({ maxMessages: count(), maxBytes: count() })),
  heartbeat: z.optional(z.union([z.custom((value) => value === false, 'must be false or an object'), heartbeat])),
};

const service = z.strictObject(serviceFields);

const changeable = {
  enableMessageQueue: flag(),
  enableHealthMonitoring: flag(),
  enableAutoRecovery: flag(),
  onError: callback(),
  maxInactive: count(),
};

/** What the constructor takes. */
export const optionsSchema = z.strictObject({
  services: z.record(z.string(), service),
  ...changeable,
  WebSocket: callback(),
  clock: field('must have now, setTimeout and clearTimeout', (value) =>
    isObjectWith(value, 'now', 'setTimeout', 'clearTimeout'),
  ),
  random: callback(),
  signals: field('must have subscribe', (value) => isObjectWith(value, 'subscribe')),
  inspect: field('must be a function or have next', (value) => isFunction(value) || isObjectWith(value, 'next')),
  unrefTimers: flag(),
});

/** What `updateConfig` takes; the merged result is held to {@link optionsSchema} as well. */
export const patchSchema = z.strictObject({
  services: z.optional(z.record(z.string(), z.partial(z.strictObject(serviceFields)))),
  ...changeable,
});

/** What `connect` takes. */
export const connectSchema = z.strictObject({
  serviceType: z.custom((value) => typeof value === 'string', 'must be a text'),
  terminalId: text(),
  sessionId: text(),
  key: text(),
  params: z.optional(
    z.record(
      z.string(),
      z.custom((value) => typeof value === 'string', 'must be a text'),
    ),
  ),
  signal: field('must be an AbortSignal', (value) => isObjectWith(value, 'addEventListener', 'removeEventListener')),
  timeoutMs: duration(),
});

/** What `disconnect` takes. */
export const disconnectSchema = z.strictObject({
  code: field('must be 1000 or from 3000 to 4999', (value) => value === 1000 || isWhole(value, 3000, 4999)),
  reason: field('must be a text', (value) => typeof value === 'string'),
});

/** What `destroy` takes. */
export const destroySchema = z.strictObject({ deadlineMs: duration() });

/**
 * Holds a value to a schema.
 *
 * @throws {ConfigurationError} With every problem by path, unknown keys by name.
 */
export function check(schema: z.ZodMiniType, value: unknown, code: ErrorCode = 'INVALID_OPTIONS'): void {
  const result = schema.safeParse(value);
  if (result.success) return;
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, []));
  throw new ConfigurationError(code, { message: `Invalid options: ${problems.join('; ')}.`, problems });
}

function problemsOf(issue: z.core.$ZodIssue, parent: PropertyKey[]): string[] {
  const path = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${pathText([...path, key])}: unknown option`);
  if (issue.code === 'invalid_union') {
    // the branch that got furthest is the one that was meant
    const [meant = []] = issue.errors.toSorted((a, b) => deepest(b) - deepest(a));
    return meant.flatMap((inner) => problemsOf(inner, path));
  }
  const says = issue.code === 'invalid_type' ? `must be ${article(issue.expected)}` : issue.message;
  return [`${pathText(path)}: ${says}`];
}

function deepest(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(({ path, code }) => path.length + (code === 'unrecognized_keys' ? 1 : 0)));
}

function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'options' : path.map(String).join('.');
}

function article(noun: string): string {
  return noun === 'array' || noun === 'object'
    ? `an ${noun}`
    : `a ${noun === 'record' ? 'record of named values' : noun}`;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
