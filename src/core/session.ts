import type { ServerFrame } from '../protocol/frames.ts';
import { Incoming, type Outgoing } from './ledger.ts';

type Welcome = Extract<ServerFrame, { t: 'welcome' }>;

/** What a client needs to come back to its session. The token is a secret. */
interface Ticket {
  sid: string;
  tok: string;
  ep: string;
}

/** What a client says of the session that it resumes; the field `resume` of `hello`. */
export interface Resumption extends Ticket {
  /** The last position that the application has accepted. */
  rx: number;
  /** The first own position that is not acknowledged, and the last that was given. */
  lo: number;
  hi: number;
}

/** What a welcome means for the messages of its session. */
export type Welcomed<Item> =
  /** The session goes on: these are acknowledged. What is left in the ledger is to be sent again. */
  | { kind: 'resumed'; acknowledged: Item[] }
  /** A new session. `lost` is why the one before is over, if there was one; `inDoubt` is what it left unacknowledged. */
  | { kind: 'opened'; lost: string | null; inDoubt: Item[] };

/**
 * The client's half of a session of `holdfast.v1`, over all its sockets: who it is, what it has sent, and what it has received.
 * Source: PROTOCOL.md, "Sessions and resumption".
 */
export class ClientSession<Item> {
  readonly outgoing: Outgoing<Item>;
  readonly incoming = new Incoming();
  readonly #freshNonce: () => string;
  // the name of the session that would be opened next
  #nonce: string | undefined;
  #ticket: Ticket | undefined;
  // since when it has no socket, how long the server keeps it from then on, and whether that has refused the very wire since. Times in ms
  #leftAt = Infinity;
  #keptMs = Infinity;
  #isRefused = false;
  // why the last session ended without a new one; null while nothing was lost
  #lost: string | null = null;

  /** `freshNonce` gives a name that was never given before. */
  constructor(outgoing: Outgoing<Item>, freshNonce: () => string) {
    this.outgoing = outgoing;
    this.#freshNonce = freshNonce;
  }

  /** Whether there is a session to resume. */
  get isResumable(): boolean {
    return this.#ticket !== undefined;
  }

  /** Whether there is or was a session whose end somebody is still to be told of. */
  get isOwed(): boolean {
    return this.isResumable || this.#lost !== null;
  }

  /** The name of the session that the server is to open if there is none to resume. */
  get nonce(): string {
    this.#nonce ??= this.#freshNonce();
    return this.#nonce;
  }

  /** What to resume; `undefined` when there is nothing. */
  get resumption(): Resumption | undefined {
    if (!this.#ticket) return undefined;
    const { acknowledged, next } = this.outgoing;
    return { ...this.#ticket, rx: this.incoming.accepted, lo: acknowledged + 1, hi: next - 1 };
  }

  /** A server is asked for it that speaks its wire: it may have it from now on, whether or not that can be heard. */
  asked(): void {
    this.#leftAt = Infinity;
    this.#isRefused = false;
  }

  /** It has no socket, if it had one. `at` in ms. */
  left(at: number): void {
    if (this.#leftAt === Infinity) this.#leftAt = at;
  }

  /** The server has refused a handshake because of what it is to speak. */
  refused(): void {
    this.#isRefused = true;
  }

  /** Whether there is no use in asking for it: the server does not speak its wire any more, and has forgotten it, as it said that it would. `now` on the same clock as {@link left}. */
  isForsaken(now: number): boolean {
    return this.#isRefused && now - this.#leftAt > this.#keptMs;
  }

  /** Takes the server's answer to a hello that said {@link resumption}. `null` when it cannot be true. */
  welcomed(welcome: Welcome): Welcomed<Item> | null {
    const { sid, tok, ep, resumed, rx, top } = welcome;
    if (!resumed) return this.#opened(welcome);
    const known = this.#ticket;
    if (sid !== known?.sid || ep !== known.ep || top < this.incoming.handed) return null;
    if (rx < this.outgoing.acknowledged) return null;
    const acknowledged = this.outgoing.acknowledge(rx);
    if (!acknowledged) return null;
    this.#ticket = { sid, tok, ep };
    this.#joined(welcome);
    return { kind: 'resumed', acknowledged };
  }

  /** The session is over, and the next welcome is to say so. */
  lose(why: string): void {
    if (this.#ticket) this.#lost = why;
    this.#ticket = undefined;
  }

  /** The session is over, and nobody is to be told of it later. @returns What it leaves in doubt, in order. */
  end(): Item[] {
    this.#ticket = undefined;
    this.#lost = null;
    this.incoming.restart();
    return this.outgoing.restart();
  }

  #opened(welcome: Welcome): Welcomed<Item> | null {
    const { sid, tok, ep, rx, why } = welcome;
    // nothing has been sent in it
    if (rx !== 0) return null;
    const lost = this.#ticket ? (why ?? 'unknown') : this.#lost;
    const inDoubt = this.end();
    this.#ticket = { sid, tok, ep };
    this.#joined(welcome);
    this.#nonce = undefined;
    return { kind: 'opened', lost, inDoubt };
  }

  #joined({ ttl, ping }: Welcome): void {
    // it counts from when it misses this side, which may be that much later
    this.#keptMs = ttl + ping.iv + ping.to;
    this.asked();
  }
}
