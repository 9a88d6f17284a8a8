import { DEFAULT_HEARTBEAT, DEFAULT_POLICY, WIRE_CHOICES } from '../machines/policy.ts';
import { isProtocols } from './address.ts';
import { MAX_DELAY_MS } from './core/backoff.ts';
import { DEFAULT_QUEUE, OVERFLOW_POLICIES } from './backlog.ts';
import { PRIORITIES } from './core/queue.ts';
import { STRATEGIES } from './core/recovery.ts';
import { MOST } from './protocol/fields.ts';
import { CATEGORIES, ConfigurationError, ERRORS, MessageError } from './errors.ts';

/** Holds a value to something: every problem with it, as `path: what`. */
export type Rule = (value: unknown, path: string) => string[];

const isFunction = (value: unknown): boolean => typeof value === 'function';
const isText = (value: unknown): boolean => typeof value === 'string';
const isWhole = (value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const has = (value: unknown, ...methods: string[]): boolean =>
  isObject(value) && methods.every((name) => isFunction(value[name]));
const isListOf = (value: unknown, accepts: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(accepts);

// every rule lets `undefined` pass but those of `required`
const must =
  (says: string, accepts: (value: unknown) => boolean): Rule =>
  (value, path) =>
    value === undefined || accepts(value) ? [] : [`${path}: must be ${says}`];

const required =
  (rule: Rule): Rule =>
  (value, path) =>
    value === undefined ? [`${path}: is required`] : rule(value, path);

const object =
  (fields: Record<string, Rule>, together: Rule = () => []): Rule =>
  (value, path) => {
    if (value === undefined) return [];
    if (!isObject(value)) return [`${path}: must be an object`];
    const at = (key: string): string => (path === 'options' ? key : `${path}.${key}`);
    const unknown = Object.keys(value).filter((key) => !Object.hasOwn(fields, key));
    const problems = [
      ...Object.entries(fields).flatMap(([key, rule]) => rule(value[key], at(key))),
      ...unknown.map((key) => `${at(key)}: unknown option`),
    ];
    return problems.length > 0 ? problems : together(value, path);
  };

const record =
  (rule: Rule): Rule =>
  (value, path) => {
    if (value === undefined) return [];
    if (!isObject(value)) return [`${path}: must be an object of named values`];
    return Object.entries(value).flatMap(([key, item]) => required(rule)(item, `${path}.${key}`));
  };

const either =
  (accepts: (value: unknown) => boolean, otherwise: Rule): Rule =>
  (value, path) =>
    accepts(value) ? [] : otherwise(value, path);

const duration = (leastMs = 0): Rule =>
  must(`a whole number of milliseconds from ${leastMs} to ${MAX_DELAY_MS}`, (value) =>
    isWhole(value, leastMs, MAX_DELAY_MS),
  );
const count = must('a whole number of at least 0', (value) => isWhole(value, 0));
const positive = must('a whole number of at least 1', (value) => isWhole(value, 1));
const limit = must('a whole number of at least 0, or Infinity', (value) => value === Infinity || isWhole(value, 0));
const flag = must('true or false', (value) => typeof value === 'boolean');
const callback = must('a function', isFunction);
const text = must('a string that is not empty', (value) => isText(value) && value !== '');

const oneOf = (...names: readonly string[]): Rule =>
  must(`one of ${names.join(', ')}`, (value) => names.some((name) => name === value));

const isCloseCode = (value: unknown): boolean => isWhole(value, 0, 65_535);
const isBand = (value: unknown): boolean => {
  if (!isListOf(value, isCloseCode)) return false;
  const [first = 0, last = -1, ...more] = value as number[];
  return first <= last && more.length === 0;
};
const isErrorCode = (value: unknown): boolean => typeof value === 'string' && Object.hasOwn(ERRORS, value);
const band = must('a code, or the first and last of a band', (value) => isCloseCode(value) || isBand(value));
const recoveryRule = object({
  failure: must('an error code, or a list of them', (value) => isErrorCode(value) || isListOf(value, isErrorCode)),
  codes: band,
  status: band,
  initiator: oneOf('peer', 'local', 'network'),
  wire: oneOf('plain', 'holdfast.v1'),
  category: required(oneOf(...CATEGORIES)),
  strategy: required(oneOf(...STRATEGIES)),
  retryAfterMs: duration(),
});
const recoveryRules: Rule = (value, path) => {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [`${path}: must be a list`];
  return value.flatMap((rule, index) => required(recoveryRule)(rule, `${path}.${index}`));
};

const retryFields = {
  baseMs: duration(1),
  capMs: duration(1),
  promptMs: duration(),
  stableMs: duration(),
  maxRetries: limit,
  offlineMs: duration(1),
  hiddenMs: duration(1),
};

const retryTogether: Rule = (value, path) => {
  const { backoff } = DEFAULT_POLICY;
  const { baseMs = backoff.baseMs, capMs = backoff.capMs, promptMs = 0 } = value as Partial<typeof backoff>;
  if (capMs < baseMs) return [`${path}.capMs: must be at least baseMs`];
  return promptMs <= capMs ? [] : [`${path}.promptMs: must be at most capMs`];
};

const heartbeatFields = {
  intervalMs: duration(1),
  lateMs: duration(1),
  timeoutMs: duration(2),
  ping: must(
    "'auto', 'silence' or a function",
    (value) => value === 'auto' || value === 'silence' || isFunction(value),
  ),
};

const heartbeatTogether: Rule = (value, path) => {
  // `lateMs` left out follows from `timeoutMs`, and so is always in order
  const { lateMs = 1, timeoutMs = DEFAULT_HEARTBEAT.timeoutMs } = value as Partial<typeof DEFAULT_HEARTBEAT>;
  return timeoutMs > lateMs ? [] : [`${path}.timeoutMs: must be more than lateMs`];
};

const queueFields = {
  maxMessages: count,
  maxBytes: count,
  overflow: must(`one of ${OVERFLOW_POLICIES.join(', ')}`, (value) => OVERFLOW_POLICIES.some((each) => each === value)),
  maxMessageBytes: must(
    'a whole number of at least 1, or Infinity',
    (value) => value === Infinity || isWhole(value, 1),
  ),
  highWaterBytes: positive,
  lowWaterBytes: count,
  maxBatchMessages: positive,
  maxBatchBytes: positive,
  lingerMs: duration(),
};

const queueTogether: Rule = (value, path) => {
  const { highWaterBytes, lowWaterBytes } = { ...DEFAULT_QUEUE, ...(value as Partial<typeof DEFAULT_QUEUE>) };
  return lowWaterBytes < highWaterBytes ? [] : [`${path}.lowWaterBytes: must be less than highWaterBytes`];
};

const wireFields = {
  use: required(must(`one of ${WIRE_CHOICES.join(', ')}`, (value) => isWireChoice(value))),
  compression: flag,
  maxFrameBytes: must('a whole number of at least 1024', (value) => isWhole(value, 1_024)),
  maxInflatedBytes: must('a whole number of at least 1024', (value) => isWhole(value, 1_024)),
  windowMessages: positive,
  windowBytes: positive,
};
const isWireChoice = (value: unknown): boolean => WIRE_CHOICES.some((choice) => choice === value);

const isSchema = (value: unknown): boolean =>
  has((value as { '~standard'?: unknown } | null)?.['~standard'], 'validate');
const schema = must('a schema of the Standard Schema kind', isSchema);
const profileFields = {
  codec: required(
    must(
      "'text', 'bytes', 'json', 'plain' or an object with encode and decode",
      (value) => ['text', 'bytes', 'json', 'plain'].some((name) => name === value) || has(value, 'encode', 'decode'),
    ),
  ),
  inbound: schema,
  outbound: schema,
  ping: callback,
  isPong: callback,
  replies: must(
    'an object with tag and idOf, or with answers',
    (value) => has(value, 'tag', 'idOf') || has(value, 'answers'),
  ),
  resendSafe: flag,
  recovery: recoveryRules,
  onOpen: callback,
};

const orFalse = (rule: Rule): Rule => either((value) => value === false, rule);

const userMessages = object(
  Object.fromEntries(
    [...Object.keys(ERRORS), ...CATEGORIES].map((name) => [
      name,
      must('a text or a function', (value) => isText(value) || isFunction(value)),
    ]),
  ),
);

const serviceFields = {
  label: text,
  url: must(
    'a URL or a function that gives one',
    (value) => isText(value) || value instanceof URL || isFunction(value),
  ),
  protocols: must(
    'a list of subprotocol tokens, each once, or a function',
    (value) => isFunction(value) || isProtocols(value),
  ),
  credentials: either(
    isFunction,
    object({ get: required(callback), timeoutMs: duration(1), maxRetries: limit, maxRejections: count }),
  ),
  urlTimeoutMs: duration(1),
  connectTimeoutMs: duration(1),
  closeTimeoutMs: duration(),
  retry: object(retryFields),
  recovery: recoveryRules,
  decide: callback,
  drainTimeoutMs: duration(),
  queue: object(queueFields),
  profile: object(profileFields),
  heartbeat: orFalse(object(heartbeatFields)),
  wire: either(isWireChoice, object(wireFields)),
  pool: text,
};

const changeable = {
  enableMessageQueue: flag,
  enableHealthMonitoring: flag,
  enableAutoRecovery: flag,
  onError: callback,
  maxInactive: count,
  errorHistory: count,
  userMessages,
};

/** What the constructor takes. */
export const optionsRule = object({
  services: required(
    record(
      object({
        ...serviceFields,
        url: required(serviceFields.url),
        retry: object(retryFields, retryTogether),
        heartbeat: orFalse(object(heartbeatFields, heartbeatTogether)),
        queue: object(queueFields, queueTogether),
      }),
    ),
  ),
  ...changeable,
  WebSocket: callback,
  clock: must('an object with now, setTimeout and clearTimeout', (value) =>
    has(value, 'now', 'setTimeout', 'clearTimeout'),
  ),
  random: callback,
  signals: must('an object with subscribe', (value) => has(value, 'subscribe')),
  inspect: must('a function, or an object with next', (value) => isFunction(value) || has(value, 'next')),
  unrefTimers: flag,
});

/** What `updateConfig` takes; the merged result is held to {@link optionsRule} as well. */
export const patchRule = object({ services: record(object(serviceFields)), ...changeable });

const openingFields = {
  signal: must('an AbortSignal', (value) => has(value, 'addEventListener', 'removeEventListener')),
  timeoutMs: duration(),
};

/** What `connect` of a connection takes. */
export const openingRule = object(openingFields);

/** What `connect` of a service takes. */
export const connectRule = object({
  serviceType: required(must('a string', isText)),
  terminalId: text,
  sessionId: text,
  key: text,
  params: record(must('a string', isText)),
  ...openingFields,
});

/** What `disconnect` takes. */
export const disconnectRule = object({
  code: must('1000 or from 3000 to 4999', (value) => value === 1000 || isWhole(value, 3000, 4999)),
  reason: must('a string', isText),
});

/** What `getErrorHistory` takes. */
export const historyRule = object({
  serviceType: must('a string', isText),
  category: oneOf(...CATEGORIES),
  limit: count,
});

/** What `system.inspect` takes. */
export const observingRule = object({
  observer: required(must('a function, or an object with next', (value) => isFunction(value) || isObject(value))),
});

const EVENT_TYPES: readonly unknown[] = [
  'opened',
  'discontinuity',
  'closed',
  'retrying',
  'gaveUp',
  'status',
  'flow',
  'overflowed',
  'undelivered',
  'message',
  'error',
];

/** What `on` takes. */
export const listeningRule = object({
  type: required(must(`one of ${EVENT_TYPES.join(', ')}`, (value) => EVENT_TYPES.includes(value))),
  listener: required(callback),
});

/** What `subscribe` takes. */
export const subscribingRule = object({ listener: required(callback) });

/** What `messages` takes. */
export const iterationRule = object({ maxBuffered: count });

// the bounds of what travels beside a message. Source: PROTOCOL.md, "Fields"
const name = must(
  'a string of 1 to 256 characters',
  (value) => isText(value) && value !== '' && (value as string).length <= MOST.name,
);
const isHeaders = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).length <= MOST.headers &&
  Object.values(value).every((item) => typeof item === 'string' && item.length <= MOST.text);

const sendFields = {
  priority: must(`one of ${PRIORITIES.join(', ')}`, (value) => PRIORITIES.some((each) => each === value)),
  ttlMs: must('a number of milliseconds of at least 0', (value) => typeof value === 'number' && value >= 0),
  signal: openingFields.signal,
  coalesceKey: text,
  idempotencyKey: name,
  volatile: flag,
  type: name,
  headers: must('an object of up to 64 texts of up to 4096 characters each', isHeaders),
};

/** What `send` takes beside the message. */
export const sendRule = object(sendFields);

/** What `request` takes beside the message. */
export const requestRule = object({ ...sendFields, timeoutMs: duration(1) });

/** What `purgeQueue` takes. */
export const purgeRule = object({ doomed: callback });

/** What `destroy` takes. */
export const destroyRule = object({ deadlineMs: duration() });

/**
 * Holds a value to a rule.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`, with every problem by path and every unknown key by name.
 */
export function check(rule: Rule, value: unknown): void {
  const problems = required(rule)(value, 'options');
  if (problems.length === 0) return;
  throw new ConfigurationError('INVALID_OPTIONS', { message: `Invalid options: ${problems.join('; ')}.`, problems });
}

/** The same for what never throws: the error of a message that is refused for its options; `undefined` when they hold. */
export function rejected(
  rule: Rule,
  value: unknown,
  source: { connectionId: string; serviceType: string },
): MessageError | undefined {
  const problems = required(rule)(value, 'options');
  if (problems.length === 0) return undefined;
  return new MessageError('INVALID_OPTIONS', { ...source, message: `Invalid options: ${problems.join('; ')}.` });
}

/** What `drainQueue` takes. */
export const drainRule = object(openingFields);
