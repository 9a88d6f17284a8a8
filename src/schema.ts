import { DEFAULT_HEARTBEAT, DEFAULT_POLICY, WIRE_CHOICES } from '../machines/policy.ts';
import { isProtocols } from './address.ts';
import { DEFAULT_QUEUE, OVERFLOW_POLICIES } from './backlog.ts';
import { PRIORITIES } from './core/queue.ts';
import { STRATEGIES } from './core/recovery.ts';
import { MOST } from './protocol/fields.ts';
import {
  callback,
  clock,
  count,
  duration,
  either,
  flag,
  has,
  isFunction,
  isListOf,
  isObject,
  isText,
  isWhole,
  limit,
  listening,
  must,
  object,
  oneOf,
  positive,
  record,
  required,
  text,
  type Rule,
} from './core/rules.ts';
import { CATEGORIES, ERRORS, MessageError } from './errors.ts';

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
  initiator: oneOf(['peer', 'local', 'network']),
  wire: oneOf(['plain', 'holdfast.v1']),
  category: required(oneOf(CATEGORIES)),
  strategy: required(oneOf(STRATEGIES)),
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
  promptMs: duration(1),
  slowMs: duration(1),
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
  overflow: oneOf(OVERFLOW_POLICIES),
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
  use: required(oneOf(WIRE_CHOICES)),
  compression: must("true, false or 'window'", (value) => typeof value === 'boolean' || value === 'window'),
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

const orFalse = (rule: Rule): Rule => either('false', (value) => value === false, rule);

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
    'a function',
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
  wire: either(`one of ${WIRE_CHOICES.join(', ')},`, isWireChoice, object(wireFields)),
  pool: text,
  priority: oneOf(PRIORITIES),
  maxConnections: limit,
  diagnostics: oneOf(['socket', 'passive']),
};

const changeable = {
  enableMessageQueue: flag,
  enableHealthMonitoring: flag,
  enableAutoRecovery: flag,
  onError: callback,
  maxInactive: count,
  errorHistory: count,
  userMessages,
  maxDials: positive,
};

const fixed = {
  WebSocket: callback,
  clock,
  random: callback,
  restarts: object({
    most: must('a whole number from 0 to 100', (value) => isWhole(value, 0, 100)),
    withinMs: duration(1),
  }),
  signals: must('an object with subscribe', (value) => has(value, 'subscribe')),
  inspect: must('a function, or an object with next', (value) => isFunction(value) || has(value, 'next')),
  unrefTimers: flag,
  healthWindowMs: duration(60_000),
  fetch: callback,
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
  ...fixed,
});

/** What `updateConfig` takes; the merged result is held to {@link optionsRule} as well. */
export const patchRule = object({ services: record(object(serviceFields)), ...changeable }, undefined, (key) =>
  Object.hasOwn(fixed, key) ? 'only the constructor takes it' : 'unknown option',
);

const openingFields = {
  signal: must('an AbortSignal', (value) => has(value, 'addEventListener', 'removeEventListener')),
  timeoutMs: duration(),
};

/** What `connect` of a connection takes. */
export const openingRule = object(openingFields);

const connectFields = {
  serviceType: required(must('a string', isText)),
  terminalId: text,
  sessionId: text,
  key: text,
  params: record(must('a string', isText)),
  ...openingFields,
};

/** What `connect` of a service takes. */
export const connectRule = object(connectFields);

/** What `acquire` takes. */
export const acquireRule = object({ ...connectFields, releaseDelayMs: duration() });

/** What `disconnect` takes. */
export const disconnectRule = object({
  code: must('1000 or from 3000 to 4999', (value) => value === 1000 || isWhole(value, 3000, 4999)),
  reason: must('a string', isText),
});

/** What `getErrorHistory` takes. */
export const historyRule = object({
  serviceType: must('a string', isText),
  category: oneOf(CATEGORIES),
  limit: count,
});

/** What `system.inspect` takes. */
export const observingRule = object({
  observer: required(must('a function, or an object with next', (value) => isFunction(value) || isObject(value))),
});

/** What `on` takes. */
export const listeningRule = listening([
  'opened',
  'discontinuity',
  'closed',
  'retrying',
  'gaveUp',
  'escalated',
  'status',
  'flow',
  'overflowed',
  'health',
  'roundTrip',
  'undelivered',
  'settled',
  'message',
  'error',
]);

/** What `subscribe` takes. */
export const subscribingRule = object({ listener: required(callback) });

/** What `getHealthTrend` takes. */
export const trendRule = object({
  rangeMs: required(must('a number of more than 0', (value) => typeof value === 'number' && value > 0)),
});

/** What `messages` takes. */
export const iterationRule = object({ maxBuffered: count });

// the bounds of what travels beside a message. Source: PROTOCOL.md, "Fields"
const name = must(
  'a string of 1 to 256 characters',
  (value) => isText(value) && value !== '' && value.length <= MOST.name,
);
const isHeaders = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).length <= MOST.headers &&
  Object.values(value).every((item) => typeof item === 'string' && item.length <= MOST.text);

const sendFields = {
  priority: oneOf(PRIORITIES),
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

/** What `check` throws, for what never throws: the error of a message that is refused for its options; `undefined` when they hold. */
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

/** What `runDiagnostics` takes. */
export const diagnosticsRule = object({ signal: openingFields.signal, deadlineMs: duration(1) });
