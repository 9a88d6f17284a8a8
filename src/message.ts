import type { Priority, Queueable } from './core/queue.ts';
import type { MessageError } from './errors.ts';
import { quiet } from './core/isolation.ts';
import type { EncodedMessage } from './protocol/codec.ts';
import type { Fate, Receipt, SendOptions, SendOutcome } from './receipt.ts';

/** What its outbox gives a message. */
export interface MessageOrigin {
  number: number;
  /** Epoch ms. */
  now: number;
  cancel: (message: OutboundMessage) => boolean;
}

/** A message that waits, as it may be looked at. */
export interface WaitingMessage {
  id: string;
  priority: Priority;
  /** As encoded. */
  bytes: number;
  /** Epoch ms; `null` for none. */
  expiresAt: number | null;
  coalesceKey: string | null;
}

/** A message on its way out, and its own receipt: one object for both, and no promise unless it is asked for. */
export class OutboundMessage implements Queueable<OutboundMessage>, Receipt {
  // the queue's
  previous: OutboundMessage | null = null;
  next: OutboundMessage | null = null;
  readonly priority: Priority;
  readonly bytes: number;
  /** Epoch ms; Infinity for none. */
  readonly expiresAt: number;
  readonly coalesceKey: string | undefined;
  /** Whether the peer would recognise it, were it sent twice. */
  readonly isKeyed: boolean;
  readonly #number: number;
  readonly #cancel: (message: OutboundMessage) => boolean;
  #data: EncodedMessage['data'];
  #fate: Fate = 'waiting';
  #isInDoubt = false;
  #error: MessageError | undefined;
  #promise: Promise<SendOutcome> | undefined;
  // present from the moment the promise is asked for until the fate is final
  #settle: { resolve: (outcome: SendOutcome) => void; reject: (error: MessageError) => void } | undefined;
  #onSettled: (() => void) | undefined;

  constructor({ data, bytes }: EncodedMessage, options: SendOptions, { number, now, cancel }: MessageOrigin) {
    this.#data = data;
    this.bytes = bytes;
    this.priority = options.priority ?? 'normal';
    this.expiresAt = options.ttlMs === undefined ? Infinity : now + options.ttlMs;
    this.coalesceKey = options.coalesceKey;
    this.isKeyed = options.idempotencyKey !== undefined;
    this.#number = number;
    this.#cancel = cancel;
  }

  get id(): string {
    return `m${this.#number}`;
  }

  get fate(): Fate {
    return this.#fate;
  }

  /** What travels; empty once its fate is final. */
  get data(): EncodedMessage['data'] {
    return this.#data;
  }

  get settled(): Promise<SendOutcome> {
    this.#promise ??= quiet(
      new Promise((resolve, reject) => {
        this.#settle = { resolve, reject };
        this.#tell();
      }),
    );
    return this.#promise;
  }

  cancel(): boolean {
    return this.#cancel(this);
  }

  /** Calls back once its fate is final. One at a time. */
  whenSettled(callback: () => void): void {
    this.#onSettled = callback;
  }

  /** Whether a socket died with it before: it may have left then, whatever becomes of it now. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** It is in a socket's buffer; or in a queue again, for that socket has died. */
  moved(to: 'waiting' | 'handed'): void {
    this.#fate = to;
    if (to === 'waiting') this.#isInDoubt = true;
  }

  /** Its fate is final. The first is the only one. */
  ended(fate: 'sent' | 'dropped' | 'unknown', error?: MessageError): void {
    if (this.#fate !== 'waiting' && this.#fate !== 'handed') return;
    this.#fate = fate;
    this.#error = error;
    // a receipt may be kept for long; the payload need not be
    this.#data = '';
    this.#tell();
    this.#onSettled?.();
    this.#onSettled = undefined;
  }

  #tell(): void {
    if (this.#fate === 'sent') this.#settle?.resolve({ outcome: 'sent', id: this.id });
    else if (this.#error) this.#settle?.reject(this.#error);
  }
}

/** A message as it may be looked at. */
export function shown({ id, priority, bytes, expiresAt, coalesceKey }: OutboundMessage): WaitingMessage {
  return {
    id,
    priority,
    bytes,
    expiresAt: expiresAt === Infinity ? null : expiresAt,
    coalesceKey: coalesceKey ?? null,
  };
}
