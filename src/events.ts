import type { ConnectionStateName, GiveUpCause, RetryHold, WireName } from '../machines/facts.ts';
import type { Grade } from './core/score.ts';
import type { OverflowPolicy } from './backlog.ts';
import type { CloseInitiator, HoldfastError, MessageError } from './errors.ts';
import type { FinalFate } from './fates.ts';
import type { InboundOf, Services } from './identity.ts';
import type { MessageMeta } from './inbox.ts';

/** Which connection an event speaks of. */
export interface EventSource {
  connectionId: string;
  serviceType: string;
}

/** A connection can be used. */
export interface OpenedEvent extends EventSource {
  /** Whether it was open before, since the application asked for it: then the peer may have forgotten what it was told. */
  isReconnect: boolean;
  /** Which socket of this connection it is, from 1. */
  generation: number;
  /** How many retries it took. */
  attempt: number;
  /** Which wire it speaks. */
  wire: WireName;
  /** Whether the session goes on from before: then nothing was lost and nothing will come twice. Never on a plain wire. */
  isResumed: boolean;
}

/**
 * The session on `holdfast.v1` is over although the application did not end it, and another has begun, or the server speaks plain now. What
 * the server sent in the meantime may be missing: state that is built from its messages is to be loaded anew. Told before the first message of
 * the new session.
 */
export interface DiscontinuityEvent extends EventSource {
  /**
   * `unknown` or `expired` to the server; another `epoch` of its store; `overflow`, more than it keeps; `forbidden`; `gap` or `ahead`, the
   * two sides disagree; `limits`, it does not take what was to be sent again; `lost`, it said so itself; `plain`.
   */
  why: string;
  /** Messages that may or may not have been accepted. Each has an `undelivered` event of its own, but for those that are sent again. */
  inDoubt: number;
}

/** An open connection's socket is gone. `retrying` or `gaveUp` follows, unless the application closed it. */
export interface ClosedEvent extends EventSource {
  /** Source: RFC 6455, section 7.4. 1006 when no close frame came. */
  code: number;
  /** The peer's text, without control characters. */
  reason: string;
  /** Whether both close frames were exchanged. */
  wasClean: boolean;
  initiator: CloseInitiator;
  /** What went wrong; `null` when the application closed it. */
  error: HoldfastError | null;
  /** Messages that were in the socket when it died: they may or may not have left. Each has an `undelivered` event of its own. */
  inDoubt: number;
}

/** Another attempt will be made. */
export interface RetryingEvent extends EventSource {
  /** From now to the attempt, in ms; `Infinity` while the page is frozen, for then none is made. */
  delayMs: number;
  /** Which retry of the episode it is, from 1; 0 where nothing had failed, and only the page was frozen. */
  attempt: number;
  /** How many are allowed; `Infinity` for no limit. */
  maxRetries: number;
  /**
   * What the wait is for: the delay that was drawn (`delay`), or the time that the peer or the policy table asks for (`server`), which nothing cuts short; or
   * what can cut it short: the network's return, somebody looking at the page (`visibility`), the page's return from where its browser froze it (`page`).
   */
  waitingFor: RetryHold;
  /** What the retry answers. */
  error: HoldfastError | null;
}

/** No further attempt will be made until the application connects again. */
export interface GaveUpEvent extends EventSource {
  /** A failure that retrying cannot mend, the last allowed retry, the last allowed credentials failure, or a fault inside. */
  because: GiveUpCause | 'fault';
  /** What the connection has failed of, `fatal`: the last failure, or `RETRIES_EXHAUSTED` with that as its `cause`. */
  error: HoldfastError;
}

/** The actor of a connection died of a fault as often as it may be replaced: the connection is `failed`, and somebody has to look at it. */
export interface EscalatedEvent extends EventSource {
  /** How often it was replaced before, within `withinMs`. */
  restarts: number;
  withinMs: number;
  /** What it died of, as the `cause`. */
  error: HoldfastError;
}

/** The state of a connection changed. */
export interface StatusEvent extends EventSource {
  previous: ConnectionStateName;
  current: ConnectionStateName;
}

/** The socket's buffer rose over its high water mark, and messages wait; or it has fallen, and they leave again. */
export interface FlowEvent extends EventSource {
  isCongested: boolean;
}

/** The queue had no room for a message, for the first time since half of it was free. */
export interface OverflowedEvent extends EventSource {
  /** What happens to such messages: see `queue.overflow`. */
  policy: OverflowPolicy;
}

/** A connection has another grade of health than before. */
export interface HealthEvent extends EventSource {
  previous: Grade;
  current: Grade;
  /** The overall score, from 0 to 100; `null` while it is unknown. */
  score: number | null;
  /** Why it is no better; `null` where it is healthy, or unknown. */
  because: string | null;
}

/** A round trip to the peer was measured. */
export interface RoundTripEvent extends EventSource {
  /** On this side's monotonic clock. */
  rttMs: number;
}

/** A message was not sent, or nobody knows whether it was. Told after the turn in which it happened. */
export interface UndeliveredEvent extends EventSource {
  messageId: string;
  /** Why; its `outcome` says `not_sent` or `unknown`. */
  error: MessageError;
}

/** What has become of a message that was sent, or refused. Told after the turn in which it happened, of each message that is not one of the wire's own. */
export interface SettledEvent extends EventSource {
  messageId: string;
  /** On the plain wire `sent` is all that can be known; `refused` was never accepted, what is `dropped` was. */
  fate: FinalFate;
  /** As encoded, before compression; 0 for what could not be encoded. */
  bytes: number;
  /** The same: text or bytes. */
  data: string | Uint8Array;
  /** Why it was not sent, or why nobody knows. */
  error: MessageError | undefined;
}

/** A message arrived. */
export interface MessageEvent<Type extends string = string, Data = unknown> extends EventSource {
  serviceType: Type;
  /** As the profile of the service decodes it; without one as it came: text as a string, bytes as an `ArrayBuffer`. */
  data: Data;
  /** What the peer sent beside it; only on `holdfast.v1`. */
  meta?: MessageMeta;
}

/** The message events of these services: the type of one says what its data is. */
export type MessageOf<Types extends Services> = {
  [Type in keyof Types & string]: MessageEvent<Type, InboundOf<Types[Type]>>;
}[keyof Types & string];

/** Every event of a service, by name. */
export interface ServiceEvents<Message = MessageEvent> {
  /** A connection can be used, for the first time or again. */
  opened: OpenedEvent;
  /** The session on `holdfast.v1` is over, and another has begun: what the server sent meanwhile may be missing. */
  discontinuity: DiscontinuityEvent;
  /** The socket of an open connection is gone. */
  closed: ClosedEvent;
  /** Another attempt will be made, and when. */
  retrying: RetryingEvent;
  /** A connection has failed: no attempt is made until the application connects. */
  gaveUp: GaveUpEvent;
  /** The actor of a connection died of faults more often than it may be replaced. */
  escalated: EscalatedEvent;
  /** A connection is in another state than before. */
  status: StatusEvent;
  /** The socket of a connection takes no more for now, or does again. */
  flow: FlowEvent;
  /** The queue of a connection had no room for a message. */
  overflowed: OverflowedEvent;
  /** A connection has another grade of health. */
  health: HealthEvent;
  /** A round trip was measured. */
  roundTrip: RoundTripEvent;
  /** A message was not sent, or nobody knows. */
  undelivered: UndeliveredEvent;
  /** A message has found its end. There is one for each: listen only where each is to be known. */
  settled: SettledEvent;
  /** A message arrived. */
  message: Message;
  /**
   * Each failed attempt, each lost connection, each provider that failed while the connection was open and each message that could not be read, once; and, without
   * an `onError`, bugs.
   */
  error: HoldfastError;
}

/** Sends one event of a service to its listeners. */
export type Emit = <Type extends keyof ServiceEvents>(type: Type, event: ServiceEvents[Type]) => void;
