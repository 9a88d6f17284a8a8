import type { OutboundMessage } from './message.ts';
import type { Clock } from './transport/clock.ts';
import type { Transport } from './transport/transport.ts';

const FIRST_LOOK_MS = 1;
const SLOWEST_LOOK_MS = 32;

export interface InFlightOptions {
  clock: Clock;
  /** Called when the socket gave a message to the network. */
  sent: (message: OutboundMessage) => void;
}

/**
 * Messages that a socket has taken and not yet given to the network. No platform tells when it does, so its buffer is looked
 * at: at once, which is the end of it on a line that keeps up, and then by a timer for as long as something is in there.
 */
export class InFlight {
  readonly #options: InFlightOptions;
  readonly #messages: OutboundMessage[] = [];
  // how much of the buffer each of them is, at the least, and all together
  readonly #sizes: number[] = [];
  #bytes = 0;
  #timer: unknown;
  #lookMs = FIRST_LOOK_MS;
  #relief: { lowWaterBytes: number; relieved: () => void } | undefined;

  constructor(options: InFlightOptions) {
    this.#options = options;
  }

  /** Those messages, in order. */
  get messages(): readonly OutboundMessage[] {
    return this.#messages;
  }

  /** How many messages are in the socket's buffer, as far as it tells. */
  get size(): number {
    return this.#messages.length;
  }

  /** The socket took a message, as so many bytes. */
  handed(message: OutboundMessage, bytes = message.bytes): void {
    this.#messages.push(message);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** Looks into the socket's buffer, and goes on looking while it holds something of interest. */
  look(transport: Transport): void {
    this.#options.clock.clearTimeout(this.#timer);
    const { bufferedBytes } = transport;
    this.#settle(transport);
    const relief = this.#relief;
    if (relief && bufferedBytes <= relief.lowWaterBytes) {
      this.#relief = undefined;
      relief.relieved();
    }
    if (this.#messages.length === 0 && !this.#relief) {
      this.#lookMs = FIRST_LOOK_MS;
      return;
    }
    // whoever was told just now may have looked as well
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#options.clock.setTimeout(() => {
      this.look(transport);
    }, this.#lookMs);
    this.#lookMs = Math.min(this.#lookMs * 2, SLOWEST_LOOK_MS);
  }

  /** Calls back once the buffer has fallen to the low water mark; `look` must be called to begin. @returns Takes that back. */
  onceRelieved(lowWaterBytes: number, relieved: () => void): () => void {
    const relief = { lowWaterBytes, relieved };
    this.#relief = relief;
    return () => {
      if (this.#relief === relief) this.#relief = undefined;
    };
  }

  /** The socket is gone. @returns What was in its buffer, in order. */
  takeAll(): OutboundMessage[] {
    this.#options.clock.clearTimeout(this.#timer);
    this.#lookMs = FIRST_LOOK_MS;
    this.#relief = undefined;
    this.#bytes = 0;
    this.#sizes.length = 0;
    return this.#messages.splice(0);
  }

  // a message has left when the buffer holds no more than what was handed over after it: the headers of frames make that late,
  // never early. A buffer of frames that the socket compresses says only when it is empty
  #settle({ bufferedBytes, isCompressing }: Transport): void {
    let left = 0;
    for (const bytes of this.#sizes) {
      const after = isCompressing ? 0 : this.#bytes - bytes;
      if (bufferedBytes > after) break;
      this.#bytes -= bytes;
      left += 1;
    }
    this.#sizes.splice(0, left);
    for (const message of this.#messages.splice(0, left)) this.#options.sent(message);
  }
}
