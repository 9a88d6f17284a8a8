import type { ConnectionStateName, GiveUpCause, RetryHold } from '../machines/facts.ts';
import type { CloseInitiator, HoldfastError } from './errors.ts';
import type { InboundData } from './transport/transport.ts';

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
}

/** Another attempt will be made. */
export interface RetryingEvent extends EventSource {
  /** From now to the attempt, in ms. */
  delayMs: number;
  /** Which retry of the episode it is, from 1. */
  attempt: number;
  /** How many are allowed; `Infinity` for no limit. */
  maxRetries: number;
  /** What can cut the wait short: nothing (`delay`), the network's return, or somebody looking at the page. */
  waitingFor: RetryHold;
  /** What the retry answers. */
  error: HoldfastError | null;
}

/** No further attempt will be made until the application connects again. */
export interface GaveUpEvent extends EventSource {
  /** A failure that retrying cannot mend, the last allowed retry, the last allowed credentials failure, or a fault inside. */
  because: GiveUpCause | 'fault';
  error: HoldfastError;
}

/** The state of a connection changed. */
export interface StatusEvent extends EventSource {
  previous: ConnectionStateName;
  current: ConnectionStateName;
}

/** A message arrived, as it came: text as a string, bytes as an `ArrayBuffer`. */
export interface MessageEvent extends EventSource {
  data: InboundData;
}

/** Every event of a service, by name. */
export interface ServiceEvents {
  opened: OpenedEvent;
  closed: ClosedEvent;
  retrying: RetryingEvent;
  gaveUp: GaveUpEvent;
  status: StatusEvent;
  message: MessageEvent;
  /** Each failed attempt and each lost connection, once; and, without an `onError`, bugs. */
  error: HoldfastError;
}

/** Sends one event of a service to its listeners. */
export type Emit = <Type extends keyof ServiceEvents>(type: Type, event: ServiceEvents[Type]) => void;
