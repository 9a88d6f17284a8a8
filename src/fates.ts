import { MessageError, type ErrorCode, type ErrorDetails } from './errors.ts';
import type { OutboundMessage } from './message.ts';

/**
 * What has become of the messages given to a connection: `accepted` = `sent` + `dropped` + `unknown` + `waiting`, at every
 * moment.
 */
export interface OutboxCounts {
  accepted: number;
  /** Left through a socket. */
  sent: number;
  /** Accepted, and then not sent. */
  dropped: number;
  /** The same by reason. */
  droppedBy: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Held by a socket when it died: they may or may not have reached the peer. */
  unknown: number;
  /** In the queue, or in the socket's buffer. */
  waiting: number;
  waitingBytes: number;
  /** Never accepted: not encodable, no room, or no connection to wait for. */
  refused: number;
}

export interface FatesOptions {
  /** Hears of each message that was not sent or may not have been, refused ones included. */
  undelivered: (id: string, error: MessageError) => void;
  /** Hears of each fate, after everybody else. */
  settled: () => void;
  /** What every error carries. */
  context: Pick<ErrorDetails, 'connectionId' | 'serviceType'>;
}

/** What becomes of messages: counted, and told to each message and to whoever listens. */
export class Fates {
  readonly #options: FatesOptions;
  #accepted = 0;
  #sent = 0;
  #unknown = 0;
  #refused = 0;
  readonly #dropped = new Map<ErrorCode, number>();

  constructor(options: FatesOptions) {
    this.#options = options;
  }

  accepted(): void {
    this.#accepted += 1;
  }

  refused(message: OutboundMessage, error: MessageError): OutboundMessage {
    this.#refused += 1;
    this.#tell(message, 'dropped', error);
    return message;
  }

  sent(message: OutboundMessage): void {
    this.#sent += 1;
    message.ended('sent');
    this.#options.settled();
  }

  dropped(message: OutboundMessage, code: ErrorCode, cause?: unknown): void {
    // it may have left before: nobody can say any more that it was not sent
    if (message.isInDoubt) return this.lost(message, this.error(code, { cause }));
    this.#dropped.set(code, (this.#dropped.get(code) ?? 0) + 1);
    this.#tell(message, 'dropped', this.error(code, { cause }));
  }

  /** `cause`: why it was not sent again. */
  lost(message: OutboundMessage, cause?: MessageError): void {
    this.#unknown += 1;
    this.#tell(message, 'unknown', this.error('OUTCOME_UNKNOWN', { cause }));
  }

  error(code: ErrorCode, details: ErrorDetails = {}): MessageError {
    const outcome = code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'not_sent';
    return new MessageError(code, { ...this.#options.context, ...details, outcome });
  }

  /** The counts, with what still waits. */
  counts(waiting: Pick<OutboxCounts, 'waiting' | 'waitingBytes'>): OutboxCounts {
    return {
      accepted: this.#accepted,
      sent: this.#sent,
      dropped: [...this.#dropped.values()].reduce((sum, count) => sum + count, 0),
      droppedBy: Object.fromEntries(this.#dropped),
      unknown: this.#unknown,
      ...waiting,
      refused: this.#refused,
    };
  }

  #tell(message: OutboundMessage, fate: 'dropped' | 'unknown', error: MessageError): void {
    message.ended(fate, error);
    this.#options.undelivered(message.id, error);
    this.#options.settled();
  }
}
