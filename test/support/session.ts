import { ClientSession } from '../../src/core/session.ts';
import { Outgoing } from '../../src/core/ledger.ts';
import { Link, type LinkReports } from '../../src/link.ts';
import { OutboundMessage, type MessageOrigin } from '../../src/message.ts';
import { encodePlain } from '../../src/protocol/codec.ts';
import type { ClientFrame, FrameFrom } from '../../src/protocol/frames.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import type { SendOptions } from '../../src/receipt.ts';
import { SessionWire, type Terms } from '../../src/session-wire.ts';
import type { TransportListener } from '../../src/transport/transport.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { Line } from './outbox.ts';
import { LIMITS, welcomeOf } from './server-script.ts';
import { makeCompression } from './compression.ts';

/** What a client sent on a line, read. */
export function framesOn(line: Line): FrameFrom<'client'>[] {
  return line.sent.map((sent) =>
    readFrame(typeof sent === 'string' ? sent : sent.slice().buffer, {
      from: 'client',
      limits: { frame: 2 ** 31, inflated: 2 ** 31 },
      compression: makeCompression({ hasWindow: false }),
    }),
  );
}

/** The frames of one type on a line. */
export function framesOf<Type extends ClientFrame['t']>(line: Line, type: Type): Extract<ClientFrame, { t: Type }>[] {
  return framesOn(line).filter((frame): frame is Extract<ClientFrame, { t: Type }> => frame.t === type);
}

/** A link over a line, and the peer's way to say something on it. */
export function linkOver(line: Line, reports: Partial<LinkReports> = {}): { link: Link; peer: TransportListener } {
  let peer: TransportListener | undefined;
  const link = new Link(
    (listener) => {
      peer = listener;
      return line;
    },
    { opened: () => undefined, ended: () => undefined, ...reports },
  );
  if (!peer) throw new Error('The link listens to nothing.');
  return { link, peer };
}

/** A message as the outbox makes it. */
export function messageOf(
  payload: unknown,
  options: SendOptions = {},
  origin: Partial<MessageOrigin> = {},
): OutboundMessage {
  return new OutboundMessage(encodePlain(payload), options, { number: 1, now: 0, cancel: () => false, ...origin });
}

/** A session and the wire that it has on its present socket; what the wire reports. */
export class SessionRig {
  readonly clock = new SimulatedClock();
  readonly session: ClientSession<OutboundMessage>;
  line = new Line();
  wire: SessionWire;
  readonly reported: [what: string, payload: unknown][] = [];
  readonly #terms: Terms;
  readonly #isHeldBack: (message: OutboundMessage) => boolean;

  constructor(terms: Partial<Terms> = {}, isHeldBack: (message: OutboundMessage) => boolean = () => false) {
    this.#isHeldBack = isHeldBack;
    this.session = new ClientSession(new Outgoing<OutboundMessage>(), () => 'nonce');
    this.session.welcomed(welcomeOf());
    this.#terms = { limits: LIMITS, own: LIMITS, compression: null, ...terms };
    this.wire = this.#wireOn(this.line, this.#terms);
  }

  /** Another socket carries the session from now on. The one before is not told. */
  moveTo(line = new Line(), terms: Partial<Terms> = {}): SessionWire {
    this.line = line;
    this.wire = this.#wireOn(line, { ...this.#terms, ...terms });
    return this.wire;
  }

  /** Hands over messages, as far as the wire takes them. @returns How many bytes it took. */
  write(...messages: (OutboundMessage | string)[]): number {
    const queue = messages.map((message) => (typeof message === 'string' ? messageOf(message) : message));
    return this.wire.write(() => queue.shift());
  }

  /** Messages came and were accepted, so many, in a frame of so many bytes. */
  accepts(count: number, bytes = 0): void {
    const { incoming } = this.session;
    incoming.arrived(incoming.handed + 1, count);
    incoming.acceptAll();
    this.wire.accepted(bytes);
  }

  get frames(): FrameFrom<'client'>[] {
    return framesOn(this.line);
  }

  #wireOn(line: Line, terms: Terms): SessionWire {
    const { clock, session } = this;
    return new SessionWire(line, {
      clock,
      session,
      terms,
      isHeldBack: this.#isHeldBack,
      reports: {
        sent: (message) => {
          this.reported.push(['sent', message.data]);
          message.ended('sent');
        },
        refused: (message, code) => this.reported.push([code, message.data]),
        orphaned: (message) => this.reported.push(['orphaned', message.data]),
      },
    });
  }
}
