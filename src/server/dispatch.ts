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
    const letter: Letter = {
      message: meta.r === undefined ? inbound(held, position) : this.#requestOf(held, meta.r),
      bytes,
      accept: () => {
        intake.accept(position);
      },
      refuse: (refusal) => {
        intake.refuse(position, refusal);
      },
    };
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
    return {
      ...inbound(held, held.position),
      reply: (data, { error } = {}) => {
        const options = {
          ...(channel !== undefined && { channel }),
          ...(error !== undefined && { headers: { error } }),
        };
        // a handler that returns nothing has answered all the same
        receipt ??= this.#options.send(data === undefined ? null : data, options, { re: id });
        return receipt;
      },
    };
  }
}

function inbound({ data, meta }: Arrival, position: number | null): InboundMessage {
  return {
    data,
    position,
    ...(meta.n !== undefined && { type: meta.n }),
    ...(meta.h !== undefined && { headers: meta.h }),
    ...(meta.k !== undefined && { key: meta.k }),
    ...(meta.c !== undefined && { channel: meta.c }),
  };
}
