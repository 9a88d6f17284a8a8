import { Acknowledging, ackPolicyFor } from './core/acknowledging.ts';
import type { ClientSession } from './core/session.ts';
import { InFlight } from './in-flight.ts';
import type { OutboundMessage } from './message.ts';
import { packed, type Compression } from './protocol/compression.ts';
import {
  frameBytesOf,
  Run,
  volatileFrame,
  weighed,
  weightOf,
  type Frame,
  type WeighedMessage,
} from './protocol/framing.ts';
import type { ClientFrame, Limits } from './protocol/frames.ts';
import { writeText } from './protocol/text-frames.ts';
import type { Clock } from './transport/clock.ts';
import type { Transport, WireData } from './transport/transport.ts';
import type { Wire, WireReports } from './wire.ts';

/** What the two sides have agreed on for one socket. */
export interface Terms {
  /** What the peer takes. */
  limits: Limits;
  /** What this side takes. */
  own: Limits;
  /** `null` unless it was agreed on. */
  compression: Compression | null;
}

export interface SessionWireOptions {
  clock: Clock;
  session: ClientSession<OutboundMessage>;
  terms: Terms;
  reports: WireReports;
  /** Whether others use the session, and may have something to say yet. @default never */
  isShared?: () => boolean;
  /** Hears when messages leave that are to be acknowledged. @default nobody */
  asked?: () => void;
  /** Whether the peer wants a message to wait that it has been sent before, by another socket. @default never */
  isHeldBack?: (message: OutboundMessage) => boolean;
}

/** The way out of a session on one socket: messages get positions and stay in the ledger until the peer has acknowledged them. */
export class SessionWire implements Wire {
  readonly #transport: Transport;
  readonly #options: SessionWireOptions;
  readonly #acknowledging: Acknowledging;
  // volatile messages, of which nothing more is heard than that they have left
  readonly #inFlight: InFlight;
  // the first position that is given here: those before it were given on other sockets
  readonly #ownFrom: number;
  // up to where those were sent again here
  #resentTo = 0;
  #window: { messages: number; bytes: number };
  #ackTimer: unknown;
  #isHeld = false;
  #isLost = false;
  #relief: { lowWaterBytes: number; relieved: () => void } | undefined;

  constructor(transport: Transport, options: SessionWireOptions) {
    const { clock, session, terms, reports } = options;
    this.#transport = transport;
    this.#options = options;
    this.#window = { messages: terms.limits.win.m, bytes: terms.limits.win.b };
    this.#ownFrom = session.outgoing.next;
    this.#acknowledging = new Acknowledging(ackPolicyFor({ messages: terms.own.win.m, bytes: terms.own.win.b }));
    // the hello has said so
    this.#acknowledging.told(session.incoming.accepted);
    this.#inFlight = new InFlight({
      clock,
      sent: (message) => {
        reports.sent(message);
      },
    });
  }

  /** Also while it is held: what is sent then waits for the newer socket, whichever of the two is closed first. */
  get isOpen(): boolean {
    return this.#isHeld || this.#transport.isOpen;
  }

  /** How many bytes the peer has to acknowledge here, those included that have not left yet; `null` for none. */
  get owedBytes(): number | null {
    const { outgoing } = this.#options.session;
    return this.#isHeld || outgoing.size === 0 ? null : outgoing.bytes + this.#transport.bufferedBytes;
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes;
  }

  get hasRoom(): boolean {
    return !this.#isHeld && this.#isThrough && this.#options.session.outgoing.hasRoom(this.#window);
  }

  /** How much may be on its way. */
  get window(): Readonly<{ messages: number; bytes: number }> {
    return this.#window;
  }

  get isSettled(): boolean {
    const { session, isShared } = this.#options;
    return session.outgoing.size === 0 && isShared?.() !== true;
  }

  get size(): number {
    return this.#inFlight.messages.filter(({ channel }) => channel === undefined).length;
  }

  write(take: () => OutboundMessage | undefined): number {
    const { outgoing } = this.#options.session;
    const first = outgoing.next;
    const handed: WeighedMessage[] = [];
    let bytes = 0;
    while (this.isOpen && this.hasRoom) {
      const message = take();
      if (!message) break;
      message.moved('handed');
      // an empty message counts as one byte, so that every batch is seen to advance
      bytes += Math.max(1, message.bytes);
      const item = framed(message);
      if (!this.#fits(message, item)) continue;
      outgoing.record(message, weightOf(item));
      handed.push(item);
    }
    this.#send(first, handed);
    return bytes;
  }

  writeVolatile(message: OutboundMessage): void {
    message.moved('handed');
    // a window of nothing holds everything back, and this is not worth keeping for another, nor for another socket
    if (this.#window.messages === 0 || !this.#transport.isOpen)
      return this.#options.reports.refused(message, 'VOLATILE_DROPPED');
    const item = framed(message);
    if (!this.#fits(message, item)) return;
    const frame = this.#packed(volatileFrame(item));
    const refusal = this.#transmit(frame);
    if (refusal) return this.#options.reports.refused(message, 'SEND_FAILED', refusal);
    this.#inFlight.handed(message, typeof frame === 'string' ? message.bytes : frame.length);
  }

  /** Whether the peer takes frames as large as what is to be sent again needs. */
  get takesAll(): boolean {
    const { frame } = this.#options.terms.limits;
    return this.unacknowledged().every((message) => frameBytesOf(framed(message)) <= frame);
  }

  /** What the peer has not accepted, in order. */
  unacknowledged(): OutboundMessage[] {
    return this.#options.session.outgoing.unacknowledged();
  }

  /**
   * Sends again, in order and with its positions, what the peer has not acknowledged of what went by other sockets: as far as the window
   * goes, and from then on whenever there is room. Nothing new leaves before that.
   */
  replay(): void {
    if (this.#isHeld || this.#isThrough) return;
    const { session, isHeldBack = never } = this.#options;
    const { acknowledged } = session.outgoing;
    const first = Math.max(this.#resentTo, acknowledged) + 1;
    const last = Math.min(session.outgoing.reach(this.#window), this.#ownFrom - 1);
    const messages = this.unacknowledged().slice(first - acknowledged - 1, Math.max(0, last - acknowledged));
    // nothing may pass it: what follows has the positions after it
    const held = messages.findIndex(isHeldBack);
    const due = held < 0 ? messages : messages.slice(0, held);
    if (due.length === 0) return;
    this.#resentTo = first + due.length - 1;
    this.#send(first, due.map(framed));
  }

  /** Sends a frame that is no message. It passes queue and window by. */
  control(frame: ClientFrame): void {
    this.#transmit(writeText(frame));
  }

  /** From now on nothing of the session is said here, because a newer socket is being told of it; or it is again. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) return;
    const a = this.takeAck();
    if (a > 0) this.control({ t: 'ack', a });
    this.#relieve();
  }

  /** What may be acknowledged with a frame that goes out anyway. It is taken to be told then. */
  takeAck(): number {
    const { accepted } = this.#options.session.incoming;
    if (this.#isHeld || this.#acknowledging.pendingTo(accepted) === 0) return 0;
    this.#told(accepted);
    return accepted;
  }

  /** The application has accepted what it was handed, which came in a frame of so many bytes. */
  accepted(bytes: number): void {
    // whoever was handed a message may have let go of the socket
    if (this.#isLost) return;
    const { clock, session } = this.#options;
    const waitMs = this.#acknowledging.accepted(session.incoming.accepted, { now: clock.now(), bytes });
    if (waitMs === 0) this.acknowledge();
    else if (waitMs !== null)
      this.#ackTimer ??= clock.setTimeout(() => {
        this.acknowledge();
      }, waitMs);
  }

  /** Acknowledges now. */
  acknowledge(): void {
    if (this.#isHeld) return;
    const { accepted } = this.#options.session.incoming;
    this.#told(accepted);
    this.control({ t: 'ack', a: accepted });
  }

  /** The peer takes this much from now on. */
  resize({ m, b }: Limits['win']): void {
    this.#window = { messages: m, bytes: b };
    this.#relieve();
  }

  look(): void {
    this.#inFlight.look(this.#transport);
    this.#relieve();
  }

  onceRelieved(lowWaterBytes: number, relieved: () => void): () => void {
    const relief = { lowWaterBytes, relieved };
    this.#relief = relief;
    // the buffer is looked at by a timer, the window when the peer says something of it
    const end = this.#inFlight.onceRelieved(lowWaterBytes, () => {
      this.#relieve();
    });
    return () => {
      end();
      if (this.#relief === relief) this.#relief = undefined;
    };
  }

  lost({ wasRead }: { wasRead: boolean }): OutboundMessage[] {
    this.#isLost = true;
    this.#options.clock.clearTimeout(this.#ackTimer);
    this.#relief = undefined;
    const { reports } = this.#options;
    const own: OutboundMessage[] = [];
    for (const message of this.#inFlight.takeAll()) {
      if (wasRead) reports.sent(message);
      else if (message.channel === undefined) own.push(message);
      else reports.orphaned(message);
    }
    return own;
  }

  get #isThrough(): boolean {
    return Math.max(this.#resentTo, this.#options.session.outgoing.acknowledged) + 1 >= this.#ownFrom;
  }

  #told(accepted: number): void {
    this.#acknowledging.told(accepted);
    this.#options.clock.clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
  }

  // what the peer will never take must not get a position: everything behind it would wait for it
  #fits(message: OutboundMessage, item: WeighedMessage): boolean {
    const bytes = frameBytesOf(item);
    const { frame: most } = this.#options.terms.limits;
    if (bytes <= most) return true;
    const text = `With its frame the message has up to ${bytes} bytes; the server takes frames of ${most}.`;
    this.#options.reports.refused(message, 'MESSAGE_TOO_BIG', { message: text });
    return false;
  }

  #send(first: number, messages: readonly WeighedMessage[]): void {
    if (messages.length === 0) return;
    const most = this.#options.terms.limits.frame;
    this.#transport.batch(() => {
      let position = first;
      let run = new Run(most);
      for (const item of messages) {
        if (run.add(item)) continue;
        this.#transmit(this.#packed(run.frame(position, this.takeAck())));
        position += run.size;
        run = new Run(most);
        run.add(item);
      }
      this.#transmit(this.#packed(run.frame(position, this.takeAck())));
    });
    this.#options.asked?.();
  }

  #packed(frame: Frame): Frame {
    const { compression, limits } = this.#options.terms;
    return packed(frame, compression, limits.inflated);
  }

  // @returns Why the socket did not take it, unless it did
  #transmit(data: WireData): { cause: unknown } | undefined {
    try {
      this.#transport.send(data);
      return undefined;
    } catch (cause) {
      // the socket is about to end: what matters is in the ledger, and goes by the next one. If it goes on all the same, its peer reads on
      this.#options.terms.compression?.abandon();
      return { cause };
    }
  }

  #relieve(): void {
    this.replay();
    const relief = this.#relief;
    const { outgoing } = this.#options.session;
    const { messages, bytes } = this.#window;
    if (!relief || !this.hasRoom || this.bufferedBytes > relief.lowWaterBytes) return;
    // not as soon as one message fits: half of the window, as half of the buffer
    if (messages === 0 || outgoing.size * 2 > messages || outgoing.bytes * 2 > bytes) return;
    this.#relief = undefined;
    relief.relieved();
  }
}

function never(): boolean {
  return false;
}

/** A message as it travels in a batch. */
function framed(message: OutboundMessage): WeighedMessage {
  const { form, channel, data, meta } = message;
  // its connection has left, and the server hears of that first: all that it has is its position
  if (message.isOver) return weighed({ data: 'null', meta: channel === undefined ? undefined : { c: channel } });
  if (form !== 'text' && channel === undefined) return message;
  return weighed({
    data: form === 'text' ? JSON.stringify(data) : data,
    meta: channel === undefined ? meta : Object.assign({}, meta, { c: channel }),
  });
}
