import type { Answered } from './pings.ts';
import type { ConnectionEvent, CredentialsNeed, WireOffer } from '../machines/facts.ts';
import type { Failure } from './core/recovery.ts';
import type { RequestFacts, Settled } from './endpoint.ts';
import type { EncodedMessage } from './protocol/codec.ts';
import type { Wire } from './wire.ts';

export type Tell = (event: ConnectionEvent) => void;

/** How the peer of a link is asked for signs of life. */
export interface Asking {
  /** Whether round trips can be measured. */
  readonly canMeasure: boolean;
  /** Calls back at the next sign of life, having asked for one. @returns Takes that back. */
  probe(heard: () => void): () => void;
  /** How much longer than otherwise the answer to a probe may take, in ms, for what was sent before it. */
  readonly burdenMs: number;
  /** So many bytes were handed to the socket. */
  wrote(bytes: number): void;
  /** The peer has answered the application's own ping. */
  answered(): void;
  /** Calls back with the round trip of a ping that is sent now, in ms, if it is answered. @returns Whether there is a form of ping for that. */
  ping(answered: Answered): boolean;
}

/** What messages leave by on an open link. */
export interface Joined {
  wire: Wire;
  /** Whether the peer has proved that it listens. */
  isTrusted: boolean;
}

/**
 * How a connection reaches its peer: by sockets of its own, or by a channel of a session that it shares. What takes time returns how to
 * abandon it. Called by the connection's actors; never throws into them.
 */
export interface Access {
  /** What a provider threw, when that is why the last attempt failed. */
  readonly cause: unknown;
  /** How its peer is asked for signs of life. */
  readonly asking: Asking;
  /** Which link is, or was, in use, from 1. */
  readonly generation: number;
  /** What providers and profiles are told. */
  readonly facts: RequestFacts;
  /** Whether there is a link, open or not. */
  readonly isLinked: boolean;
  /** Whether what is not acknowledged outlives the link. */
  readonly isSession: boolean;
  /** Whether the peer knows of an earlier link what comes first on every one. */
  readonly hasGreeted: boolean;
  /** Whether the wire carries the ids of requests, or may turn out to. */
  readonly carriesIds: boolean;
  /** Whether the peer has read everything that left on the link that has ended. */
  readonly wasRead: boolean;
  authorize(need: CredentialsNeed, settled: Settled): () => void;
  locate(settled: Settled): () => void;
  /** Makes a link to what was found, and tells what becomes of it. */
  dial(command: { generation: number; offer: WireOffer }, tell: Tell): void;
  /** Finds out which wire the peer speaks, and opens or resumes the session on it. */
  negotiate(tell: Tell): () => void;
  /** A peer that has said nothing so far speaks plain. */
  yieldToPlain(): void;
  /** Makes a second link and moves the session to it, while the first goes on. */
  succeed(tell: Tell): () => void;
  /** Asks for fresh credentials, and gives them to the peer. */
  renew(tell: Tell): () => void;
  /** Sends what comes first, before anything else may leave. */
  greet(messages: readonly EncodedMessage[]): void;
  /** From now on messages may leave. `undefined` without a link. */
  join(): Joined | undefined;
  /** From now on what arrives is delivered; or no longer. */
  read(): void;
  unread(): void;
  /** Begins to end the link, and with it what outlives links. */
  close(code: number, reason: string): void;
  /** Lets go of the link at once. */
  hangUp(): void;
  /** The connection has ended: nothing outlives its links any more. `why`: what failed last, if anything did. */
  end(why: Failure | null): void;
}
