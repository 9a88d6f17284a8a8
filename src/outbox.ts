import { BoundedQueue, type QueueLimits } from './core/queue.ts';
import { MessageError, type ErrorCode, type ErrorDetails } from './errors.ts';
import { encodePlain, type EncodedMessage } from './protocol/codec.ts';
import { PendingReceipt, type Receipt } from './receipt.ts';
import type { Clock } from './transport/clock.ts';
import type { Transport } from './transport/transport.ts';

/** What has become of the messages given to a connection: `accepted` = `sent` + `dropped` + `waiting`, at every moment. */
export interface OutboxCounts {
  accepted: number;
  /** Handed to a socket. */
  sent: number;
  /** Accepted, and then not sent. */
  dropped: number;
  /** The same by reason. */
  droppedBy: Readonly<Partial<Record<ErrorCode, number>>>;
  waiting: number;
  waitingBytes: number;
  /** Never accepted: not encodable, no room, or no connection to wait for. */
  refused: number;
}

export interface OutboxOptions {
  clock: Clock;
  limits: () => QueueLimits;
  /** Whether a message may wait at all. */
  queueing: () => boolean;
  /** What every error of this outbox carries. */
  context: Pick<ErrorDetails, 'connectionId' | 'serviceType'>;
}

interface Waiting extends EncodedMessage {
  receipt: PendingReceipt;
}

/**
 * The way out: messages wait here until a transport is attached, and leave in order at the end of the turn in which both are
 * there. While it is closed, nothing is accepted.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queue = new BoundedQueue<Waiting>();
  #transport: Transport | undefined;
  // why nothing is accepted at present; undefined while messages may wait
  #closed: MessageErrorSource | undefined;
  #flushScheduled = false;
  // the timer of the first turn with a transport
  #trial: unknown;
  #nextId = 1;
  #accepted = 0;
  #sent = 0;
  #refused = 0;
  readonly #dropped = new Map<ErrorCode, number>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes a message. Never throws: what is refused is told by the receipt. */
  push(message: unknown): Receipt {
    const receipt: PendingReceipt = new PendingReceipt(`m${this.#nextId++}`, () => this.#cancel(waiting));
    let waiting: Waiting | undefined;
    try {
      waiting = { ...this.#admit(message), receipt };
      this.#accepted += 1;
      this.#queue.push(waiting);
      this.#schedule();
    } catch (error) {
      this.#refused += 1;
      receipt.dropped(error as MessageError);
    }
    return receipt;
  }

  /**
   * From now on messages go to this transport; the first of them a turn later. A server that accepts and closes at once has its
   * close frame read by then, and what waits is not risked on it.
   */
  attach(transport: Transport): void {
    this.#transport = transport;
    this.#trial = this.#options.clock.setTimeout(() => {
      this.#trial = undefined;
      this.flush();
    }, 0);
  }

  /** From now on messages wait. */
  detach(): void {
    this.#transport = undefined;
    this.#options.clock.clearTimeout(this.#trial);
    this.#trial = undefined;
    // what was about to leave in this turn would wait now
    if (!this.#options.queueing()) this.#dropAll('NOT_OPEN');
  }

  /** Hands everything that waits to the transport, as long as that is open. */
  flush(): void {
    for (;;) {
      // asked for anew each time: sending may be what ends it
      const transport = this.#transport;
      const waiting = transport?.isOpen && this.#queue.take();
      if (!waiting) return;
      try {
        transport.send(waiting.data);
        this.#sent += 1;
        waiting.receipt.sent();
      } catch (cause) {
        this.#drop(waiting, this.#error('SEND_FAILED', { cause }));
      }
    }
  }

  /** Accepts messages again. */
  open(): void {
    this.#closed = undefined;
  }

  /** Drops what waits, and refuses what comes, each with an error of its own. */
  close(code: ErrorCode, cause?: unknown): void {
    this.#closed = { code, cause };
    this.#dropAll(code, cause);
  }

  get counts(): OutboxCounts {
    const droppedBy = Object.fromEntries(this.#dropped);
    return {
      accepted: this.#accepted,
      sent: this.#sent,
      dropped: [...this.#dropped.values()].reduce((sum, count) => sum + count, 0),
      droppedBy,
      waiting: this.#queue.size,
      waitingBytes: this.#queue.bytes,
      refused: this.#refused,
    };
  }

  #admit(message: unknown): EncodedMessage {
    if (this.#closed) throw this.#error(this.#closed.code, { cause: this.#closed.cause });
    if (!this.#transport?.isOpen && !this.#options.queueing()) throw this.#error('NOT_OPEN');
    const encoded = this.#encode(message);
    const limits = this.#options.limits();
    if (this.#queue.fits(encoded.bytes, limits)) return encoded;
    if (!this.#transport?.isOpen) throw this.#error('QUEUE_FULL', { message: roomText(this.#queue, limits) });
    // the bounds are for what cannot leave: on an open line there is always room, at the price of an early flush
    this.flush();
    return encoded;
  }

  #encode(message: unknown): EncodedMessage {
    try {
      return encodePlain(message);
    } catch (error) {
      const { message: text, cause } = error as MessageError;
      throw this.#error('NOT_ENCODABLE', { message: text, cause });
    }
  }

  // at the end of the turn: what one turn sends leaves together, and a sender never runs inside another's flush
  #schedule(): void {
    if (this.#flushScheduled || this.#trial !== undefined || !this.#transport || this.#queue.size === 0) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  #cancel(waiting: Waiting | undefined): boolean {
    if (!waiting || !this.#queue.remove(waiting)) return false;
    this.#drop(waiting, this.#error('SEND_CANCELLED'));
    return true;
  }

  #dropAll(code: ErrorCode, cause?: unknown): void {
    for (let waiting = this.#queue.take(); waiting; waiting = this.#queue.take()) {
      this.#drop(waiting, this.#error(code, { cause }));
    }
  }

  #drop(waiting: Waiting, error: MessageError): void {
    this.#dropped.set(error.code, (this.#dropped.get(error.code) ?? 0) + 1);
    waiting.receipt.dropped(error);
  }

  #error(code: ErrorCode, details: ErrorDetails = {}): MessageError {
    return new MessageError(code, { ...this.#options.context, ...details, outcome: 'not_sent' });
  }
}

interface MessageErrorSource {
  code: ErrorCode;
  cause: unknown;
}

function roomText({ size, bytes }: BoundedQueue<Waiting>, { maxMessages, maxBytes }: QueueLimits): string {
  return `The queue of waiting messages is full: ${size} of ${maxMessages} messages, ${bytes} of ${maxBytes} bytes.`;
}
