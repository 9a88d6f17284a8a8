import type { Priority, Queueable } from './core/queue.ts';
import type { ErrorCode, MessageError } from './errors.ts';
import { quiet } from './core/isolation.ts';
import { utf8Bytes, type EncodedMessage } from './protocol/codec.ts';
import type { WireMeta } from './protocol/frames.ts';
import type { Fate, Receipt, SendOptions, SendOutcome } from './receipt.ts';

/** What its outbox gives a message. */
export interface MessageOrigin {
  number: number;
  /** Epoch ms. */
  now: number;
  /** In ms on the monotonic clock. @default unknown */
  since?: number;
  cancel: (message: OutboundMessage) => boolean;
  /** What is to travel beside the options' own, on a wire that has a place for it. */
  meta?: Pick<WireMeta, 'r' | 're'> | undefined;
  /** It is of the wire, not of the application: nobody is told what becomes of it. */
  isGreeting?: boolean;
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
  /** When it was sent, in ms on the monotonic clock; 0 where nobody wants to know. */
  readonly since: number;
  /** What `data` is. */
  readonly form: EncodedMessage['form'];
  /** What travels with it, on a wire that has a place for it. */
  readonly meta: WireMeta | undefined;
  /** Whether the peer would recognise it, were it sent twice. */
  readonly isKeyed: boolean;
  readonly isVolatile: boolean;
  /** What a profile says first in a session: it has no receipt, and no fate that counts. */
  readonly isGreeting: boolean;
  /** The channel of a shared session that it leaves by; given when it is handed over. */
  channel: string | undefined;
  readonly #number: number;
  readonly #cancel: (message: OutboundMessage) => boolean;
  #data: EncodedMessage['data'];
  #fate: Fate = 'waiting';
  #metaText: string | undefined;
  #isInDoubt = false;
  #isAnswered = false;
  #error: MessageError | undefined;
  #promise: Promise<SendOutcome> | undefined;
  // present from the moment the promise is asked for until the fate is final
  #settle: { resolve: (outcome: SendOutcome) => void; reject: (error: MessageError) => void } | undefined;
  #onSettled: (() => void) | undefined;

  constructor({ data, bytes, form }: EncodedMessage, options: SendOptions, origin: MessageOrigin) {
    const { number, now, cancel } = origin;
    this.#data = data;
    this.bytes = bytes;
    this.form = form;
    this.meta = metaOf(options, origin.meta);
    this.priority = options.priority ?? 'normal';
    this.expiresAt = options.ttlMs === undefined ? Infinity : now + options.ttlMs;
    this.coalesceKey = options.coalesceKey;
    this.since = origin.since ?? 0;
    this.isKeyed = options.idempotencyKey !== undefined;
    this.isVolatile = options.volatile === true;
    this.isGreeting = origin.isGreeting === true;
    this.#number = number;
    this.#cancel = cancel;
  }

  static greeting(encoded: EncodedMessage, number: number): OutboundMessage {
    return new OutboundMessage(encoded, {}, { number, now: 0, cancel: () => false, isGreeting: true });
  }

  get id(): string {
    return `m${this.#number}`;
  }

  /** What travels with it as JSON text, made when it is first asked for. */
  get metaText(): string | undefined {
    return this.meta && (this.#metaText ??= JSON.stringify(this.meta));
  }

  /** Bytes of that. */
  get metaBytes(): number {
    return this.meta ? utf8Bytes(this.metaText ?? '') : 0;
  }

  /** Why it was not sent, or may not have been. */
  get error(): MessageError | undefined {
    return this.#error;
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

  /** Calls back once its fate is final, which it may be already. One at a time. */
  whenSettled(callback: () => void): void {
    if (this.isOver) callback();
    else this.#onSettled = callback;
  }

  /** Whether a socket died with it before: it may have left then, whatever becomes of it now. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** Whether the peer has replied to it: then it has had it, whatever becomes of the acknowledgement. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  answered(): void {
    this.#isAnswered = true;
  }

  /** Whether its fate is final. */
  get isOver(): boolean {
    return this.#fate !== 'waiting' && this.#fate !== 'handed';
  }

  /** It is in a socket's buffer; or in a queue again, for that socket has died. */
  moved(to: 'waiting' | 'handed'): void {
    this.#fate = to;
    if (to === 'waiting') this.#isInDoubt = true;
  }

  /** Its fate is final. The first is the only one. */
  ended(fate: 'sent' | 'acknowledged' | 'dropped' | 'unknown', error?: MessageError): void {
    if (this.isOver) return;
    this.#fate = fate;
    this.#error = error;
    // a receipt may be kept for long; the payload need not be
    this.#data = '';
    this.#tell();
    this.#onSettled?.();
    this.#onSettled = undefined;
  }

  #tell(): void {
    if (this.#fate === 'sent' || this.#fate === 'acknowledged')
      this.#settle?.resolve({ outcome: this.#fate, id: this.id });
    else if (this.#error) this.#settle?.reject(this.#error);
  }
}

/** Takes a message back when the signal is aborted, for as long as it has no fate. */
export function cancelOnAbort(
  message: OutboundMessage,
  signal: AbortSignal | undefined,
  withdraw: (message: OutboundMessage, code: ErrorCode, cause: unknown) => void,
): void {
  if (!signal) return;
  const onAbort = (): void => {
    withdraw(message, 'SEND_ABORTED', signal.reason);
  };
  signal.addEventListener('abort', onAbort);
  message.whenSettled(() => {
    signal.removeEventListener('abort', onAbort);
  });
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

function metaOf(
  { idempotencyKey: k, type: n, headers: h }: SendOptions,
  meta: MessageOrigin['meta'],
): WireMeta | undefined {
  // most have nothing with them, and are not to pay for the others
  if (k === undefined && n === undefined && h === undefined) return meta;
  const whole: WireMeta = {};
  if (k !== undefined) whole.k = k;
  if (n !== undefined) whole.n = n;
  if (h) whole.h = { ...h };
  return Object.assign(whole, meta);
}
