import {
  callback,
  clock,
  duration,
  either,
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
  required,
} from '../core/rules.ts';
import { MOST } from '../protocol/fields.ts';

// smaller than a hello, which has no other way
const LEAST_FRAME = 256;

const frame = must(`a whole number of at least ${LEAST_FRAME}`, (value) => isWhole(value, LEAST_FRAME));
const bound = must('a whole number of at least 1, or Infinity', (value) => value === Infinity || isWhole(value, 1));
const why = must(`a string of up to ${MOST.text} characters`, (value) => isText(value) && value.length <= MOST.text);
const url = must('an absolute URL', (value) => isText(value) && URL.canParse(value) && value.length <= MOST.text);
// as a browser sends it: a scheme and a host, and nothing after them
const isOrigin = (value: unknown): boolean => isText(value) && /^(null|[a-z][a-z\d+.-]*:\/\/[^/?#*]+)$/.test(value);

const limitFields = {
  frameBytes: frame,
  inflatedBytes: frame,
  windowMessages: positive,
  windowBytes: positive,
  messagesPerSecond: must('a number above 0, or Infinity', (value) => typeof value === 'number' && value > 0),
  sessionsPerPrincipal: bound,
  bufferedBytes: bound,
  channelsPerSession: limit,
  helloMs: duration(1),
};

const STORE_METHODS = [
  'open',
  'attach',
  'confirm',
  'append',
  'read',
  'ack',
  'accept',
  'known',
  'touch',
  'detach',
  'destroy',
  'subscribe',
  'close',
];

/** What `createHoldfastServer` takes. */
export const serverRule = object({
  authenticate: required(callback),
  onSession: callback,
  onPlain: callback,
  onError: callback,
  limits: object(limitFields),
  ping: object({ intervalMs: duration(1), timeoutMs: duration(1) }),
  ttlMs: duration(),
  store: must(`a session store, with ${STORE_METHODS.join(', ')}`, (value) => has(value, ...STORE_METHODS)),
  node: must(
    `a string of 1 to ${MOST.name} characters`,
    (value) => isText(value) && value !== '' && value.length <= MOST.name,
  ),
  compression: either('true, false', (value) => typeof value === 'boolean', object({ windows: required(positive) })),
  origins: must(
    "a list of origins such as 'https://example.com', or a function",
    (value) => isFunction(value) || isListOf(value, isOrigin),
  ),
  clock,
  random: callback,
});

/** What `drain` takes. */
export const drainRule = object({ spreadMs: duration(), deadlineMs: duration(), why, url });

/** What `on` of a server takes. */
export const serverListening = listening(['session', 'detached', 'resumed', 'ended', 'closed']);

/** What `on` of a session takes. */
export const sessionListening = listening(['detached', 'resumed', 'ended']);

/** What `onChannel` of a session takes. */
export const channelListening = listening(['channel']);

/** What `onClosed` of a channel takes. */
export const closedListening = listening(['closed']);

/** What `onMessage` and `onRequest` take. */
export const handlerRule = object({
  handler: required(callback),
  options: object({ acknowledge: oneOf(['received', 'processed']) }),
});

/** What a `MemoryStore` takes. */
export const memoryRule = object({
  clock,
  maxMessages: bound,
  maxBytes: bound,
  maxSessions: bound,
  keyTtlMs: must('a whole number of milliseconds of at least 0', (value) => isWhole(value, 0)),
  maxKeys: limit,
});

const holdfast = required(
  must('a server that createHoldfastServer made', (value) => has(value, 'handshake', 'accept', 'plain')),
);

interface Serving {
  holdfast: { limits: { frameBytes: number } };
  options: { maxPayload?: number };
}

/** What `serveWebSockets` takes. */
export const servingRule = object(
  {
    holdfast,
    httpServer: required(
      must(
        'an HTTP server of Node',
        (value) => has(value, 'on', 'off', 'listenerCount') && !has(value, 'handleUpgrade'),
      ),
    ),
    options: object({
      path: must("a path that begins with '/', without a query", (value) => isText(value) && /^\/[^?#]*$/.test(value)),
      maxPayload: positive,
    }),
  },
  (value) => {
    const { holdfast: server, options } = value as Serving;
    const { frameBytes } = server.limits;
    const { maxPayload = frameBytes } = options;
    return maxPayload >= frameBytes ? [] : [`maxPayload: must be at least limits.frameBytes, which is ${frameBytes}`];
  },
);

/** What `attachWebSocketServer` takes. */
export const attachingRule = object({
  holdfast,
  webSocketServer: required(
    must(
      'a WebSocketServer of ws',
      (value) => has(value, 'on', 'off') && isObject((value as { options?: unknown }).options),
    ),
  ),
});
