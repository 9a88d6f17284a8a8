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
  /** The token to open it with, until it is opened. */
  token: string | undefined;
  /** Whether the server knows it, in the present session. */
  isOpened = false;
  /** Whether the server asks it to wait. */
  isHeld = false;
  /** What a lost session meant for it, until its connection is told. */
  loss: SessionLoss | null = null;
  readonly #kept = new Set<OutboundMessage>();

  constructor(options: ChannelOptions) {
    this.name = options.name;
    this.service = options.service;
    this.options = options;
  }

  /** How many messages are not acknowledged. */
  get size(): number {
    return this.#kept.size;
  }

  unacknowledged(): OutboundMessage[] {
    return [...this.#kept];
  }

  /** A message leaves by it. */
  record(message: OutboundMessage): void {
    message.channel = this.name;
    this.#kept.add(message);
  }

  /** Its fate does not hang on the session any more. @returns Whether it did. */
  settle(message: OutboundMessage): boolean {
    return this.#kept.delete(message);
  }

  /** The session is over for it. @returns What that leaves in doubt, in order. */
  forget(): OutboundMessage[] {
    const kept = [...this.#kept];
    this.#kept.clear();
    this.isOpened = this.isHeld = false;
    return kept;
  }
}
