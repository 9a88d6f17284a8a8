import type { SessionLoss } from '../machines/facts.ts';
import type { Channel } from './channel.ts';
import { failure, type Failure } from './core/recovery.ts';
import type { OutboundMessage } from './message.ts';
import type { WireMeta } from './protocol/frames.ts';
import type { Payload } from './protocol/profile.ts';
import type { Notice } from './reception.ts';
import type { SessionWire } from './session-wire.ts';
import type { Clock } from './transport/clock.ts';

/** The connection that carries a pool. */
export interface Carrier {
  /** Opens it, unless that is under way. */
  connect(): void;
  /** Closes it. */
  release(): void;
}

export interface PoolOptions {
  clock: Clock;
  /** Asked whenever it is needed: it may have been forgotten in the meantime. */
  carrier: () => Carrier;
}

interface Relief {
  lowWaterBytes: number;
  hasRoom: () => boolean;
  relieved: () => void;
}

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
  #exchange: { wire: SessionWire; isResumed: boolean } | undefined;
  readonly #reliefs = new Set<Relief>();
  #lingering: unknown;
  #failure: Failure | undefined;

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

  /** A connection wants to use its channel: it is told when it can. */
  join(channel: Channel): void {
    const { clock, carrier } = this.#options;
    clock.clearTimeout(this.#lingering);
    this.#channels.set(channel.name, channel);
    if (this.#exchange) this.#opened(channel, this.#exchange);
    else carrier().connect();
  }

  /** A connection has ended: its channel is no more. @returns What that leaves in doubt. */
  leave(channel: Channel): OutboundMessage[] {
    channel.link = undefined;
    if (!this.#channels.delete(channel.name)) return [];
    if (channel.isOpened) this.#shut(channel.name);
    if (this.#channels.size === 0) this.#linger();
    return channel.forget();
  }

  /** Whether a channel may send: the server does not hold it back, and it leaves room in the window for the others. */
  hasRoom(channel: Channel): boolean {
    const { wire } = this;
    if (!wire?.hasRoom || channel.isHeld) return false;
    return this.#channels.size === 1 || channel.size < Math.max(1, Math.floor(wire.windowMessages / 2));
  }

  /** Calls back once a channel may send again. @returns Takes that back. */
  onceRelieved(relief: Relief): () => void {
    this.#reliefs.add(relief);
    this.#watch();
    return () => {
      this.#reliefs.delete(relief);
    };
  }

  /** There may be room. */
  relieve(): void {
    for (const relief of [...this.#reliefs]) {
      const { lowWaterBytes, hasRoom, relieved } = relief;
      if ((this.wire?.bufferedBytes ?? 0) > lowWaterBytes || !hasRoom()) continue;
      this.#reliefs.delete(relief);
      relieved();
    }
    this.#watch();
  }

  /** The socket was welcomed, and nothing has been said on it yet: the server hears which channels there are. */
  introduce(wire: SessionWire): void {
    for (const name of this.#shutting) wire.control({ t: 'shut', c: name });
    for (const channel of this.#channels.values()) if (channel.isOpened) this.#open(channel, wire);
  }

  /** The socket can be used. */
  linked(wire: SessionWire, isResumed: boolean): void {
    this.#exchange = { wire, isResumed };
    this.#failure = undefined;
    this.#watch();
    for (const channel of [...this.#channels.values()]) this.#opened(channel, this.#exchange);
  }

  /** An attempt failed, or the socket is about to be lost, for this reason. */
  failing(failed: Failure): void {
    this.#failure = failed;
    // nobody waits for a carrier that gives up
    if (failed.verdict === 'stop') this.unlinked();
  }

  /** The socket is gone. Those who wait for the next one go on waiting. */
  unlinked(): void {
    const wasLinked = this.#exchange !== undefined;
    const failed = this.#failure ?? failure('CONNECTION_LOST', 'retry');
    this.#exchange = undefined;
    this.#reliefs.clear();
    if (wasLinked || failed.verdict === 'stop') this.#end(failed);
  }

  /** The carrier has ended. */
  ended(): void {
    this.#exchange = undefined;
    this.#shutting.clear();
    this.#reliefs.clear();
    const last = this.#failure;
    this.#end(last?.verdict === 'stop' ? last : { ...(last ?? failure('CONNECTION_LOST', 'stop')), verdict: 'stop' });
  }

  /** Lets go of its timer. */
  dispose(): void {
    this.#options.clock.clearTimeout(this.#lingering);
  }

  /** A message came for a channel. One that nobody has any more is dropped: the server knows, or will. */
  deliver(name: string, payload: Payload, meta: WireMeta): void {
    this.#channels.get(name)?.options.inbox.receive(payload, meta);
  }

  /** The server has accepted a message of a channel. */
  acknowledged(message: OutboundMessage): void {
    const channel = this.#channelOf(message);
    if (channel?.settle(message)) channel.options.outbox.acknowledged([message]);
  }

  /** The channel of a message, for as long as its fate is of interest there. */
  outboxOf(message: OutboundMessage): Channel['options']['outbox'] | undefined {
    const channel = this.#channelOf(message);
    channel?.settle(message);
    return channel?.options.outbox;
  }

  /** The session is over: everything that the channels had in it is in doubt. @returns How much stays so. */
  lost(why: string): number {
    let all = 0;
    this.#shutting.clear();
    for (const channel of this.#channels.values()) {
      const inDoubt = channel.options.outbox.forsake(channel.forget());
      channel.loss = { why, inDoubt } satisfies SessionLoss;
      channel.options.sessionLost();
      all += inDoubt;
    }
    // a server that was moved to knew nothing of it: those who use the session begin anew
    if (this.#exchange) this.#end(failure('CONNECTION_LOST', 'retry', 'the session was lost'));
    return all;
  }

  /** The server says something of a channel. */
  noticed(notice: Extract<Notice, { t: 'flow' | 'shut' }>): void {
    const { c: name = '' } = notice;
    const channel = this.#channels.get(name);
    if (notice.t === 'flow') {
      if (channel) channel.isHeld = notice.w.m === 0;
      this.relieve();
      return;
    }
    if (this.#shutting.delete(name) || !channel) return;
    channel.isOpened = false;
    this.#channels.delete(name);
    const failed = failure('CHANNEL_REFUSED', 'stop', notice.why ?? null);
    channel.options.outbox.forsake(channel.forget());
    channel.link?.ended(failed);
    if (this.#channels.size === 0) this.#linger();
  }

  // the carrier itself sends nothing, and does not wait for room
  #watch(): void {
    if (this.#reliefs.size === 0) return;
    const lowest = Math.min(...[...this.#reliefs].map(({ lowWaterBytes }) => lowWaterBytes));
    this.wire?.onceRelieved(lowest, () => {
      this.relieve();
    });
  }

  #opened(channel: Channel, { wire, isResumed }: { wire: SessionWire; isResumed: boolean }): void {
    if (!channel.link) return;
    const isKnown = channel.isOpened;
    if (!isKnown) this.#open(channel, wire);
    const { loss: lost } = channel;
    channel.loss = null;
    channel.link.opened({ lost, isResumed: isKnown && isResumed });
  }

  #open(channel: Channel, wire: SessionWire): void {
    const { token } = channel;
    channel.token = undefined;
    channel.isOpened = true;
    wire.control({ t: 'open', c: channel.name, n: channel.service, ...(token !== undefined && { auth: token }) });
  }

  #shut(name: string): void {
    this.#shutting.add(name);
    this.#exchange?.wire.control({ t: 'shut', c: name });
  }

  #end(failed: Failure): void {
    for (const { link } of [...this.#channels.values()]) link?.ended(failed);
  }

  #linger(): void {
    const { clock, carrier } = this.#options;
    this.#lingering = clock.setTimeout(() => {
      if (this.#channels.size === 0) carrier().release();
    }, LINGER_MS);
  }

  #channelOf({ channel }: OutboundMessage): Channel | undefined {
    return channel === undefined ? undefined : this.#channels.get(channel);
  }
}
