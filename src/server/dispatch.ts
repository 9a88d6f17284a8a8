import type { WireMeta } from '../protocol/frames.ts';
import type { Channels } from './channels.ts';
import type { Arrival, HeldMessage, Intake } from './intake.ts';
import type { Letter, Mailbox } from './mailbox.ts';
import type { InboundMessage, InboundRequest, MessageOptions, SessionReceipt } from './message.ts';
import type { Refusal } from './refusals.ts';
import type { Replies } from './replies.ts';

export interface DispatchOptions {
  /** Of the session's own channel. */
  mailbox: Mailbox;
  channels: Channels;
  replies: Replies;
  intake: Intake;
  /** Epoch ms. */
  now: () => number;
  send: (data: unknown, options: MessageOptions, ids: Pick<WireMeta, 're'>) => SessionReceipt;
}

const EXPIRED: Refusal = { code: 'EXPIRED', message: 'it came too late', temporary: false, outcome: 'rejected' };

/** Brings each message that came to whom it is meant for: a request that waits for it, a channel, or the session's own handlers. */
export class Dispatch {
  readonly #options: DispatchOptions;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  deliver(held: HeldMessage): void {
    const { mailbox, channels, replies, intake, now } = this.#options;
    const { meta, position, bytes } = held;
    if (meta.x !== undefined && meta.x < now()) {
      intake.refuse(position, EXPIRED);
      return;
    }
    // a reply does not wait behind messages: who asked may be what they wait for
    if (meta.re !== undefined) {
      replies.take(meta.re, held);
      intake.accept(position);
      return;
    }
    const message = meta.r === undefined ? inbound(held, position) : this.#requestOf(held, meta.r);
    const letter = new HeldLetter(message, { intake, position, bytes });
    if (meta.c === undefined) mailbox.put(letter);
    else channels.put(meta.c, letter);
  }

  volatile(arrival: Arrival): void {
    const { mailbox, channels } = this.#options;
    const message = inbound(arrival, null);
    if (message.channel === undefined) mailbox.putVolatile(message);
    else channels.putVolatile(message.channel, message);
  }

  #requestOf(held: HeldMessage, id: string): InboundRequest {
    const { c: channel } = held.meta;
    let receipt: SessionReceipt | undefined;
    const reply: InboundRequest['reply'] = (data, { error } = {}) => {
      const options: MessageOptions = {};
      if (channel !== undefined) options.channel = channel;
      if (error !== undefined) options.headers = { error };
      // a handler that returns nothing has answered all the same
      receipt ??= this.#options.send(data === undefined ? null : data, options, { re: id });
      return receipt;
    };
    return Object.assign(inbound(held, held.position), { reply });
  }
}

/** A message that the session holds until it is accepted. */
class HeldLetter implements Letter {
  readonly message: InboundMessage | InboundRequest;
  readonly bytes: number;
  readonly #intake: Intake;
  readonly #position: number;

  constructor(
    message: InboundMessage | InboundRequest,
    { intake, position, bytes }: { intake: Intake; position: number; bytes: number },
  ) {
    this.message = message;
    this.bytes = bytes;
    this.#intake = intake;
    this.#position = position;
  }

  accept(): void {
    this.#intake.accept(this.#position);
  }

  refuse(refusal: Refusal): void {
    this.#intake.refuse(this.#position, refusal);
  }
}

function inbound({ data, meta: { n, h, k, c } }: Arrival, position: number | null): InboundMessage {
  const message: { -readonly [Field in keyof InboundMessage]: InboundMessage[Field] } = { data, position };
  if (n !== undefined) message.type = n;
  if (h !== undefined) message.headers = h;
  if (k !== undefined) message.key = k;
  if (c !== undefined) message.channel = c;
  return message;
}
