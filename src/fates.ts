import { MessageError, type ErrorCode, type ErrorDetails } from './errors.ts';
import type { OutboundMessage } from './message.ts';
import type { Fate } from './receipt.ts';

/**
 * What has become of the messages given to a connection: `accepted` = `sent` + `acknowledged` + `dropped` + `unknown` +
 * `waiting`, at every moment.
 */
export interface OutboxCounts {
  accepted: number;
  /** Left through a socket, on a plain wire. */
  sent: number;
  /** Accepted by the peer's application, on `holdfast.v1`; or replied to before a socket took it with it. */
  acknowledged: number;
  /** Accepted, and then not sent; or refused by the peer. */
  dropped: number;
  /** The same by reason. */
  droppedBy: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Held by a socket when it died, or by a session when it was lost, or refused by a peer that may have acted on them. */
  unknown: number;
  /** In the queue, in the socket's buffer, or not acknowledged yet. */
  waiting: number;
  waitingBytes: number;
  /** Never accepted: not encodable, no room, or no connection to wait for. */
  refused: number;
}

/** What waits to be sent. */
export interface OutboxLoad extends Pick<OutboxCounts, 'waiting' | 'waitingBytes'> {
  /** When the oldest of those that no socket has was sent, in ms on the monotonic clock; `null` when there is none. */
  oldestAt: number | null;
}

/** A fate that nothing follows; `refused` was never accepted. */
export type FinalFate = Exclude<Fate, 'waiting' | 'handed'> | 'refused';

export interface FatesOptions {
  /** Hears of each message that was not sent or may not have been, refused ones included. */
  undelivered: (id: string, error: MessageError) => void;
  /** Hears of each fate that counts, and of refused messages, while the message still has its data. */
  fated: (message: OutboundMessage, fate: FinalFate, error?: MessageError) => void;
  /** Hears of each fate but an acknowledgement, after everybody else. */
  settled: () => void;
  /** What every error carries. */
  context: Pick<ErrorDetails, 'connectionId' | 'serviceType'>;
}

/** What becomes of messages: counted, and told to each message and to whoever listens. */
export class Fates {
  readonly #options: FatesOptions;
  #accepted = 0;
  #sent = 0;
  #acknowledged = 0;
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
    this.#options.fated(message, 'refused', error);
    this.#end(message, 'dropped', error);
    return message;
  }

  sent(message: OutboundMessage): void {
    this.#sent += 1;
    this.#options.fated(message, 'sent');
    message.ended('sent');
    this.#options.settled();
  }

  /** One of many, as a rule: whoever tells of them looks once at what is settled then. */
  acknowledged(message: OutboundMessage): void {
    this.#acknowledged += 1;
    this.#options.fated(message, 'acknowledged');
    message.ended('acknowledged');
  }

  /** The peer has it, and will not act on it; or does not say whether it has. */
  rejected(message: OutboundMessage, error: MessageError): void {
    if (error.outcome === 'unknown') this.#doubt(message, error);
    else this.#drop(message, error);
  }

  dropped(message: OutboundMessage, code: ErrorCode, details: Pick<ErrorDetails, 'message' | 'cause'> = {}): void {
    const error = this.error(code, details);
    // it may have left before: nobody can say any more that it was not sent
    if (message.isInDoubt) this.lost(message, error);
    else this.#drop(message, error);
  }

  /** What held it is gone: nobody knows what became of it, unless the peer has replied to it. `cause`: why it was not sent again. */
  lost(message: OutboundMessage, cause?: MessageError): void {
    if (!message.isAnswered) return this.#doubt(message, this.error('OUTCOME_UNKNOWN', { cause }));
    this.acknowledged(message);
    this.#options.settled();
  }

  error(code: ErrorCode, details: ErrorDetails = {}): MessageError {
    const outcome = code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'not_sent';
    return new MessageError(code, { ...this.#options.context, ...details, outcome });
  }

  /** The counts, with what still waits. */
  counts({ waiting, waitingBytes }: OutboxLoad): OutboxCounts {
    return {
      accepted: this.#accepted,
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      dropped: [...this.#dropped.values()].reduce((sum, count) => sum + count, 0),
      droppedBy: Object.fromEntries(this.#dropped),
      unknown: this.#unknown,
      waiting,
      waitingBytes,
      refused: this.#refused,
    };
  }

  #doubt(message: OutboundMessage, error: MessageError): void {
    this.#unknown += 1;
    this.#tell(message, 'unknown', error);
  }

  #drop(message: OutboundMessage, error: MessageError): void {
    this.#dropped.set(error.code, (this.#dropped.get(error.code) ?? 0) + 1);
    this.#tell(message, 'dropped', error);
  }

  #tell(message: OutboundMessage, fate: 'dropped' | 'unknown', error: MessageError): void {
    this.#options.fated(message, fate, error);
    this.#end(message, fate, error);
  }

  #end(message: OutboundMessage, fate: 'dropped' | 'unknown', error: MessageError): void {
    message.ended(fate, error);
    this.#options.undelivered(message.id, error);
    this.#options.settled();
  }
}
