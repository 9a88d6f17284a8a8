import type { Decision, Failure, RecoveryRule } from './core/recovery.ts';
import type { Priority } from './core/queue.ts';
import type { ConnectionError, HoldfastError } from './errors.ts';
import type { OverflowPolicy } from './backlog.ts';
import type { UserMessages } from './messages.ts';
import type { Inspect } from './inspection.ts';
import type { WireChoice } from '../machines/policy.ts';
import type { Profile } from './protocol/profile.ts';
import type { Clock } from './transport/clock.ts';
import type { SignalSource } from './transport/signals.ts';
import type { WebSocketConstructor } from './transport/websocket.ts';

/** What a service is made of. Only `services` is required. */
export interface EnhancedWebSocketOptions<
  Services extends Record<string, ServiceOptions> = Record<string, ServiceOptions>,
> {
  /** Where each service type lives and how it behaves, by the name that `connect` is given. */
  services: Services;
  /** Whether a message sent while its connection is not open waits for it. Off: it is refused at once. @default true */
  enableMessageQueue?: boolean;
  /** Whether links are probed with a heartbeat, and connections measured. Off: `getHealthInfo` knows nothing. @default true */
  enableHealthMonitoring?: boolean;
  /** Asks by HTTP, during a diagnosis, whether a host can be reached at all. @default globalThis.fetch, looked up then */
  fetch?: typeof fetch;
  /** How far back trend, uptime and the times in states go, in ms. At least 60_000. Only the constructor takes it. @default 3_600_000 */
  healthWindowMs?: number;
  /** Whether a failed attempt or a lost connection is retried. Off: one attempt, then `failed`. @default true */
  enableAutoRecovery?: boolean;
  /** Hears of bugs: listeners that throw, and faults inside. What it throws is ignored. Without it, they are `error` events. */
  onError?: (error: HoldfastError) => void;
  /** The WebSocket class to use, such as that of `ws`. @default globalThis.WebSocket, looked up when a connection dials */
  WebSocket?: WebSocketConstructor;
  /** Time. @default the platform's clock */
  clock?: Clock;
  /** Chance, as numbers in [0, 1). Asked three times per connection: for its name in attempt ids, and for the seed of its delays. @default Math.random */
  random?: () => number;
  /** Network, page and sleep. @default the platform's, where it has them */
  signals?: SignalSource;
  /** Hears every inspection event of XState of every actor of this service; fits `inspect` of `@statelyai/inspect`. */
  inspect?: Inspect;
  /** In Node, whether pending timers let the process end. Ignored with a `clock`. Only the constructor takes it. @default false */
  unrefTimers?: boolean;
  /** How many closed or failed connections are remembered, so that they can be asked about and revived. @default 100 */
  maxInactive?: number;
  /** How many errors `getErrorHistory` can tell of; 0 for none. The statistics count all. @default 100 */
  errorHistory?: number;
  /** What people are told of errors, in place of {@link USER_MESSAGES}: by code or by category. For other languages, or other words. @default {} */
  userMessages?: UserMessages;
  /** How often the actor of a connection is replaced when it dies of a fault, before the connection is `failed` and `escalated` is told. Only the constructor takes it. */
  restarts?: RestartOptions;
  /**
   * How many connections may be on their way at once, from asking the providers to the open link; others wait as `queued`. At least 1. Half of them go
   * by `priority`; of the other half each service has an equal part of its own, and at least one where there are enough. Not counted is the second socket of a connection that its server asks to
   * move, for which the server sets the pace. @default 64
   */
  maxDials?: number;
}

/** How connections of one type behave. Times in milliseconds; every time from 0 to 2^31-1 unless said. */
export interface ServiceOptions {
  /**
   * Where it lives: `ws:`, `wss:`, `http:` or `https:` (the last two are dialled as the first two), or a provider that is
   * asked before each attempt. A provider that throws or rejects is retried; one that gives something that is no URL is a
   * configuration fault and ends the connection as `failed`.
   */
  url: string | URL | UrlProvider;
  /** What people call it, in what `describe` says. @default the service type */
  label?: string;
  /** Subprotocols to offer, or a function of the same request as the URL provider's. @default none */
  protocols?: readonly string[] | ((request: AddressRequest) => readonly string[] | Promise<readonly string[]>);
  /** Asked before each attempt; what it gives is handed to the URL provider and to `protocols`. @default none */
  credentials?: CredentialsProvider | CredentialsOptions;
  /** Deadline of the URL provider. @default 10_000 */
  urlTimeoutMs?: number;
  /** From dialling to an open socket, the wait for the turn to dial not counted; then the attempt is abandoned. At least 1. @default 10_000 */
  connectTimeoutMs?: number;
  /** From close() on, what waits may take this long to leave; the rest is dropped. @default 2_000 */
  drainTimeoutMs?: number;
  /** From then on to the peer's agreement; then it is not waited for any more. @default 2_000 */
  closeTimeoutMs?: number;
  retry?: RetryOptions;
  /** What failures lead to: the first rule that covers one, of these, then of the profile's, then of {@link DEFAULT_RULES}. @default [] */
  recovery?: readonly RecoveryRule[];
  /**
   * Has the last word on each failure of a provider or a socket: a strategy, one with a wait, or `undefined` to leave it as classified. A
   * deadline that passed and a dead link are not asked about: a rule can cover them. When it throws, or gives something else, the
   * classification stands and `onError` is told.
   */
  decide?: (failure: Failure) => Decision | undefined;
  queue?: QueueOptions;
  /**
   * Which wire is spoken. `plain`: what any server speaks. `required`: `holdfast.v1`, or the connection is not opened. `prefer`:
   * `holdfast.v1` if the server speaks it; if it shows nothing of it within 3 s, or says something else first, plain on the same
   * socket; if it refuses the handshake, plain at the next attempt. What worked is remembered for 30 min, or until the server shows that it does not. @default 'plain'
   */
  wire?: WireChoice | WireOptions;
  /**
   * Names a session that connections share, of this service type and of others with the same `url`: one socket, and a channel for each of
   * them. Needs `wire: 'required'`. The socket is a connection of its own, `pool:` and this name, with the options of the service
   * that needed it first; it is closed a second after the last of them, and closing it closes them first. A member's own `credentials` go
   * with its channel, the last that were given for as long as there are no newer ones; a channel that is refused for them is asked for once
   * more with fresh ones. @default none: a socket for each
   */
  pool?: string;
  /**
   * How many connections of this type may be in use; one more is refused with `CONNECTION_LIMIT`. Closed and failed ones do not count, nor
   * does the one that carries a pool; one that is closing counts until it is closed. @default Infinity
   */
  maxConnections?: number;
  /**
   * Whose connections are dialled first while `maxDials` are on their way; within one, whoever has waited longest. A pool has that of the service that
   * needed it first. @default 'normal'
   */
  priority?: Priority;
  /** How the service speaks: its codec, schemas, probes and replies. @default {@link plainProfile} */
  profile?: Profile;
  /** How the link is probed; `false` for not at all. */
  heartbeat?: false | HeartbeatOptions;
  /**
   * Whether `runDiagnostics` may open a short socket of its own: `socket`, it may, on a plain wire while no connection is open, for a second socket could disturb the first;
   * `passive`, never there. Where `holdfast.v1` is `required`, or the connection
   * has spoken it last, a socket without a session does no harm, and is opened. @default 'socket', but 'passive' for what has a
   * `terminalId`, or is named as a terminal or a shell: opening a socket could start one
   */
  diagnostics?: 'socket' | 'passive';
}

/** How long the faults of a connection are borne. */
export interface RestartOptions {
  /** 0: none is replaced. At most 100. @default 3 */
  most?: number;
  /** Within this time, in ms. At least 1. @default 60_000 */
  withinMs?: number;
}

/** When and how often a lost connection or a failed attempt is tried again. */
export interface RetryOptions {
  /** Lower bound of what the backoff draws; what comes within `promptMs` may be shorter. At least 1. @default 500 */
  baseMs?: number;
  /**
   * Upper bound of what the backoff draws. Longer may be what a peer or a rule asks for (`Retry-After`, `retryAfterMs`), and the waits of `offlineMs` and
   * `hiddenMs`. At least `baseMs`. @default 30_000
   */
  capMs?: number;
  /**
   * Within this time come the first retry after a stable connection, one that good news sets off (online, visible, awake), and what is tried at once: fresh
   * credentials, the other wire, a new session. At most `capMs`. @default 200
   */
  promptMs?: number;
  /** How long a connection must stay open for the next loss to begin a new episode. @default 10_000 */
  stableMs?: number;
  /** Retries in one episode before `failed`. @default Infinity */
  maxRetries?: number;
  /** While the network is reported absent, retries are about this far apart. At least 1. @default 30_000 */
  offlineMs?: number;
  /** While the page is hidden, retries are about this far apart, and probes no closer. At least 1. @default 30_000 */
  hiddenMs?: number;
}

/** How a service takes part in `holdfast.v1`. */
export interface WireOptions {
  /** See {@link ServiceOptions.wire}. */
  use: WireChoice;
  /**
   * Whether batches may be compressed, both ways, if the server agrees. `true`: those of 1 KiB and more, each by itself. `'window'`: also the short ones, with
   * what went before on the same socket in mind, which is worth it from the second on; the sizes of such frames say something of what they have in
   * common, so nothing secret should travel beside what others may choose; and it takes some 300 kB of memory for as long as the socket is open. Where
   * the server grants no window, it is as `true`. The code for it is loaded only then. @default false
   */
  compression?: boolean | 'window';
  /** The largest frame that is taken, in bytes; a server that sends a larger one breaks the protocol. At least 1_024. @default 1_048_576 */
  maxFrameBytes?: number;
  /** The same of a compressed frame, once it is inflated. At least 1_024. @default 4_194_304 */
  maxInflatedBytes?: number;
  /** How many messages the server may have on their way and unacknowledged. At least 1. @default 2_048 */
  windowMessages?: number;
  /** How many bytes of them. At least 1. @default 1_048_576 */
  windowBytes?: number;
}

/** How messages wait for a connection, and how they leave. */
export interface QueueOptions {
  /** @default 1_000 */
  maxMessages?: number;
  /** As encoded. @default 1_048_576 */
  maxBytes?: number;
  /**
   * What happens to a message for which there is no room. `reject`: it is refused with `QUEUE_FULL`. `drop-oldest`: the
   * longest waiting of the weakest lane that is not stronger than its own makes room. `drop-lowest`: the last message of a lane
   * weaker than its own does; without one it is refused. `wait`: it waits outside, up to the same bounds once more, and its
   * receipt stays open until there was room. @default 'reject'
   */
  overflow?: OverflowPolicy;
  /** A larger message, as encoded, is refused with `MESSAGE_TOO_BIG`. At least 1. @default Infinity */
  maxMessageBytes?: number;
  /** With this much in the socket's buffer the connection is congested: nothing is added to it. At least 1. @default 524_288 */
  highWaterBytes?: number;
  /** Once the buffer has fallen to this, messages leave again. Less than `highWaterBytes`. @default 131_072 */
  lowWaterBytes?: number;
  /** How many messages leave in one write at the most. At least 1. @default 256 */
  maxBatchMessages?: number;
  /** How many bytes leave in one write at the most; a larger message leaves alone. At least 1. @default 65_536 */
  maxBatchBytes?: number;
  /** A fixed wait before messages leave, in ms, so that more of them leave together. @default 0: at the end of the turn */
  lingerMs?: number;
}

/** How a silent link is told from a dead one. */
export interface HeartbeatOptions {
  /**
   * From the last answer to the next probe. At least 1. From 5,000 on it may be up to a sixteenth shorter, so that the probes of all connections of a
   * service fall together. @default 25_000
   */
  intervalMs?: number;
  /**
   * The same for the first probe of a link, and after a measurement that speaks against its grade, so that both are known soon; no more than `intervalMs`. At
   * least 1. @default 1_000
   */
  promptMs?: number;
  /** A round trip that takes longer is slow: the scale of the latency score, see the README. At least 1. @default 500 */
  slowMs?: number;
  /** From a probe to `degraded`. At least 1. @default a quarter of `timeoutMs` */
  lateMs?: number;
  /** From a probe to giving the link up. More than `lateMs`. @default 10_000 */
  timeoutMs?: number;
  /**
   * What a probe sends: `auto` a protocol ping, where the WebSocket can (`ws` can, browsers cannot: there the link stays
   * unwatched); `silence` nothing, for a peer that is known to speak at least once per interval; a function: what it returns,
   * as a message. `auto` takes the `ping` of the profile, if it has one. Any inbound frame counts as the answer. @default 'auto'
   */
  ping?: 'auto' | 'silence' | (() => unknown);
}

/** Gives the credentials for one attempt. */
export type CredentialsProvider = (request: CredentialsRequest) => Credentials | Promise<Credentials>;
/** A token, or a token in an object that may carry more for the URL provider. Never printed or recorded. Kept over attempts that never
 * opened, until the peer refuses them. */
export type Credentials =
  | string
  | {
      readonly token: string;
      /**
       * Until when they can be used, in ms since 1970: later attempts ask for others. A time before 2001 is refused, as it is one in
       * seconds. @default for as long as nobody refuses them
       */
      readonly expiresAt?: number;
    };

/** A credentials provider, and how long and how often it is asked. Times in milliseconds. */
export interface CredentialsOptions {
  /** Asked before each attempt, unless the last credentials are kept. */
  get: CredentialsProvider;
  /** Deadline of one answer; then the attempt has failed with `CREDENTIALS_TIMEOUT`, and is retried. At least 1. @default 10_000 */
  timeoutMs?: number;
  /** Retries after failures of the provider in a row, before `failed`; they count for `retry.maxRetries` as well. @default Infinity */
  maxRetries?: number;
  /**
   * How often in one episode the peer may refuse the credentials before `failed`. After the first refusal fresh ones are tried at once, after
   * each further one after the backoff. 0: the first refusal is the end. @default 2
   */
  maxRejections?: number;
}

/** What the credentials provider is told. */
export interface CredentialsRequest {
  connectionId: string;
  serviceType: string;
  terminalId: string | undefined;
  sessionId: string | undefined;
  /** What `connect` was given as `params`. */
  params: Readonly<Record<string, string>>;
  /** Names this attempt, and no other of this or any other page: for a server that wants a fresh id per connection. */
  attemptId: string;
  /** 0 for the first attempt of an episode, then the number of the retry. */
  attempt: number;
  /** Whether the answer is for a diagnosis: no connection will use it. @default false */
  isDiagnostic?: boolean;
  /** What ended the attempt or connection before. */
  lastFailure: ConnectionError | HoldfastError | undefined;
  /** Aborted when the answer is no longer wanted. */
  signal: AbortSignal;
}

/** What the URL provider is told. */
export interface AddressRequest extends CredentialsRequest {
  /** The token that the credentials provider gave; `undefined` where there is no provider. */
  token: string | undefined;
  /** All that it gave. */
  credentials: Credentials | undefined;
}

/** Gives the URL for one attempt. One that throws or rejects is retried as `URL_FAILED`; a URL that is none ends the connection as `failed`. */
export type UrlProvider = (request: AddressRequest) => string | URL | Promise<string | URL>;

/**
 * What may be changed while the service runs: services are merged by name and key, and keep what is not mentioned. Every other option only the constructor
 * takes.
 */
export interface ConfigPatch {
  services?: Record<string, Partial<ServiceOptions>>;
  enableMessageQueue?: boolean;
  enableHealthMonitoring?: boolean;
  enableAutoRecovery?: boolean;
  onError?: (error: HoldfastError) => void;
  maxInactive?: number;
  errorHistory?: number;
  userMessages?: UserMessages;
  maxDials?: number;
}

/** Which connection is wanted. Two calls that name the same one share it. */
export interface ConnectOptions<Type extends string = string> {
  /** A key of `services`. */
  serviceType: Type;
  /** Names one terminal among several; part of the connection's identity. */
  terminalId?: string;
  /** Names one session among several; part of the connection's identity. */
  sessionId?: string;
  /** Tells apart connections of one type that neither id does. */
  key?: string;
  /** Handed to the providers. No part of the identity: the same connection with other params is a conflict. */
  params?: Readonly<Record<string, string>>;
  /** Stops waiting; a connection that never opened, and that no other `connect` waits for, is then closed. */
  signal?: AbortSignal;
  /** Stops waiting after this time, likewise. @default none: retries go on until the connection opens or fails */
  timeoutMs?: number;
}

/** Which connection is wanted for a while. */
export interface AcquireOptions<Type extends string = string> extends ConnectOptions<Type> {
  /** From the release of the last lease to the close of the connection, in ms: whoever comes meanwhile finds it open. @default 0: the next turn */
  releaseDelayMs?: number;
}

/** How a connection is ended. */
export interface DisconnectOptions {
  /** 1000, or 3000 to 4999. @default 1000 */
  code?: number;
  /** Cut to 123 bytes of UTF-8. @default '' */
  reason?: string;
}

/** How a service ends. */
export interface DestroyOptions {
  /** How long open connections may take to close; then they are cut. 0 cuts at once. In ms. @default 2_000 */
  deadlineMs?: number;
}
