import { LaneQueue, type Priority, type QueueLimits } from './core/queue.ts';
import type { ErrorCode } from './errors.ts';
import { Expiry } from './expiry.ts';
import type { OutboundMessage } from './message.ts';
import type { Clock } from './transport/clock.ts';

/** What happens to a message for which the queue has no room; the service's option says what each means. */
export const OVERFLOW_POLICIES = ['reject', 'drop-oldest', 'drop-lowest', 'wait'] as const;
/** What happens to a message for which the queue has no room: see the option `queue.overflow`. */
export type OverflowPolicy = (typeof OVERFLOW_POLICIES)[number];

export interface BacklogLimits extends QueueLimits {
  overflow: OverflowPolicy;
}

export interface OutboxLimits extends BacklogLimits {
  /** The largest message that may leave. */
  maxMessageBytes: number;
  /** From this much in the socket's buffer on, nothing is added to it, until it has fallen to `lowWaterBytes`. */
  highWaterBytes: number;
  lowWaterBytes: number;
  /** How much leaves in one write, at the most. */
  maxBatchMessages: number;
  maxBatchBytes: number;
  /** A fixed wait before each flush, in ms; 0 for none. */
  lingerMs: number;
}

/** Bounds of the outbox when nothing else is said. */
export const DEFAULT_QUEUE: OutboxLimits = {
  maxMessages: 1_000,
  maxBytes: 1_048_576,
  overflow: 'reject',
  maxMessageBytes: Infinity,
  highWaterBytes: 524_288,
  lowWaterBytes: 131_072,
  maxBatchMessages: 256,
  maxBatchBytes: 65_536,
  lingerMs: 0,
};

export interface BacklogOptions {
  clock: Clock;
  limits: () => BacklogLimits;
  /** Counts what is taken; what was put back and is taken again counts again. */
  taken: { messages: number };
  /** A message left the backlog without being taken. */
  dropped: (message: OutboundMessage, code: ErrorCode, cause?: unknown) => void;
  /** There was no room, for the first time since half of it was free. */
  overflowed: () => void;
}

/** The messages that wait: in lanes, bounded, each for no longer than it may. */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #queue = new LaneQueue<OutboundMessage>();
  // what the `wait` policy keeps outside the full queue, in order of arrival, and its bytes
  readonly #outside = new Set<OutboundMessage>();
  #outsideBytes = 0;
  // the waiting message of each coalesce key
  readonly #byKey = new Map<string, OutboundMessage>();
  readonly #expiry: Expiry<OutboundMessage>;
  #isOverflowing = false;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#expiry = new Expiry({
      clock: options.clock,
      // by the wall: nobody wants a message that a machine has slept over
      now: () => options.clock.now(),
      waiting: () => this,
      expire: (message) => {
        this.withdraw(message, 'EXPIRED');
      },
    });
  }

  /** How many wait. */
  get size(): number {
    return this.#queue.size + this.#outside.size;
  }

  get bytes(): number {
    return this.#queue.bytes + this.#outsideBytes;
  }

  /** When the oldest of those that wait was sent, in ms on the monotonic clock; `null` when none waits. */
  get oldestAt(): number | null {
    const [outside] = this.#outside;
    const first = [...this.#queue.heads(), ...(outside ? [outside] : [])];
    return first.length === 0 ? null : Math.min(...first.map(({ since }) => since));
  }

  /** How full it is, in words. */
  get fullness(): string {
    const { maxMessages, maxBytes } = this.#options.limits();
    return `The queue is full: ${this.size} of ${maxMessages} messages, ${this.bytes} of ${maxBytes} bytes.`;
  }

  /** Everything that waits, in the order of lanes. */
  *[Symbol.iterator](): Iterator<OutboundMessage> {
    yield* this.#queue;
    yield* this.#outside;
  }

  /**
   * Lets a message wait, if there is or can be made room for it. `makeWay` sends what can be sent, and says whether the line
   * takes messages at all: the bounds are for what cannot leave.
   */
  place(message: OutboundMessage, makeWay: () => boolean): boolean {
    const { coalesceKey: key } = message;
    const older = key === undefined ? undefined : this.#byKey.get(key);
    if (older && this.#replace(older, message)) return true;
    const limits = this.#options.limits();
    // who comes later does not overtake those outside
    if (this.#outside.size === 0 && this.#hasRoom(message, makeWay)) this.#queue.push(message);
    else if (limits.overflow === 'wait' && this.#canLinger(message, limits)) this.#linger(message);
    else return false;
    this.#note(message);
    // only now: had there been no room, the older would have been the newest there is
    if (older) this.withdraw(older, 'SUPERSEDED');
    return true;
  }

  /** The next message, left where it is; what has waited too long is dropped on the way. */
  peek(): OutboundMessage | undefined {
    for (;;) {
      const message = this.#queue.peek();
      if (!message || !this.#expiry.isOver(message)) return message;
      this.withdraw(message, 'EXPIRED');
    }
  }

  /** The next message, removed; of one lane only, when it is named. */
  take(only?: Priority): OutboundMessage | undefined {
    for (;;) {
      const message = this.#queue.take(only);
      if (!message) return undefined;
      this.#forget(message);
      if (!this.#expiry.isOver(message)) {
        this.#options.taken.messages += 1;
        return message;
      }
      this.#options.dropped(message, 'EXPIRED');
    }
  }

  /** Puts back at the head of its lane what was taken and not sent. It had its room before: the bounds are not asked. */
  restore(message: OutboundMessage): void {
    message.moved('waiting');
    this.#queue.unshift(message);
    this.#note(message);
  }

  /** Drops a message. @returns Whether it was still waiting here. */
  withdraw(message: OutboundMessage, code: ErrorCode, cause?: unknown): boolean {
    const wasWaiting = this.#drop(message, code, cause);
    if (wasWaiting) this.admit();
    return wasWaiting;
  }

  /** Drops everything. */
  clear(code: ErrorCode, cause?: unknown): void {
    for (const message of [...this]) this.#drop(message, code, cause);
    this.#isOverflowing = false;
  }

  /** Lets in from outside what has room now. */
  admit(): void {
    const limits = this.#options.limits();
    const isHalfFree = this.#queue.size * 2 <= limits.maxMessages && this.#queue.bytes * 2 <= limits.maxBytes;
    if (isHalfFree) this.#isOverflowing = false;
    for (const message of this.#outside) {
      if (!this.#queue.fits(message.bytes, limits)) return;
      this.#leaveOutside(message);
      this.#queue.push(message);
    }
  }

  // the newer takes the older's place, if it is of the same lane and there is room for it
  #replace(older: OutboundMessage, message: OutboundMessage): boolean {
    const fits = this.#queue.bytes - older.bytes + message.bytes <= this.#options.limits().maxBytes;
    if (older.priority !== message.priority || this.#outside.has(older) || !fits) return false;
    this.#queue.replace(older, message);
    this.#note(message);
    this.#options.dropped(older, 'SUPERSEDED');
    return true;
  }

  #hasRoom(message: OutboundMessage, makeWay: () => boolean): boolean {
    const limits = this.#options.limits();
    if (this.#queue.fits(message.bytes, limits)) return true;
    if (makeWay() && (this.#queue.fits(message.bytes, limits) || this.#queue.size === 0)) return true;
    this.#overflow();
    if (limits.overflow !== 'drop-oldest' && limits.overflow !== 'drop-lowest') return false;
    const by = limits.overflow === 'drop-oldest' ? 'oldest' : 'lowest';
    const victims = this.#queue.victims(message, by, limits);
    // the room is for the message that comes: nobody else is let in, and the queue is as full as before
    for (const victim of victims ?? []) this.#drop(victim, 'DROPPED_FOR_ROOM');
    return victims !== null;
  }

  // those outside are bounded as those inside are
  #canLinger({ bytes }: OutboundMessage, { maxMessages, maxBytes }: QueueLimits): boolean {
    return bytes <= maxBytes && this.#outside.size < maxMessages && this.#outsideBytes + bytes <= maxBytes;
  }

  #overflow(): void {
    if (this.#isOverflowing) return;
    this.#isOverflowing = true;
    this.#options.overflowed();
  }

  #linger(message: OutboundMessage): void {
    this.#outside.add(message);
    this.#outsideBytes += message.bytes;
  }

  #leaveOutside(message: OutboundMessage): boolean {
    const wasOutside = this.#outside.delete(message);
    if (wasOutside) this.#outsideBytes -= message.bytes;
    return wasOutside;
  }

  #drop(message: OutboundMessage, code: ErrorCode, cause?: unknown): boolean {
    if (message.fate !== 'waiting') return false;
    if (!this.#leaveOutside(message)) this.#queue.remove(message);
    this.#forget(message);
    this.#options.dropped(message, code, cause);
    return true;
  }

  #note(message: OutboundMessage): void {
    if (message.coalesceKey !== undefined) this.#byKey.set(message.coalesceKey, message);
    if (message.expiresAt !== Infinity) this.#expiry.watch(message);
  }

  #forget(message: OutboundMessage): void {
    const { coalesceKey: key } = message;
    // a message that was put back may have been followed by a newer one of its key
    if (key !== undefined && this.#byKey.get(key) === message) this.#byKey.delete(key);
    if (this.size === 0) this.#expiry.stop();
  }
}
