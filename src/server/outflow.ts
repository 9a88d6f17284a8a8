import { MessageError } from '../errors.ts';
import { FlushClock } from '../core/flush-clock.ts';
import type { StoreClock } from './clock.ts';
import type { Delivery } from './delivery.ts';
import { frameBytesOf, type WeighedMessage } from '../protocol/framing.ts';
import { ownMemory, Slab, type Memory } from '../protocol/slab.ts';
import type { Link } from './link.ts';
import type { Ownership } from './ownership.ts';
import { Receipt } from './receipt.ts';
import { Receipts } from './receipts.ts';
import type { SessionStore, WriteRefusal } from './store.ts';
import { Waitlist, type Waiting } from './waitlist.ts';

export interface OutflowOptions {
  sid: string;
  clock: StoreClock;
  store: SessionStore;
  ownership: Ownership;
  delivery: Delivery;
  /** Bytes that may wait here and in the socket. */
  bufferedBytes: number;
  /** More was sent to a client without a socket than the store keeps. */
  overflowed: () => void;
  /** More waits for a client with a socket than may. */
  tooSlow: () => void;
  fault: (cause: unknown) => void;
}

/** One append: the store may have no room for it, and is given it again then. */
const MAX_APPEND = { messages: 256, bytes: 262_144 };
const ONE = { messages: 1, bytes: 0 };

/** What the store was asked to append, and what was so at that moment. */
interface Asked {
  readonly sent: readonly Waiting[];
  /** What the store was known to have forgotten. */
  readonly toldStore: number;
  readonly hasLink: boolean;
}

const NOTHING_ASKED: Asked = { sent: [], toldStore: 0, hasLink: false };

/**
 * The way out: messages wait here for the store, which gives them their positions, and only then are delivered. What the client has
 * accepted settles its receipt, and may be forgotten by the store.
 */
export class Outflow {
  readonly #options: OutflowOptions;
  #waiting = new Waitlist();
  // those of them that the store may have by now
  #underway: readonly Waiting[] = [];
  readonly #heldChannels = new Set<string>();
  readonly #receipts = new Receipts();
  #link: Link | undefined;
  // of a frame that the client takes, as it said on its last socket
  #frameBytes = Infinity;
  #isAppending = false;
  // an acknowledgement must make room first
  #isFull = false;
  #isTelling = false;
  #toldStore: number;
  #onSettled: (() => void) | undefined;
  #end: MessageError | undefined;
  readonly #flushClock: FlushClock;
  readonly #slab = new Slab(ownMemory);

  constructor(options: OutflowOptions) {
    this.#options = options;
    this.#flushClock = new FlushClock({
      clock: options.clock,
      lingerMs: () => 0,
      flush: () => {
        this.#slab.rest();
        // what is held back is nothing to flush, nor is what goes with an append that is under way
        const isAny = !this.#isAppending && this.#hasNext;
        this.#append();
        return isAny;
      },
    });
    this.#toldStore = options.delivery.acknowledged;
  }

  /** Messages that the client has not acknowledged. */
  get size(): number {
    const { top, acknowledged } = this.#options.delivery;
    return this.#waiting.size + top - acknowledged;
  }

  /** Bytes of those that wait for the store. */
  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  /** Where copies go of what is sent to a channel, or to none. What is held back may wait for long, and would keep what lies beside it. */
  memoryFor(channel: string | undefined): Memory {
    return channel !== undefined && this.#heldChannels.has(channel) ? ownMemory : this.#slab;
  }

  /** Sends a message. Never throws: what is refused is told by the receipt. */
  send(message: WeighedMessage): Receipt {
    if (this.#end) return Receipt.refused(this.#end);
    const bytes = frameBytesOf(message);
    if (bytes > this.#frameBytes) {
      const text = `The message has ${message.bytes} bytes; the client takes frames of ${this.#frameBytes}.`;
      return Receipt.refused(new MessageError('MESSAGE_TOO_BIG', { message: text }));
    }
    const buffered = this.#waiting.bytes + bytes + (this.#link?.bufferedBytes ?? 0);
    if (buffered > this.#options.bufferedBytes) {
      this.#options.tooSlow();
      return Receipt.refused(new MessageError('QUEUE_FULL', { message: `${buffered} bytes wait for the client.` }));
    }
    const waiting = { message, receipt: new Receipt(message.meta) };
    this.#waiting.push(waiting);
    this.#flushClock.request();
    return waiting.receipt;
  }

  /** A socket carries the session. `received`: the last position that its client has. */
  attach(link: Link, at: { received: number; top: number }): void {
    this.#link = link;
    this.#frameBytes = link.limits.frame;
    this.#heldChannels.clear();
    this.#options.delivery.attach(link, at);
    this.#settle(at.received);
    this.#toldStore = Math.max(this.#toldStore, at.received);
    this.#retry();
  }

  detach(): void {
    this.#link = undefined;
    this.#options.delivery.detach();
    // what the store has no room for is decided now: nobody is there to make any
    this.#retry();
  }

  /** The client has said something. */
  heard(): void {
    this.#flushClock.received();
  }

  /** Holds the messages of a channel back, or lets them go. Those that have positions go. */
  hold(channel: string, isHeld: boolean): void {
    if (isHeld) this.#heldChannels.add(channel);
    else if (this.#heldChannels.delete(channel)) this.#append();
  }

  /** A channel is no more: what waits for it is not sent. What the store may have by now goes, as does all that has a position. */
  drop(channel: string, error: MessageError): void {
    this.#heldChannels.delete(channel);
    const dropped = this.#waiting.all.filter(({ receipt }) => receipt.channel === channel);
    for (const waiting of dropped) waiting.revoked = error;
    this.#revoke(dropped.filter((waiting) => !this.#underway.includes(waiting)));
    this.#look();
  }

  /** Tells the store that this node is alive, and what it could not be told before; hears of what was sent without waking it, and whether there is room again. */
  async touch(): Promise<void> {
    if (!(await this.#askTop())) return;
    // first, for it may make room
    await this.#tellStore();
    if (this.#isFull) this.#retry();
  }

  /** The receipts of what this node has sent to a channel and the client has not acknowledged. */
  unsettled(channel: string): Receipt[] {
    const waiting = this.#waiting.all.map(({ receipt }) => receipt);
    return [...this.#receipts.all, ...waiting].filter((receipt) => receipt.channel === channel);
  }

  /**
   * The client has accepted everything up to a position.
   *
   * @throws {ProtocolViolation} When so much was never sent.
   */
  acknowledge(upTo: number): void {
    const { delivery } = this.#options;
    if (!delivery.acknowledge(upTo)) return;
    this.#settle(upTo);
    void this.#tellStore();
    delivery.pump();
  }

  /** The client did not act on messages, or may not have: their receipts say so. */
  refused(from: number, to: number, error: MessageError): void {
    this.#receipts.refuse(from, to, error);
  }

  /** The same of messages that are told by their idempotency keys. */
  refusedByKey(keys: readonly string[], error: MessageError): void {
    this.#receipts.refuseByKey(keys, error);
  }

  /** Calls back once nothing is left unacknowledged: now, or later. @returns Takes that back. */
  onceSettled(callback: () => void): () => void {
    this.#onSettled = callback;
    this.#look();
    return () => {
      this.#onSettled = undefined;
    };
  }

  /** Nothing is sent any more; what is not acknowledged is told so. */
  end({ code, message }: MessageError): void {
    if (this.#end) return;
    this.#end = new MessageError(code, { message });
    this.#link = undefined;
    this.#flushClock.cancel();
    this.#options.delivery.detach();
    // one that the store may have by now goes to the client when the session lives on elsewhere
    for (const receipt of [...this.#receipts.all, ...this.#underway.map((waiting) => waiting.receipt)])
      receipt.settle(new MessageError('OUTCOME_UNKNOWN', { message, outcome: 'unknown' }));
    for (const { receipt } of this.#waiting.all) receipt.settle(this.#end);
    this.#slab.rest();
    this.#receipts.clear();
    this.#waiting = new Waitlist();
  }

  // asked anew after each wait
  #hasLink(): boolean {
    return this.#link !== undefined;
  }

  #retry(): void {
    this.#isFull = false;
    this.#append();
  }

  // one append at a time: what is sent meanwhile goes with the next
  #append(): void {
    if (this.#isAppending || this.#waiting.size === 0) return;
    this.#isAppending = true;
    void this.#appendAll();
  }

  async #appendAll(): Promise<void> {
    const { store, sid, ownership, delivery, fault } = this.#options;
    try {
      while (this.#hasNext) {
        let asked = NOTHING_ASKED;
        const answer = await ownership.write(async (gen) => {
          // an older generation was refused: what was let go meanwhile is not sent by this one
          this.#revoke(asked.sent);
          // without a socket nobody makes room later
          if (!this.#hasLink() && delivery.acknowledged > this.#toldStore) await this.#tell(gen).catch(fault);
          // chosen as late as can be: while it is decided whose the session is, a channel may end
          const sent = (this.#underway = this.#next(MAX_APPEND));
          asked = { sent, toldStore: this.#toldStore, hasLink: this.#hasLink() };
          if (sent.length === 0) return null;
          const messages = sent.map(({ message }) => message);
          const given = await store.append(sid, gen, messages);
          this.#underway = typeof given === 'string' ? [] : sent.slice(0, countOf(given, sent.length));
          return given;
        });
        if (answer === 'lost') return;
        if (answer === null) continue;
        // what the store answers in the same turn, such as that a message is accepted, can be told along with these
        await Promise.resolve();
        if (this.#end) return;
        if (answer === 'overflow') await this.#overflow(asked);
        else this.#appended(asked, answer.first);
        this.#underway = [];
      }
    } catch (cause) {
      // nobody knows whether the store has them
      fault(cause);
      for (const { receipt } of this.#waiting.all)
        receipt.settle(new MessageError('SEND_FAILED', { outcome: 'unknown', cause }));
      this.#waiting = new Waitlist();
    } finally {
      this.#isAppending = false;
      this.#underway = [];
      this.#look();
    }
  }

  get #hasNext(): boolean {
    return this.#next(ONE).length > 0;
  }

  // what may be appended; it stays here until the store has it
  #next(most: typeof MAX_APPEND): Waiting[] {
    return this.#isFull || this.#end ? [] : this.#waiting.first(most, this.#heldChannels);
  }

  // the first of them are in the store; the others go on waiting
  #appended({ sent, toldStore }: Asked, first: number): void {
    const taken = this.#underway;
    this.#waiting.remove(taken);
    this.#revoke(sent.slice(taken.length));
    if (this.#hasLink() && taken.length < sent.length) this.#filled(toldStore);
    taken.forEach(({ receipt }, index) => {
      this.#receipts.add(first + index, receipt);
    });
    const { delivery } = this.#options;
    delivery.appended(
      first,
      taken.map(({ message }) => message),
    );
    // the client may have got them from the store, and said so, before the store's answer came
    if (delivery.acknowledged >= first) this.#settle(delivery.acknowledged);
  }

  // not even the first of them fits
  async #overflow({ sent, toldStore, hasLink }: Asked): Promise<void> {
    const { delivery, overflowed } = this.#options;
    if (this.#revoke(sent) > 0) return;
    if (!this.#hasLink()) {
      // as long as there was one, the store would have waited for room: it is asked again
      this.#isFull = !hasLink;
      if (this.#isFull) overflowed();
      return;
    }
    // other nodes may have filled it, and their wakes are on their way
    const isKnown = delivery.top > toldStore || (await this.#askTop());
    // gone meanwhile: asked again, as above
    if (!this.#hasLink()) return;
    if (delivery.top > toldStore || !isKnown) {
      this.#filled(toldStore);
    } else {
      const tooBig = sent.slice(0, 1);
      this.#waiting.remove(tooBig);
      const error = new MessageError('MESSAGE_TOO_BIG', { message: 'The message is larger than the store keeps.' });
      for (const { receipt } of tooBig) receipt.settle(error);
    }
  }

  // the store had no more room, and has none unless it was told of acknowledgements since it was asked
  #filled(toldStore: number): void {
    this.#isFull = toldStore === this.#toldStore;
  }

  // lets those of them go whose channel is no more. @returns How many
  #revoke(waiting: readonly Waiting[]): number {
    const gone = waiting.filter(({ revoked }) => revoked);
    if (gone.length > 0) this.#waiting.remove(gone);
    for (const { receipt, revoked } of gone) receipt.settle(revoked ?? null);
    return gone.length;
  }

  #settle(upTo: number): void {
    this.#receipts.settle(upTo);
    this.#look();
  }

  // one at a time: a later acknowledgement says what an earlier one did
  async #tellStore(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const { ownership, delivery, fault } = this.#options;
    try {
      await Promise.resolve();
      while (delivery.acknowledged > this.#toldStore && !this.#end) {
        const answer = await ownership.write((gen) => this.#tell(gen));
        if (answer === 'ahead') delivery.lost();
        if (answer !== null) return;
        if (this.#isFull) this.#retry();
      }
    } catch (cause) {
      fault(cause);
    } finally {
      this.#isTelling = false;
    }
  }

  // what is acknowledged the store need not keep
  async #tell(gen: number): Promise<WriteRefusal | 'ahead' | null> {
    const { store, sid, delivery } = this.#options;
    const upTo = delivery.acknowledged;
    const answer = await store.ack(sid, gen, upTo);
    if (answer === null) this.#toldStore = Math.max(this.#toldStore, upTo);
    return answer;
  }

  // @returns Whether the store could be asked how far it is
  async #askTop(): Promise<boolean> {
    const { store, sid, ownership, delivery, fault } = this.#options;
    try {
      const answer = await ownership.write((gen) => store.touch(sid, gen));
      if (typeof answer === 'object') delivery.woken(answer.top);
      return true;
    } catch (cause) {
      fault(cause);
      return false;
    }
  }

  #look(): void {
    if (this.size === 0) this.#onSettled?.();
  }
}

function countOf({ first, last }: { first: number; last: number }, most: number): number {
  const count = last - first + 1;
  if (!(count >= 1 && count <= most)) throw new Error(`the store has given ${count} positions to ${most} messages`);
  return count;
}
