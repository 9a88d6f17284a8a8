import { FaultError, MessageError } from '../errors.ts';
import type { ServerFrame } from '../protocol/frames.ts';
import { ProtocolViolation } from '../protocol/violation.ts';
import { Listeners } from './listeners.ts';
import type { Letter } from './mailbox.ts';
import type { InboundMessage, MessageOptions, Report, SessionReceipt } from './message.ts';
import { OpenChannel } from './open-channel.ts';
import type { ServerLimits } from './options.ts';
import type { Outflow } from './outflow.ts';
import type { Refusal } from './refusals.ts';
import { channelListening } from './schema.ts';
import type { Channel } from './surface.ts';

export interface ChannelsOptions {
  limits: Pick<ServerLimits, 'channelsPerSession' | 'windowMessages' | 'windowBytes' | 'frameBytes'>;
  outflow: Pick<Outflow, 'drop' | 'unsettled'>;
  send: (data: unknown, options: MessageOptions) => SessionReceipt;
  /** Sends a frame to the client, when there is a socket to send it by. */
  tell: (frame: ServerFrame) => void;
  report: Report;
}

/** A channel that the client asks for, until it has its answer. */
export interface Expected {
  /** What came for it meanwhile. */
  readonly letters: Letter[];
}

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
  // open, or ended by the application and on their way to the client with their last messages
  readonly #known = new Map<string, OpenChannel>();
  // closed lately: on which socket of the session the client was told, `null` when it knows
  readonly #closed = new Map<string, number | null>();
  #socket = 0;
  readonly #expected = new Map<string, Expected>();
  // ended by the client, with messages that the application has not taken: they take the place of a channel as long
  readonly #runningOut = new Set<OpenChannel>();
  readonly #listeners: Listeners<{ channel: Channel }>;

  constructor(options: ChannelsOptions) {
    this.#options = options;
    this.#listeners = new Listeners(channelListening, (cause) => {
      options.report(new FaultError('LISTENER_THREW', { cause }));
    });
  }

  /** How many the client may have. */
  get most(): number {
    return this.#options.limits.channelsPerSession;
  }

  /** The channel of that name, if it is open. */
  get(name: string): Channel | undefined {
    const channel = this.#known.get(name);
    return channel?.isOpen ? channel : undefined;
  }

  /** Whether there is such a channel for the client: it is open, or its end is about to be told. */
  has(name: string): boolean {
    return this.#known.has(name);
  }

  onChannel(listener: (channel: Channel) => void): () => void {
    return this.#listeners.on('channel', listener);
  }

  /** Why the client may not open a channel, whoever it is; `null` when nothing stands against it. */
  objectionTo(name: string): string | null {
    // it may be that the client was told on a socket that died of it, and so never knew
    const toldOn = this.#closed.get(name) ?? this.#socket;
    if (toldOn < this.#socket) return 'closed';
    const others = this.#expected.size - (this.#expected.has(name) ? 1 : 0);
    if (this.#known.size + this.#runningOut.size + others >= this.most) return 'too many channels';
    return this.#listeners.has('channel') ? null : 'no such service';
  }

  /** The client asks for a channel, and has to wait for the answer. */
  expect(name: string): Expected {
    const expected = this.#expected.get(name) ?? { letters: [] };
    this.#expected.set(name, expected);
    return expected;
  }

  /** Whether the client still waits for that answer. */
  isExpected(name: string, expected: Expected): boolean {
    return this.#expected.get(name) === expected;
  }

  /** The client opens a channel. For one that it has, it says nothing new. */
  open(name: string, service: string): void {
    if (this.has(name)) return;
    const objection = this.objectionTo(name);
    if (objection !== null) return this.refuse(name, objection);
    this.#closed.delete(name);
    const channel = this.#make(name, service);
    this.#known.set(name, channel);
    const arrived = this.#arrived(name);
    // first all its handlers, then what they are for: a request must not be taken for a message because it was early
    this.#listeners.emit('channel', channel);
    for (const letter of arrived) this.put(name, letter);
  }

  /** The client may not have a channel. */
  refuse(name: string, why: string): void {
    // one that the application closed stays closed until its client is known to have heard of it
    const isUntold = typeof this.#closed.get(name) === 'number';
    this.#forget(name, isUntold ? this.#socket : null);
    this.#options.tell({ t: 'shut', c: name, why });
  }

  /** The client has ended a channel; it is told that it is known. */
  shut(name: string): void {
    const channel = this.#known.get(name);
    this.#forget(name, null);
    if (channel) {
      const error = new MessageError('CONNECTION_ENDED', { message: 'The client has ended the channel.' });
      this.#options.outflow.drop(name, error);
      channel.ended();
      if (channel.size > 0) this.#runningOut.add(channel);
    }
    this.#options.tell({ t: 'shut', c: name });
  }

  /**
   * A message of a channel came. It is accepted once it is in the channel's queue, and refused when the channel is closed.
   *
   * @throws {ProtocolViolation} When there never was such a channel, or when it was held back and went on.
   */
  put(name: string, letter: Letter): void {
    const channel = this.#known.get(name);
    const expected = this.#expected.get(name);
    if (channel?.isOpen) channel.put(letter);
    else if (expected) expected.letters.push(letter);
    else if (channel || this.#closed.has(name)) letter.refuse(CLOSED);
    else throw new ProtocolViolation('a message of a channel that was never opened');
  }

  putVolatile(name: string, message: InboundMessage): void {
    this.#known.get(name)?.putVolatile(message);
  }

  /** A new socket: the client hears anew of what it may have missed. */
  attached(): void {
    this.#socket += 1;
    for (const [name, channel] of this.#known) if (channel.isOpen && channel.isHeld) this.#hold(name, true);
  }

  /** The session is over. What the channels have accepted is handed over all the same. */
  end(): void {
    const channels = [...this.#known.values()];
    this.#known.clear();
    this.#expected.clear();
    this.#runningOut.clear();
    this.#listeners.clear();
    for (const channel of channels) channel.ended();
  }

  /** The session is over, and the application wants nothing more of it. */
  discard(): void {
    const channels = [...this.#known.values(), ...this.#runningOut];
    this.end();
    for (const channel of channels) channel.forget();
  }

  #make(name: string, service: string): OpenChannel {
    const { limits, report, send } = this.#options;
    const channel: OpenChannel = new OpenChannel({
      name,
      service,
      limits,
      report,
      send,
      hold: (isHeld) => {
        this.#hold(name, isHeld);
      },
      left: (why) => {
        this.#leave(channel, why);
      },
      ranOut: () => {
        this.#runningOut.delete(channel);
      },
    });
    return channel;
  }

  // the client drops what comes after its end: it is told of that once it has what was sent before
  #leave(channel: OpenChannel, why: string | undefined): void {
    const receipts = this.#options.outflow.unsettled(channel.name);
    if (receipts.length === 0) this.#tellEnd(channel, why);
    else
      void Promise.allSettled(receipts.map(({ settled }) => settled)).then(() => {
        this.#tellEnd(channel, why);
      });
  }

  #tellEnd(channel: OpenChannel, why: string | undefined): void {
    const { name } = channel;
    // the client may have ended it as well meanwhile, or all of them
    if (this.#known.get(name) !== channel) return;
    this.#forget(name, this.#socket);
    this.#options.tell({ t: 'shut', c: name, ...(why !== undefined && { why }) });
  }

  #hold(name: string, isHeld: boolean): void {
    const { windowMessages: m, windowBytes: b } = this.#options.limits;
    this.#options.tell({ t: 'flow', w: isHeld ? { m: 0, b: 0 } : { m, b }, c: name });
  }

  #arrived(name: string): Letter[] {
    const expected = this.#expected.get(name);
    this.#expected.delete(name);
    return expected?.letters ?? [];
  }

  #forget(name: string, toldOn: number | null): void {
    this.#known.delete(name);
    this.#closed.delete(name);
    this.#closed.set(name, toldOn);
    for (const oldest of this.#closed.keys()) {
      if (this.#closed.size <= MAX_CLOSED) break;
      this.#closed.delete(oldest);
    }
    for (const letter of this.#arrived(name)) letter.refuse(CLOSED);
  }
}
