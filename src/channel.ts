import type { SessionLoss } from '../machines/facts.ts';
import type { Failure } from './core/recovery.ts';
import type { Inbox } from './inbox.ts';
import type { OutboundMessage } from './message.ts';
import type { Outbox } from './outbox.ts';

/** What the link of a channel tells, as a socket would. */
export interface ChannelLink {
  /** The shared session can be used. `lost`: it is another one than before. */
  opened(facts: { lost: SessionLoss | null; isResumed: boolean }): void;
  /** It can not, or the channel is no more. */
  ended(failed: Failure): void;
}

export interface ChannelOptions {
  /** Names it in the session. */
  name: string;
  /** What it is opened for. */
  service: string;
  outbox: Outbox;
  inbox: Pick<Inbox, 'receive'>;
  /** The session is over: replies to what was asked in it will not come. */
  sessionLost: () => void;
}

/** One connection's part of a session that it shares: what it has sent there and not seen acknowledged, over all sockets. */
export class Channel {
  readonly name: string;
  readonly service: string;
  readonly options: ChannelOptions;
  /** Present while its connection wants to use it. */
  link: ChannelLink | undefined;
  /** The last token of its connection, to open it with on each socket. A secret. */
  token: string | undefined;
  /** Whether the server knows it, in the present session. */
  isOpened = false;
  /** What is to be said first, and has not left yet; `undefined` until it is known. */
  greetings: OutboundMessage[] | undefined;
  /** What a lost session meant for it, until its connection is told. */
  loss: SessionLoss | null = null;
  /** Why it cannot be used any more, until its connection is told. */
  ending: Failure | undefined;
  /** Grows whenever it has sent: who has not for longest is the next. */
  turn = 0;
  readonly #kept = new Set<OutboundMessage>();
  #bytes = 0;
  // handed over, and not worth keeping
  readonly #volatile = new Set<OutboundMessage>();
  // whether the server asks it to wait; on a new socket that is not known
  #hold: 'none' | 'held' | 'unsure' = 'none';

  constructor(options: ChannelOptions) {
    this.name = options.name;
    this.service = options.service;
    this.options = options;
  }

  /** How many messages are not acknowledged. */
  get size(): number {
    return this.#kept.size;
  }

  /** Bytes of those. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many volatile messages are in the socket's buffer. */
  get volatileSize(): number {
    return this.#volatile.size;
  }

  unacknowledged(): OutboundMessage[] {
    return [...this.#kept];
  }

  /** Whether the server holds it back. Where that is not known, one message asks. */
  get isHeld(): boolean {
    return this.#hold === 'held' || (this.#hold === 'unsure' && this.#kept.size > 0);
  }

  /** Whether the server has said so on the present socket. */
  get isStopped(): boolean {
    return this.#hold === 'held';
  }

  /** The server holds it back, or lets it go. */
  hold(isHeld: boolean): void {
    this.#hold = isHeld ? 'held' : 'none';
  }

  /** A new socket: a server that still holds it back says so again, and nobody says that it does not. */
  doubtHold(): void {
    if (this.#hold === 'held') this.#hold = 'unsure';
  }

  /** A message leaves by it. */
  record(message: OutboundMessage): void {
    message.channel = this.name;
    if (message.isVolatile) {
      this.#volatile.add(message);
      return;
    }
    this.#kept.add(message);
    this.#bytes += message.bytes;
  }

  /** Its fate does not hang on the session any more. @returns Whether it did. */
  settle(message: OutboundMessage): boolean {
    if (this.#volatile.delete(message)) return true;
    if (!this.#kept.delete(message)) return false;
    this.#bytes -= message.bytes;
    return true;
  }

  /** The server has accepted a message. @returns Whether that is news. */
  acknowledge(message: OutboundMessage): boolean {
    // what the server would have had to say of holding it back, it has said by now
    if (this.#hold === 'unsure') this.#hold = 'none';
    return this.settle(message);
  }

  /** The session is over for it. @returns What that leaves in doubt, in order. */
  forget(): OutboundMessage[] {
    const kept = [...this.#kept, ...this.#volatile];
    this.#kept.clear();
    this.#volatile.clear();
    this.#bytes = 0;
    this.#hold = 'none';
    this.isOpened = false;
    this.greetings = undefined;
    return kept;
  }
}
