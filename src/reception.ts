import type { ClientSession } from './core/session.ts';
import type { OutboundMessage } from './message.ts';
import { WireClose } from './protocol/close-codes.ts';
import type { FrameFrom, ServerFrame, WireMeta } from './protocol/frames.ts';
import { JsonPayload, type Payload } from './protocol/profile.ts';
import { inflatedLength } from './protocol/compression.ts';
import { ProtocolViolation } from './protocol/violation.ts';
import { readFrame } from './protocol/wire.ts';
import type { SessionWire, Terms } from './session-wire.ts';
import type { FrameData } from './transport/transport.ts';

type Frame<Type extends ServerFrame['t']> = Extract<ServerFrame, { t: Type }>;

/** Frames that are no messages, and are answered elsewhere. */
export type Notice = Frame<'auth' | 'away' | 'bye' | 'err' | 'flow' | 'shut'>;

export interface ReceptionOptions {
  session: ClientSession<OutboundMessage>;
  wire: SessionWire;
  terms: Terms;
  /** Takes a message. Never throws. */
  deliver: (payload: Payload, meta: WireMeta | undefined) => void;
  /** The peer has accepted these messages. */
  acknowledged: (messages: readonly OutboundMessage[]) => void;
  /** The peer refuses this message, which it has accepted or is about to. */
  refused: (message: OutboundMessage, refusal: Frame<'nack'>) => void;
  ponged: (pong: Frame<'pong'>) => void;
  noticed: (notice: Notice) => void;
  /** Now, on a clock that never runs backwards. */
  now: () => number;
  /** The peer broke the protocol: the socket is to end with this. */
  violated: (violation: ProtocolViolation) => void;
}

/** The way in of a session on one socket: one switch over the frame. Nothing is delivered twice, and nothing past a gap. */
export class Reception {
  readonly #options: ReceptionOptions;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  receive(data: FrameData): void {
    const { own: limits, compression } = this.#options.terms;
    try {
      this.#take(readFrame(data, { from: 'server', limits, compression }), inflatedLength(data));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#options.violated(error);
    }
  }

  #take(frame: FrameFrom<'server'>, bytes: number): void {
    const { wire, noticed, ponged, now } = this.#options;
    switch (frame.t) {
      case 'batch':
        this.#acknowledged(frame.a);
        return this.#arrived({ first: frame.s, items: frame.d, bytes }, (value, take) => {
          take(new JsonPayload(value), undefined);
        });
      case 'm':
        this.#acknowledged(frame.a);
        return this.#arrived({ first: frame.s, items: frame.b, bytes }, ({ d, ...meta }, take) => {
          take(new JsonPayload(d), meta);
        });
      case 'bytes':
        this.#acknowledged(frame.a);
        if (frame.s === 0) return this.#flitted(frame.b.map(({ d, meta }) => [d.slice().buffer, meta]));
        return this.#arrived({ first: frame.s, items: frame.b, bytes }, ({ d, meta }, take) => {
          // a copy: the frame's buffer is shared by all of them
          take(d.slice().buffer, meta);
        });
      case 'v':
        return this.#flitted(frame.b.map(({ d, ...meta }) => [new JsonPayload(d), meta]));
      case 'ack':
        if (frame.w) wire.resize(frame.w);
        return this.#acknowledged(frame.a);
      case 'nack':
        return this.#refused(frame);
      case 'ping': {
        this.#acknowledged(frame.a);
        const a = wire.takeAck();
        return wire.control({ t: 'pong', i: frame.i, ts: frame.ts, now: now(), ...(a > 0 && { a }) });
      }
      case 'pong':
        this.#acknowledged(frame.a);
        return ponged(frame);
      case 'flow':
        if (frame.c === undefined) return wire.resize(frame.w);
        return noticed(frame);
      case 'auth':
      case 'away':
      case 'bye':
      case 'err':
      case 'shut':
        return noticed(frame);
      case 'srv':
      case 'welcome':
        throw new ProtocolViolation(`a second ${frame.t} came on one socket`);
      case 'unknown':
    }
  }

  #arrived<Item>(
    { first, items, bytes }: { first: number; items: readonly Item[]; bytes: number },
    hand: (item: Item, take: ReceptionOptions['deliver']) => void,
  ): void {
    const { session, wire, deliver } = this.#options;
    const skip = session.incoming.arrived(first, items.length);
    if (skip === null) throw new ProtocolViolation(`position ${first} came before those in between`, WireClose.gap);
    for (let index = skip; index < items.length; index++) hand(items[index] as Item, deliver);
    session.incoming.acceptAll();
    // what came twice was sent by somebody who does not know that it came
    if (skip === items.length) wire.acknowledge();
    else wire.accepted(bytes);
  }

  #flitted(messages: readonly [Payload, WireMeta][]): void {
    for (const [payload, meta] of messages) this.#options.deliver(payload, meta);
  }

  #acknowledged(upTo: number | undefined): void {
    if (upTo === undefined || upTo === 0) return;
    const { session, wire, acknowledged } = this.#options;
    const settled = session.outgoing.acknowledge(upTo);
    if (!settled) throw new ProtocolViolation(`position ${upTo} was acknowledged, and never sent`);
    if (settled.length === 0) return;
    acknowledged(settled);
    wire.look();
  }

  #refused(refusal: Frame<'nack'>): void {
    const { outgoing } = this.#options.session;
    const first = refusal.s ?? 0;
    const last = refusal.e ?? first;
    if (last >= outgoing.next) throw new ProtocolViolation(`position ${last} was refused, and never sent`);
    for (const [index, message] of outgoing.unacknowledged().entries()) {
      const position = outgoing.acknowledged + 1 + index;
      const isMeant = refusal.s === undefined ? isKeyed(message, refusal.k) : position >= first && position <= last;
      if (isMeant) this.#options.refused(message, refusal);
    }
  }
}

function isKeyed({ meta }: OutboundMessage, keys: readonly string[] = []): boolean {
  return meta?.k !== undefined && keys.includes(meta.k);
}
