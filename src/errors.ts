/**
 * Everything that can go wrong, as typed errors with stable codes. Match by `code` (or by class): messages may change.
 */

/** What kind of trouble it is: the ten categories of connection trouble, then the ones of the library itself and of a migration to it. */
export const CATEGORIES = [
  'connection_failed',
  'network_error',
  'timeout',
  'service_unavailable',
  'rate_limited',
  'authentication_failed',
  'permission_denied',
  'resource_not_found',
  'protocol_error',
  'invalid_message',
  'configuration',
  'queue',
  'lifecycle',
  'migration',
  'fault',
] as const;
/** What kind of trouble an error speaks of, to tell people by. */
export type ErrorCategory = (typeof CATEGORIES)[number];

/**
 * How bad it is: `warning` heals by itself, `error` cost something, `fatal` needs a person. What a connection has `failed` of is `fatal`, whatever its code
 * is otherwise.
 */
export type ErrorSeverity = 'warning' | 'error' | 'fatal';

/** What is known of the message that an error speaks of. `rejected`: the peer has it and did not act on it. `unknown`: it may or may not have. */
export type MessageOutcome = 'not_sent' | 'rejected' | 'unknown';

/**
 * What is done after a failure; each is a transition of the connection's chart. `reconnect`: another attempt after the backoff. `wait`: the
 * same, after the time the peer asked for. `reauthenticate`: at once with fresh credentials, the first time. `renegotiate`: at once on
 * another wire. `new_session`: at once, and the session begins anew. `manual`: nothing, until the application connects.
 */
export type RecoveryStrategy = 'reconnect' | 'wait' | 'reauthenticate' | 'renegotiate' | 'new_session' | 'manual';

/** One row per code: its category, its severity, and what it says to a developer. */
export const ERRORS = {
  INVALID_OPTIONS: ['configuration', 'fatal', 'The options are not valid.'],
  UNKNOWN_SERVICE: ['configuration', 'fatal', 'No service of that type is configured.'],
  UNKNOWN_CONNECTION: ['configuration', 'error', 'No connection has that id.'],
  CONNECTION_CONFLICT: ['configuration', 'error', 'A connection with that id exists with other parameters.'],
  CONNECTION_LIMIT: ['configuration', 'error', 'The service has as many connections in use as it may have.'],
  INVALID_URL: ['configuration', 'fatal', 'The URL is not one that a WebSocket can be opened to.'],
  INVALID_PROTOCOLS: ['configuration', 'fatal', 'The subprotocols are not valid or repeat.'],
  NO_WEBSOCKET: [
    'configuration',
    'fatal',
    'This platform has no WebSocket; hand a constructor in as the option `WebSocket`.',
  ],
  CREDENTIALS_FAILED: ['authentication_failed', 'error', 'The credentials provider failed.'],
  CREDENTIALS_TIMEOUT: ['timeout', 'error', 'The credentials provider did not answer in time.'],
  URL_FAILED: ['connection_failed', 'error', 'The URL provider failed.'],
  URL_TIMEOUT: ['timeout', 'error', 'The URL provider did not answer in time.'],
  CONNECT_TIMEOUT: ['timeout', 'error', 'The socket did not open in time; the attempt was abandoned.'],
  GREETING_TIMEOUT: ['timeout', 'error', 'The peer did not greet in time.'],
  WIRE_UNAVAILABLE: ['protocol_error', 'error', 'The server does not speak holdfast.v1, which the service requires.'],
  WELCOME_TIMEOUT: ['timeout', 'error', 'The server did not answer the hello in time.'],
  PROTOCOL_VIOLATION: ['protocol_error', 'error', 'The server broke the protocol.'],
  GREETING_FAILED: ['protocol_error', 'error', 'What the profile sends after opening could not be sent.'],
  WEBSOCKET_FAILED: ['connection_failed', 'error', 'The WebSocket could not be made.'],
  HANDSHAKE_FAILED: ['connection_failed', 'error', 'The socket closed before it was open.'],
  CONNECTION_LOST: ['network_error', 'warning', 'The connection broke without a close frame.'],
  CLOSED_BY_PEER: ['service_unavailable', 'warning', 'The peer closed the connection.'],
  CHANNEL_REFUSED: ['permission_denied', 'error', 'The server refused the channel of a shared session, or ended it.'],
  LINK_DEAD: ['timeout', 'warning', 'Nothing was heard from the peer within the deadline; the link was abandoned.'],
  PAGE_FROZEN: ['lifecycle', 'warning', 'The page was frozen, or kept for the way back; its connection was let go of.'],
  CLOSED_LOCALLY: ['lifecycle', 'warning', 'The application closed the connection.'],
  RETRIES_EXHAUSTED: ['connection_failed', 'fatal', 'The last allowed retry failed.'],
  CONNECT_ABORTED: ['lifecycle', 'warning', 'The signal given to connect() was aborted.'],
  CONNECT_DEADLINE: ['timeout', 'error', 'The connection did not open within the time given to connect().'],
  SERVICE_DESTROYED: ['lifecycle', 'error', 'The service has been destroyed.'],
  NOT_ENCODABLE: ['invalid_message', 'error', 'The message cannot be encoded.'],
  NOT_DECODABLE: ['invalid_message', 'error', 'A message of the peer cannot be decoded.'],
  SCHEMA_MISMATCH: ['invalid_message', 'error', 'The message does not fit the schema of its service.'],
  MESSAGE_TOO_BIG: ['invalid_message', 'error', 'The message is larger than the service allows.'],
  QUEUE_FULL: ['queue', 'error', 'The queue of waiting messages is full.'],
  NOT_OPEN: ['queue', 'error', 'The connection is not open and the message queue is off.'],
  CONNECTION_ENDED: ['queue', 'error', 'The connection ended before the message could be sent.'],
  SEND_CANCELLED: ['queue', 'warning', 'The message was cancelled while it waited.'],
  SEND_ABORTED: ['queue', 'warning', 'The signal given with the message was aborted while it waited.'],
  EXPIRED: ['queue', 'warning', 'The message waited for longer than it may.'],
  SUPERSEDED: ['queue', 'warning', 'A newer message with the same coalesce key took its place.'],
  DROPPED_FOR_ROOM: ['queue', 'error', 'The queue was full, and the message had to make room for another.'],
  PURGED: ['queue', 'warning', 'The application purged the message while it waited.'],
  OUTCOME_UNKNOWN: ['queue', 'error', 'The socket died with the message in it; nobody knows whether it left.'],
  VOLATILE_DROPPED: ['queue', 'warning', 'The message was volatile, and the connection took no messages.'],
  MESSAGE_REJECTED: ['invalid_message', 'error', 'The peer received the message and refused it.'],
  SEND_FAILED: ['queue', 'error', 'The socket refused the message.'],
  DRAIN_ABORTED: ['lifecycle', 'warning', 'The signal given to drainQueue() was aborted.'],
  DRAIN_DEADLINE: ['timeout', 'error', 'The queue was not empty within the time given to drainQueue().'],
  DIAGNOSTICS_ABORTED: ['lifecycle', 'warning', 'The signal given to runDiagnostics() was aborted.'],
  NO_HANDLER: ['configuration', 'error', 'The peer asked for something, and no handler answers requests.'],
  REQUEST_REFUSED: ['invalid_message', 'error', 'The peer answered the request with an error.'],
  NO_CORRELATION: ['configuration', 'error', 'The profile of the service does not say which reply answers a request.'],
  REQUEST_TIMEOUT: ['timeout', 'error', 'No reply came in time.'],
  REQUEST_ABORTED: ['lifecycle', 'warning', 'The signal given with the request was aborted.'],
  REPLY_LOST: ['network_error', 'error', 'The connection ended before the reply came.'],
  ITERATION_OVERFLOW: ['queue', 'error', 'A message iterator was read too slowly and its buffer is full.'],
  LISTENER_THREW: ['fault', 'error', 'A listener or another function of the application failed.'],
  INTERNAL_FAULT: ['fault', 'fatal', 'An actor died of an unexpected error; its connection was closed.'],
  AUDIT_SINK_FAILED: ['fault', 'error', 'A sink of the audit log could not store what it was given.'],
  AUDIT_UNREADABLE: ['fault', 'error', 'A file of an audit log cannot be read.'],
  AUDIT_LOG_INVALID: ['fault', 'error', 'What a sink has stored is not an audit log that can go on.'],
} as const satisfies Record<string, readonly [ErrorCategory, ErrorSeverity, string]>;

/** A stable error code. The README has a row for each. */
export type ErrorCode = keyof typeof ERRORS;

/** What an error may carry beside its code; each is absent when it is not known. */
export interface ErrorDetails {
  /** Replaces the code's own message. Never put a token or a URL's query in it. */
  message?: string;
  /** What caused it, as thrown or reported by the platform. */
  cause?: unknown;
  /** The connection it happened to. */
  connectionId?: string;
  /** The service type of that connection. */
  serviceType?: string;
  /** Whether the library goes on by itself. Default: `false`. */
  retryable?: boolean;
  /** The shortest wait before it does, in ms, when somebody asked for one. */
  retryAfterMs?: number;
  /** Replaces the code's own category. */
  category?: ErrorCategory;
  /** Replaces the code's own severity. */
  severity?: ErrorSeverity;
}

/**
 * An error as plain data that can be logged, kept and sent: nothing of what a peer, a platform or the application's code wrote, so no token, URL,
 * payload or close reason. What is not known is absent.
 */
export interface ErrorRecord {
  /** The class. */
  name: string;
  code: ErrorCode;
  category: ErrorCategory;
  severity: ErrorSeverity;
  /** What the code says of itself. */
  message: string;
  retryable: boolean;
  retryAfterMs?: number;
  connectionId?: string;
  serviceType?: string;
  /** What kind of thing caused it: its class, and its code if it has one. */
  cause?: { name: string; code?: string | number };
  problems?: readonly string[];
  closeCode?: number;
  initiator?: CloseInitiator;
  httpStatus?: number;
  generation?: number;
  attempt?: number;
  strategy?: RecoveryStrategy;
  outcome?: MessageOutcome;
  sink?: string;
}

/** The base of every error that Holdfast throws, rejects with or reports. */
export class HoldfastError extends Error {
  override readonly name: string = 'HoldfastError';
  /** Stable and documented; match on this. */
  readonly code: ErrorCode;
  /** What kind of trouble it is: the code's own, or of a socket's end the policy table's. */
  readonly category: ErrorCategory;
  /** How bad it is: the code's own, or `fatal` where the connection has failed of it. */
  readonly severity: ErrorSeverity;
  /** Whether the library goes on by itself: `true` means a retry follows. */
  readonly retryable: boolean;
  /** The shortest wait before that, in ms, as the peer or the policy table asked for; `undefined` when nobody did. */
  readonly retryAfterMs: number | undefined;
  readonly connectionId: string | undefined;
  readonly serviceType: string | undefined;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const [category, severity, message] = ERRORS[code];
    super(details.message ?? message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.category = details.category ?? category;
    this.severity = details.severity ?? severity;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.connectionId = details.connectionId;
    this.serviceType = details.serviceType;
  }

  /** What `JSON.stringify` makes of it; safe to log. `console.log(error)` is not: it prints `message` and `cause`, hence what a peer or a provider wrote. */
  toJSON(): ErrorRecord {
    const { name, code, category, severity, retryable, retryAfterMs, connectionId, serviceType } = this;
    return {
      ...{ name, code, category, severity, message: ERRORS[code][2], retryable },
      ...known({ retryAfterMs, connectionId, serviceType }),
      ...('cause' in this && { cause: kindOf(this.cause) }),
    };
  }
}

/** The caller's mistake: options, ids, URLs. Retrying cannot help; the code must change. */
export class ConfigurationError extends HoldfastError {
  override readonly name = 'ConfigurationError';
  /** Each thing that is wrong, as `path: what`. Empty where the message says it all. */
  readonly problems: readonly string[];

  constructor(code: ErrorCode, details: ErrorDetails & { problems?: readonly string[] } = {}) {
    super(code, details);
    this.problems = details.problems ?? [];
  }

  override toJSON(): ErrorRecord {
    const { problems } = this;
    return { ...super.toJSON(), ...(problems.length > 0 && { problems }) };
  }
}

/** Who ended a socket: the peer by a close frame, this side, or neither (the network, a process that died). */
export type CloseInitiator = 'peer' | 'local' | 'network';

/** Trouble of a connection or of an attempt to make one. */
export class ConnectionError extends HoldfastError {
  override readonly name = 'ConnectionError';
  /** The close code, when a socket ended with one. Source: RFC 6455, section 7.4. */
  readonly closeCode: number | undefined;
  /** The peer's close reason, without control characters. */
  readonly closeReason: string | undefined;
  readonly initiator: CloseInitiator | undefined;
  /** Which socket of this connection it was, from 1. 0 before the first. */
  readonly generation: number | undefined;
  /** How many retries had been made when it happened. */
  readonly attempt: number | undefined;
  /** What is to be done about it, by the policy table or the application; `retryable` says whether it is. */
  readonly strategy: RecoveryStrategy | undefined;
  /** The HTTP status that refused the handshake, where the platform shows it: `ws` does, browsers never. */
  readonly httpStatus: number | undefined;

  constructor(
    code: ErrorCode,
    details: ErrorDetails & {
      closeCode?: number;
      closeReason?: string;
      initiator?: CloseInitiator;
      generation?: number;
      attempt?: number;
      strategy?: RecoveryStrategy;
      httpStatus?: number;
    } = {},
  ) {
    super(code, details);
    this.closeCode = details.closeCode;
    this.closeReason = details.closeReason;
    this.initiator = details.initiator;
    this.generation = details.generation;
    this.attempt = details.attempt;
    this.strategy = details.strategy;
    this.httpStatus = details.httpStatus;
  }

  override toJSON(): ErrorRecord {
    const { closeCode, initiator, httpStatus, generation, attempt, strategy } = this;
    return { ...super.toJSON(), ...known({ closeCode, initiator, httpStatus, generation, attempt, strategy }) };
  }
}

/** The fate of one message that did not go out, or may not have. */
export class MessageError extends HoldfastError {
  override readonly name = 'MessageError';
  /** `not_sent` and `rejected`: sending it again cannot duplicate it. `unknown`: it can. */
  readonly outcome: MessageOutcome;

  constructor(code: ErrorCode, details: ErrorDetails & { outcome?: MessageOutcome } = {}) {
    super(code, details);
    this.outcome = details.outcome ?? 'not_sent';
  }

  override toJSON(): ErrorRecord {
    return { ...super.toJSON(), outcome: this.outcome };
  }
}

/** What arrives: text as a string, bytes as an `ArrayBuffer`. */
export type InboundData = string | ArrayBuffer;

/** A frame as a socket hands it over; bytes may be a view of what else it has read, where nothing is written again. */
export type FrameData = InboundData | Uint8Array<ArrayBuffer>;

/** A message of the peer that could not be understood. It reaches no subscriber; the stream goes on. */
export class InboundError extends HoldfastError {
  override readonly name = 'InboundError';
  readonly #data: InboundData;

  constructor(code: ErrorCode, data: InboundData, details: ErrorDetails = {}) {
    super(code, details);
    this.#data = data;
  }

  /** The message as it came. Not enumerable: an error that is printed does not print it. */
  get data(): InboundData {
    return this.#data;
  }
}

/** A bug, in a listener or another function of the application, or in Holdfast itself; `cause` is what was thrown. */
export class FaultError extends HoldfastError {
  override readonly name = 'FaultError';
}

/** Trouble of a place where an audit log is kept. No connection is touched by it. */
export class AuditError extends HoldfastError {
  override readonly name = 'AuditError';
  /** The name of the sink. */
  readonly sink: string;
  /** The HTTP status that the sink's server answered with, where it has one and it did answer. */
  readonly httpStatus: number | undefined;

  constructor(code: ErrorCode, details: ErrorDetails & { sink: string; httpStatus?: number }) {
    super(code, details);
    this.sink = details.sink;
    this.httpStatus = details.httpStatus;
  }

  override toJSON(): ErrorRecord {
    const { sink, httpStatus } = this;
    return { ...super.toJSON(), sink, ...known({ httpStatus }) };
  }
}

type Known<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

function known<Fields extends object>(fields: Fields): Known<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Known<Fields>;
}

// an identifier cannot hold a URL, and a token that is one is nobody's name for an error
const IDENTIFIER = /^[\w$.]{1,64}$/;

function kindOf(cause: unknown): NonNullable<ErrorRecord['cause']> {
  const kind = cause === null ? 'null' : typeof cause;
  try {
    const { name, code } = Object(cause) as { name?: unknown; code?: unknown };
    return {
      name: isIdentifier(name) && cause instanceof Error ? name : kind,
      ...((isIdentifier(code) || typeof code === 'number') && { code }),
    };
  } catch {
    // a getter that throws
    return { name: kind };
  }
}

function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && IDENTIFIER.test(value);
}
