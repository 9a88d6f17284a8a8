import type { WireMeta } from '../protocol/frames.ts';

/**
 * A message to a client, as a store keeps it: its payload as it will travel, and what travels with it. Bytes may be
 * a view of memory that they share with others: their `buffer` is more than they are, and must not be transferred.
 */
export interface StoredMessage {
  readonly data: string | Uint8Array<ArrayBuffer>;
  readonly meta?: WireMeta | undefined;
  /** That as JSON text, where it is known already, for a store that keeps text. What is read from a store has `meta`. */
  readonly metaText?: string | undefined;
}

/** What a store knows of a session, once a node owns it. */
export interface OwnedSession {
  sid: string;
  /** Changes whenever the store lost history: positions of another epoch mean nothing. */
  ep: string;
  /** Which owner it is, from 1. Every write of an owner carries it; those of an older one are refused. */
  gen: number;
  /** The last position of the client that was accepted. */
  rx: number;
  /** The last position given to a message for the client. */
  top: number;
  /** The last position that the client has acknowledged; what is kept begins after it. */
  acked: number;
  /** The node that owned it before, if any did. */
  previousNode: string | null;
}

/** A session that a client asks for. The store invents nothing: names and hashes are made by who asks. */
export interface OpenWish {
  sid: string;
  ep: string;
  tokenHash: string;
  /** Who the client is, by its authentication. */
  principal: string;
  /** The client's own name for the session: asked for again, it is the same session. */
  nonce: string;
  node: string;
  /** How long it is kept without an owner, in ms. */
  ttlMs: number;
}

/** What a client says of the session that it resumes. */
export interface ResumeClaim {
  sid: string;
  ep: string;
  tokenHash: string;
  /** Valid from now on; `tokenHash`, and what was given since, stay so until the first frame of the new owner. */
  nextTokenHash: string;
  principal: string;
  node: string;
  /** The last position that the client has received. */
  rx: number;
  /** Of the client's own messages: the first that is not acknowledged, and the last that has a position. */
  lo: number;
  hi: number;
}

/** Why a session cannot be resumed; the words of `welcome`. */
export type ResumeRefusal = 'unknown' | 'epoch' | 'forbidden' | 'overflow' | 'ahead' | 'gap';
export type ResumeAnswer = { ok: true; session: OwnedSession } | { ok: false; why: ResumeRefusal };

/** Why a write was refused: another owner has the session; there is no such session; or it is full. */
export type WriteRefusal = 'fenced' | 'gone' | 'overflow';

/** What a store tells the node that owns, or owned, a session. */
export interface StoreEvents {
  /** Something was appended by somebody else. */
  wake(session: { sid: string; top: number; node: string }): void;
  /** A newer owner has it: let go of the socket. */
  takeover(session: { sid: string; gen: number; node: string }): void;
  /** Its time without an owner is over, or it was destroyed. */
  expire(session: { sid: string; principal: string }): void;
}

/**
 * Keeps sessions. What it promises, whatever it is made of:
 *
 * - I1: a position is given by the store, so a message is sent only after it is kept;
 * - I2: what is accepted is kept before it is acknowledged;
 * - I3: nothing is forgotten that the client has not acknowledged;
 * - I4: what is read has no gap;
 * - I5: an owner's write carries its generation, and one of an older owner changes nothing;
 * - I6: a session is kept from its opening on, not from its first loss;
 * - I7: when history is lost the epoch is another.
 */
export interface SessionStore {
  /** Opens a session, or gives the one that the same principal opened by the same nonce, with a new owner. */
  open(wish: OpenWish): Promise<OwnedSession>;
  /** Hands a session to a new owner, if everything that the client says of it is true. */
  attach(claim: ResumeClaim): Promise<ResumeAnswer>;
  /** The first frame of this owner came: no token but the newest is valid any more. */
  confirm(sid: string, gen: number): Promise<WriteRefusal | null>;
  /**
   * Gives positions to messages, one at least, and keeps them: as many of the first as there is room for, and `overflow` when there is none even for one. A session
   * that nobody owns is full as soon as one does not fit, for nobody is there who would make room: it is over. `gen` is `null` for a node that does not own the session: any may push.
   */
  append(
    sid: string,
    gen: number | null,
    messages: readonly StoredMessage[],
  ): Promise<{ first: number; last: number } | WriteRefusal>;
  /** Messages after a position, in order, up to so many and so many bytes; at least one if there is any. */
  read(sid: string, after: number, most: { messages: number; bytes: number }): Promise<StoredMessage[]>;
  /** The client has everything up to a position. `ahead`: so much was never given to it, and nothing else: what was kept until it was too much is an `overflow`. */
  ack(sid: string, gen: number, upTo: number): Promise<WriteRefusal | 'ahead' | null>;
  /** Everything up to a position was accepted from the client, with these idempotency keys. */
  accept(sid: string, gen: number, accepted: { upTo: number; keys: readonly string[] }): Promise<WriteRefusal | null>;
  /** Which of these idempotency keys of a principal were accepted lately, in whatever session. */
  known(principal: string, keys: readonly string[]): Promise<string[]>;
  /** The owner is alive. @returns The last position, for a wake that was lost. */
  touch(sid: string, gen: number): Promise<{ top: number } | WriteRefusal>;
  /** The owner has lost its socket: the session waits for another. */
  detach(sid: string, gen: number): Promise<WriteRefusal | null>;
  /** The end of a session. `gen` is `null` for an end that no owner asks for. */
  destroy(sid: string, gen: number | null): Promise<WriteRefusal | null>;
  /** @returns Ends the subscription. */
  subscribe(events: Partial<StoreEvents>): () => void;
  /** Lets go of everything. */
  close(): Promise<void>;
}
