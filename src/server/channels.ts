import { Emitter } from '../core/emitter.ts';
import { FaultError } from '../errors.ts';
import { ProtocolViolation } from '../protocol/violation.ts';
import type { Refusal } from './refusals.ts';
import { Mailbox, type HandlerOptions, type Letter, type MessageHandler, type RequestHandler } from './mailbox.ts';
import type { InboundMessage, InboundRequest, MessageOptions, Report, SessionReceipt } from './message.ts';
import type { Channel } from './surface.ts';

export interface ChannelsOptions {
  /** Channels at one time. */
  most: number;
  /** What an obedient client may still have on its way when it is told to wait. */
  window: { messages: number; bytes: number };
  send: (data: unknown, options: MessageOptions) => SessionReceipt;
  /** Tells the client to hold a channel's messages back, or to let them go. */
  hold: (name: string, isHeld: boolean) => void;
  /** Tells the client that a channel is no more. */
  shut: (name: string, why: string | undefined) => void;
  report: Report;
}

// a channel whose queue is longer than this is held back, and let go at half of it
const HOLD_AT = { messages: 256, bytes: 262_144 };
const CLOSED: Refusal = {
  code: 'CHANNEL_CLOSED',
  message: 'the channel is closed',
  temporary: false,
  outcome: 'rejected',
};
// names of channels that were closed, for messages of them that are still on their way
const MAX_CLOSED = 256;

/** The channels of one session, beside its own. */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #open = new Map<string, OpenChannel>();
  // closed lately: on which socket of the session the client was told, `null` when it knows
  readonly #closed = new Map<string, number | null>();
  #socket = 0;
  // with the authentication at present, and what has come for them
  readonly #expected = new Map<string, Letter[]>();
  readonly #listeners: Emitter<{ channel: Channel }>;

  constructor(options: ChannelsOptions) {
    this.#options = options;
    this.#listeners = new Emitter((cause) => {
      options.report(new FaultError('LISTENER_THREW', { cause }));
    });
  }

  get(name: string): Channel | undefined {
    return this.#open.get(name);
  }

  onChannel(listener: (channel: Channel) => void): () => void {
    return this.#listeners.on('channel', listener);
  }

  /** Whether the client may open another channel of this name, or has it already. */
  hasRoom(name: string): boolean {
    return this.#open.has(name) || this.#open.size < this.#options.most;
  }

  /** The client asks for a channel, and has to wait for the answer. */
  expect(name: string): void {
    if (!this.#expected.has(name)) this.#expected.set(name, []);
  }

  /** Whether the client still waits for a channel. */
  isExpected(name: string): boolean {
    return this.#expected.has(name);
  }

  /** The client opens a channel. For one that is open it says nothing new. */
  open(name: string, service: string): void {
    if (this.#open.has(name)) return;
    // it may be that the client was told on a socket that died of it, and so never knew
    const toldOn = this.#closed.get(name) ?? this.#socket;
    if (toldOn < this.#socket) return this.refuse(name, 'closed');
    if (!this.hasRoom(name)) return this.refuse(name, 'too many channels');
    if (!this.#listeners.has('channel')) return this.refuse(name, 'no such service');
    this.#closed.delete(name);
    const channel = new OpenChannel({ name, service }, this.#options, (why) => {
      this.#drop(name, this.#socket);
      this.#options.shut(name, why);
    });
    this.#open.set(name, channel);
    const arrived = this.#arrived(name);
    // first all its handlers, then what they are for: a request must not be taken for a message because it was early
    this.#listeners.emit('channel', channel);
    for (const letter of arrived) this.put(name, letter);
  }

  /** The client may not have a channel. */
  refuse(name: string, why: string): void {
    this.#remember(name, null);
    this.#options.shut(name, why);
    for (const letter of this.#arrived(name)) letter.refuse(CLOSED);
  }

  /** The client has ended a channel; it is told that it is known. */
  shut(name: string): void {
    const channel = this.#open.get(name);
    for (const letter of this.#arrived(name)) letter.refuse(CLOSED);
    this.#drop(name, null);
    channel?.ended();
    this.#options.shut(name, undefined);
  }

  /**
   * A message of a channel came. It is accepted once it is in the channel's queue, and refused when the channel is closed.
   *
   * @throws {ProtocolViolation} When there never was such a channel, or when it was held back and went on.
   */
  put(name: string, letter: Letter): void {
    const channel = this.#open.get(name);
    const expected = this.#expected.get(name);
    if (channel) {
      letter.accept();
      channel.put({ ...letter, accept: () => undefined, refuse: () => undefined });
    } else if (expected) {
      expected.push(letter);
    } else if (this.#closed.has(name)) {
      letter.refuse(CLOSED);
    } else {
      throw new ProtocolViolation('a message of a channel that was never opened');
    }
  }

  putVolatile(name: string, message: InboundMessage): void {
    this.#open.get(name)?.mailbox.putVolatile(message);
  }

  /** A new socket: the client hears anew of what it may have missed. */
  attached(): void {
    this.#socket += 1;
    for (const [name, channel] of this.#open) if (channel.isHeld) this.#options.hold(name, true);
  }

  end(): void {
    for (const channel of this.#open.values()) channel.ended();
    this.#open.clear();
    this.#listeners.clear();
  }

  #arrived(name: string): Letter[] {
    const letters = this.#expected.get(name) ?? [];
    this.#expected.delete(name);
    return letters;
  }

  #drop(name: string, toldOn: number | null): void {
    this.#open.delete(name);
    this.#remember(name, toldOn);
  }

  #remember(name: string, toldOn: number | null): void {
    this.#closed.delete(name);
    this.#closed.set(name, toldOn);
    for (const oldest of this.#closed.keys()) {
      if (this.#closed.size <= MAX_CLOSED) return;
      this.#closed.delete(oldest);
    }
  }
}

class OpenChannel implements Channel {
  readonly name: string;
  readonly service: string;
  readonly mailbox: Mailbox;
  isOpen = true;
  /** Whether the client was told to wait. */
  isHeld = false;
  readonly #options: ChannelsOptions;
  readonly #shut: (why: string | undefined) => void;
  readonly #listeners: Emitter<{ closed: undefined }>;

  constructor(
    { name, service }: { name: string; service: string },
    options: ChannelsOptions,
    shut: (why: string | undefined) => void,
  ) {
    this.name = name;
    this.service = service;
    this.#options = options;
    this.#shut = shut;
    this.mailbox = new Mailbox(options.report, () => {
      this.#measure();
    });
    this.#listeners = new Emitter((cause) => {
      options.report(new FaultError('LISTENER_THREW', { cause }));
    });
  }

  send(data: unknown, options: MessageOptions = {}): SessionReceipt {
    return this.#options.send(data, { ...options, channel: this.name });
  }

  onMessage(handler: MessageHandler, options?: HandlerOptions): () => void {
    return this.mailbox.onMessage(handler, options);
  }

  onRequest(handler: RequestHandler, options?: HandlerOptions): () => void {
    return this.mailbox.onRequest(handler, options);
  }

  [Symbol.asyncIterator](): AsyncIterator<InboundMessage | InboundRequest> {
    return this.mailbox[Symbol.asyncIterator]();
  }

  onClosed(listener: () => void): () => void {
    return this.#listeners.on('closed', listener);
  }

  close(why?: string): void {
    if (!this.isOpen) return;
    this.ended();
    this.#shut(why);
  }

  ended(): void {
    this.isOpen = false;
    this.mailbox.end();
    this.#listeners.emit('closed', undefined);
    this.#listeners.clear();
  }

  /** @throws {ProtocolViolation} When the client was told to wait and sends more than was on its way. */
  put(letter: Letter): void {
    this.mailbox.put(letter);
    this.#measure();
    const { window } = this.#options;
    const { size, bytes } = this.mailbox;
    if (size > HOLD_AT.messages + window.messages || bytes > HOLD_AT.bytes + window.bytes)
      throw new ProtocolViolation('a channel that is held back goes on');
  }

  #measure(): void {
    const { size, bytes } = this.mailbox;
    const isFull = size >= HOLD_AT.messages || bytes >= HOLD_AT.bytes;
    const isHalf = size <= HOLD_AT.messages / 2 && bytes <= HOLD_AT.bytes / 2;
    if (this.isHeld ? !isHalf : !isFull) return;
    this.isHeld = !this.isHeld;
    if (this.isOpen) this.#options.hold(this.name, this.isHeld);
  }
}
