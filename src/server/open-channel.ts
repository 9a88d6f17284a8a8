import { FaultError } from '../errors.ts';
import { ProtocolViolation } from '../protocol/violation.ts';
import { Listeners } from './listeners.ts';
import { Mailbox, type Letter, type MessageHandler, type RequestHandler } from './mailbox.ts';
import type { InboundMessage, InboundRequest, MessageOptions, Report, SessionReceipt } from './message.ts';
import type { ServerLimits } from './options.ts';
import { closedListening } from './schema.ts';
import type { Channel } from './surface.ts';

export interface OpenChannelOptions {
  name: string;
  service: string;
  limits: Pick<ServerLimits, 'windowMessages' | 'windowBytes' | 'frameBytes'>;
  report: Report;
  send: (data: unknown, options: MessageOptions) => SessionReceipt;
  /** Tells the client to hold its messages back, or to let them go. */
  hold: (isHeld: boolean) => void;
  /** The application has ended it. */
  left: (why: string | undefined) => void;
  /** It has ended, and nothing is left in its queue. */
  ranOut: () => void;
}

// a channel whose queue is longer than this is held back, and let go at half of it
const HOLD_AT = { messages: 256, bytes: 262_144 };
// a message counts its share of the frame that it came in, which may be more than a window counts
const OVERHEAD = 4;

/** A channel as the application has it: what was accepted for it waits in its queue, also after its end. */
export class OpenChannel implements Channel {
  readonly #options: OpenChannelOptions;
  readonly #mailbox: Mailbox;
  readonly #listeners: Listeners<{ closed: undefined }>;
  #isOpen = true;
  #isHeld = false;

  constructor(options: OpenChannelOptions) {
    this.#options = options;
    this.#mailbox = new Mailbox(options.report, () => {
      this.#measure();
    });
    this.#listeners = new Listeners(closedListening, (cause) => {
      options.report(new FaultError('LISTENER_THREW', { cause }));
    });
  }

  get name(): string {
    return this.#options.name;
  }

  get service(): string {
    return this.#options.service;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the client was told to wait. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Messages that nobody has taken yet. */
  get size(): number {
    return this.#mailbox.size;
  }

  send(data: unknown, options: MessageOptions = {}): SessionReceipt {
    return this.#options.send(data, Object.assign({}, options, { channel: this.name }));
  }

  onMessage(handler: MessageHandler): () => void {
    return this.#mailbox.onMessage(handler);
  }

  onRequest(handler: RequestHandler): () => void {
    return this.#mailbox.onRequest(handler);
  }

  [Symbol.asyncIterator](): AsyncIterator<InboundMessage | InboundRequest> {
    return this.#mailbox[Symbol.asyncIterator]();
  }

  onClosed(listener: () => void): () => void {
    return this.#listeners.on('closed', listener);
  }

  close(why?: string): void {
    const { isOpen } = this;
    this.ended();
    this.forget();
    if (isOpen) this.#options.left(why);
  }

  /** Nothing comes or goes any more. What is in its queue is handed over all the same: the client was told that it is accepted. */
  ended(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#mailbox.close();
    this.#listeners.emit('closed', undefined);
    this.#listeners.clear();
  }

  /** Nobody wants what is in its queue. */
  forget(): void {
    this.#mailbox.end();
  }

  /** @throws {ProtocolViolation} When the client was told to wait and sends more than was on its way. */
  put(letter: Letter): void {
    letter.accept();
    this.#mailbox.put({ ...letter, accept: () => undefined, refuse: () => undefined });
    this.#measure();
    const { windowMessages, windowBytes, frameBytes } = this.#options.limits;
    const { size, bytes } = this.#mailbox;
    if (size > HOLD_AT.messages + windowMessages || bytes > HOLD_AT.bytes + windowBytes * OVERHEAD + frameBytes)
      throw new ProtocolViolation('a channel that is held back goes on');
  }

  putVolatile(message: InboundMessage): void {
    this.#mailbox.putVolatile(message);
  }

  #measure(): void {
    const { size, bytes } = this.#mailbox;
    if (!this.#isOpen) {
      if (size === 0) this.#options.ranOut();
      return;
    }
    const isFull = size >= HOLD_AT.messages || bytes >= HOLD_AT.bytes;
    const isHalf = size <= HOLD_AT.messages / 2 && bytes <= HOLD_AT.bytes / 2;
    if (this.#isHeld ? !isHalf : !isFull) return;
    this.#isHeld = !this.#isHeld;
    this.#options.hold(this.#isHeld);
  }
}
