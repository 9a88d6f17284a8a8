import type { Answered } from './pings.ts';
import type { Channel } from './channel.ts';
import { failure, type Failure } from './core/recovery.ts';
import type { OutboundMessage } from './message.ts';
import type { WireMeta } from './protocol/frames.ts';
import type { Payload } from './protocol/profile.ts';
import type { Notice } from './reception.ts';
import type { SessionWire } from './session-wire.ts';
import type { Clock } from './transport/clock.ts';

/** The connection that carries a pool. It need not exist before it is to be opened, and may be forgotten once it is closed. */
export interface Carrier {
  /** Opens it, unless that is under way. */
  connect(): void;
  /** Ends its wait between two attempts, if it waits. */
  hurry(): void;
  /** Nobody uses it: if it is to close, it need not wait any longer. */
  vacate(): void;
  /** Calls back with the round trip of a ping that it sends now. @returns Whether it can. */
  ping(answered: Answered): boolean;
  /** Closes it, if it is open or about to be. */
  release(): void;
}

export interface PoolOptions {
  clock: Clock;
  carrier: Carrier;
}

interface Relief {
  lowWaterBytes: number;
  relieved: () => void;
}

/** The exchange that a socket has begun. */
interface Exchange {
  wire: SessionWire;
  isResumed: boolean;
}

// PROTOCOL.md, "Channels": why a channel is refused for its credentials
const FORBIDDEN = 'forbidden';
// whoever leaves may come back in a moment, and a handshake costs more than a socket that is idle for so long
const LINGER_MS = 1_000;

/**
 * A session that several connections share, each as a channel of its own. The socket is there as long as anybody wants it, and a
 * little longer. Order holds within a channel.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #channels = new Map<string, Channel>();
  // channels that this side has ended, until the server has said that it knows
  readonly #shutting = new Set<string>();
  // present from the welcome to the loss of the socket
  #exchange: Exchange | undefined;
  // who waits for room
  readonly #reliefs = new Map<Channel, Relief>();
  #lingering: unknown;
  #failure: Failure | undefined;
  #names = 0;
  #turns = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** How many connections share it. */
  get size(): number {
    return this.#channels.size;
  }

  /** The wire of the shared socket; `undefined` while there is none. */
  get wire(): SessionWire | undefined {
    return this.#exchange?.wire;
  }

  /** Calls back with the round trip of a ping on the shared socket. @returns Whether there is one. */
  ping(answered: Answered): boolean {
    return this.wire !== undefined && this.#options.carrier.ping(answered);
  }

  /** Gives a name that no other channel and no other request of the session has. */
  freshName(): string {
    this.#names += 1;
    return `c${this.#names}`;
  }

  /** A connection wants to use its channel: it is told when it can. */
  join(channel: Channel): void {
    const { clock, carrier } = this.#options;
    const { ending } = channel;
    if (ending) {
      channel.ending = undefined;
      channel.link?.ended(ending);
      return;
    }
    clock.clearTimeout(this.#lingering);
    this.#channels.set(channel.name, channel);
    if (!this.#exchange) return carrier.connect();
    this.#opened(channel, this.#exchange);
  }

  /** The application wants one of its connections opened: it does not wait for the next attempt. */
  hurry(): void {
    if (!this.#exchange) this.#options.carrier.hurry();
  }

  /** A connection has ended: its channel is no more. @returns What that leaves in doubt. */
  leave(channel: Channel): OutboundMessage[] {
    channel.link = undefined;
    if (!this.#channels.delete(channel.name)) return [];
    if (channel.isOpened) this.#shut(channel.name);
    this.#left(channel);
    return channel.forget();
  }

  /** Whether a channel may send: the server does not hold it back, and it leaves room in the window for the others. */
  hasRoom(channel: Channel): boolean {
    // what is to come first comes first
    return !channel.greetings?.length && this.#hasRoom(channel);
  }

  /** Sends what is to come first on a channel, as soon as there is room for it. */
  greet(channel: Channel, messages: readonly OutboundMessage[]): void {
    channel.greetings = [...messages];
    this.#greet(channel);
  }

  /** Calls back once a channel may send again. @returns Takes that back. */
  onceRelieved(channel: Channel, relief: Relief): () => void {
    this.#reliefs.set(channel, relief);
    this.#watch();
    return () => {
      if (this.#reliefs.get(channel) === relief) this.#reliefs.delete(channel);
    };
  }

  /** A channel has sent something. */
  tookTurn(channel: Channel): void {
    this.#turns += 1;
    channel.turn = this.#turns;
  }

  /** Whether a message that is to be sent again is of a channel that the server holds back. */
  holdsBack(message: OutboundMessage): boolean {
    return this.#channelOf(message)?.isStopped === true;
  }

  /** There may be room. */
  relieve(): void {
    this.wire?.replay();
    for (const channel of this.#channels.values()) this.#greet(channel);
    // all of them may be told of room for one: the first gets it
    for (const [channel, relief] of [...this.#reliefs].sort(([a], [b]) => a.turn - b.turn)) {
      const isFull = (this.wire?.bufferedBytes ?? 0) > relief.lowWaterBytes || !this.hasRoom(channel);
      if (isFull || this.#reliefs.get(channel) !== relief) continue;
      this.#reliefs.delete(channel);
      relief.relieved();
    }
    this.#watch();
  }

  /** The socket was welcomed, and nothing has been said on it yet: the server hears which channels there are, and which are no more. */
  introduce(wire: SessionWire): void {
    // also those with messages that the server has not accepted: another one has not heard of them
    const gone = new Set(this.#shutting);
    for (const { channel: name } of wire.unacknowledged())
      if (name !== undefined && !this.#channels.get(name)?.isOpened) gone.add(name);
    for (const name of gone) wire.control({ t: 'shut', c: name });
    for (const channel of this.#channels.values()) {
      channel.doubtHold();
      if (channel.isOpened) this.#open(channel, wire);
    }
  }

  /** The socket can be used. */
  linked(wire: SessionWire, isResumed: boolean): void {
    this.#exchange = { wire, isResumed };
    this.#failure = undefined;
    for (const channel of [...this.#channels.values()]) {
      channel.ending = undefined;
      this.#opened(channel, { wire, isResumed });
    }
    this.relieve();
  }

  /** An attempt failed, or the socket is about to be lost, for this reason. */
  failing(failed: Failure): void {
    this.#failure = failed;
    // nobody waits for a carrier that gives up
    if (failed.strategy === 'manual') this.unlinked();
  }

  /** The socket is gone. Those who wait for the next one go on waiting. */
  unlinked(): void {
    const wasLinked = this.#exchange !== undefined;
    const failed = this.#failure ?? failure('CONNECTION_LOST');
    this.#unlink();
    if (wasLinked || failed.strategy === 'manual') this.#end(failed);
  }

  /** The carrier has ended, and its session with it. */
  ended(why: Failure | null): void {
    const failed = { ...(why ?? this.#failure ?? failure('CONNECTION_LOST')), strategy: 'manual' } as const;
    this.#failure = undefined;
    this.#unlink();
    this.#forsake('ended');
    // who is between two attempts is told at the next
    for (const channel of this.#channels.values()) if (!channel.link) channel.ending = failed;
    this.#end(failed);
  }

  /** A message came for a channel. One that nobody has any more is dropped: the server knows, or will. */
  deliver(name: string, payload: Payload, meta: WireMeta): void {
    const channel = this.#channels.get(name);
    channel?.options.outbox.received();
    channel?.options.inbox.receive(payload, meta);
  }

  /** The server has accepted a message of a channel. */
  acknowledged(message: OutboundMessage): void {
    const channel = this.#channelOf(message);
    if (channel?.acknowledge(message)) channel.options.outbox.acknowledged([message]);
  }

  /** The outbox that is to be told of the fate of a message, once; `undefined` when it has been, or does not wait for it any more. */
  outboxOf(message: OutboundMessage): Channel['options']['outbox'] | undefined {
    const channel = this.#channelOf(message);
    return channel?.settle(message) ? channel.options.outbox : undefined;
  }

  /** The session is over: everything that the channels had in it is in doubt. @returns How much stays so. */
  lost(why: string): number {
    const inDoubt = this.#forsake(why);
    // a server that was moved to knew nothing of it: those who use the session begin anew
    const wasLinked = this.#exchange !== undefined;
    this.#unlink();
    if (wasLinked) this.#end(failure('CONNECTION_LOST', 'the session was lost'));
    return inDoubt;
  }

  /** The server says something of a channel. */
  noticed(notice: Extract<Notice, { t: 'flow' | 'shut' }>): void {
    const { c: name = '' } = notice;
    const channel = this.#channels.get(name);
    if (notice.t === 'flow') {
      channel?.hold(notice.w.m === 0);
      this.relieve();
      return;
    }
    if (this.#shutting.delete(name) || !channel) return;
    const isForbidden = notice.why === FORBIDDEN;
    const refused = failure('CHANNEL_REFUSED', notice.why ?? null);
    // a token that was kept may have run out
    const failed: Failure = isForbidden ? { ...refused, strategy: 'reauthenticate' } : refused;
    this.#channels.delete(name);
    this.#lose(channel, isForbidden ? FORBIDDEN : 'lost');
    if (channel.link) channel.link.ended(failed);
    else channel.ending = failed;
    this.#left(channel);
  }

  // acknowledgements and holds are told; a buffer that empties and a window that grows are not
  #watch(): void {
    const { wire } = this;
    if (this.#reliefs.size === 0 || !wire) return;
    const lowest = Math.min(...[...this.#reliefs.values()].map(({ lowWaterBytes }) => lowWaterBytes));
    if (wire.hasRoom && wire.bufferedBytes <= lowest) return;
    wire.onceRelieved(lowest, () => {
      this.relieve();
    });
  }

  #hasRoom(channel: Channel): boolean {
    const { wire } = this;
    if (!wire?.hasRoom || channel.isHeld) return false;
    const { messages, bytes } = wire.window;
    // one message always may
    if (this.#channels.size === 1 || channel.size === 0) return true;
    return channel.size < Math.floor(messages / 2) && channel.bytes < bytes / 2;
  }

  #greet(channel: Channel): void {
    const { greetings = [] } = channel;
    if (greetings.length === 0 || !channel.isOpened) return;
    this.wire?.write(() => {
      const greeting = this.#hasRoom(channel) ? greetings.shift() : undefined;
      if (greeting) channel.record(greeting);
      return greeting;
    });
  }

  #opened(channel: Channel, { wire, isResumed }: Exchange): void {
    if (!channel.link) return;
    const isKnown = channel.isOpened;
    if (!isKnown) this.#open(channel, wire);
    const { loss: lost } = channel;
    channel.loss = null;
    channel.link.opened({ lost, isResumed: isKnown && isResumed });
  }

  #open(channel: Channel, wire: SessionWire): void {
    const { token } = channel;
    channel.isOpened = true;
    wire.control({ t: 'open', c: channel.name, n: channel.service, ...(token !== undefined && { auth: token }) });
  }

  #shut(name: string): void {
    this.#shutting.add(name);
    this.#exchange?.wire.control({ t: 'shut', c: name });
  }

  #unlink(): void {
    this.#exchange = undefined;
    this.#reliefs.clear();
  }

  #end(failed: Failure): void {
    for (const { link } of [...this.#channels.values()]) link?.ended(failed);
  }

  // everything that was said in the session is in doubt
  #forsake(why: string): number {
    let all = 0;
    this.#shutting.clear();
    for (const channel of this.#channels.values()) if (channel.isOpened) all += this.#lose(channel, why);
    return all;
  }

  // and told to its connection when it has another
  #lose(channel: Channel, why: string): number {
    const inDoubt = channel.options.outbox.forsake(channel.forget());
    channel.loss = { why, inDoubt: inDoubt + (channel.loss?.inDoubt ?? 0) };
    channel.options.sessionLost();
    return inDoubt;
  }

  #left(channel: Channel): void {
    const { clock, carrier } = this.#options;
    this.#reliefs.delete(channel);
    // its part of the window is the others'
    this.relieve();
    if (this.#channels.size > 0) return;
    carrier.vacate();
    clock.clearTimeout(this.#lingering);
    this.#lingering = clock.setTimeout(() => {
      if (this.#channels.size > 0) return;
      // whoever comes from now on needs another socket
      this.#unlink();
      carrier.release();
    }, LINGER_MS);
  }

  #channelOf({ channel }: OutboundMessage): Channel | undefined {
    return channel === undefined ? undefined : this.#channels.get(channel);
  }
}
