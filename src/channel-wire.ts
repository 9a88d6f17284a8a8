import type { Channel } from './channel.ts';
import type { OutboundMessage } from './message.ts';
import type { Pool } from './pool.ts';
import type { Wire } from './wire.ts';

/** The wire of a channel: the messages go by the session that it shares, and no channel may fill its window alone. */
export class ChannelWire implements Wire {
  readonly #channel: Channel;
  readonly #pool: Pool;
  #isLost = false;

  constructor(channel: Channel, pool: Pool) {
    this.#channel = channel;
    this.#pool = pool;
  }

  get isOpen(): boolean {
    return !this.#isLost && this.#pool.wire?.isOpen === true;
  }

  get bufferedBytes(): number {
    return this.#pool.wire?.bufferedBytes ?? 0;
  }

  get hasRoom(): boolean {
    return this.#pool.hasRoom(this.#channel);
  }

  get isSettled(): boolean {
    return this.#channel.size === 0;
  }

  /** Only what is volatile: everything else is kept by the session. */
  get size(): number {
    return this.#channel.volatileSize;
  }

  write(take: () => OutboundMessage | undefined): number {
    const recorded = (): OutboundMessage | undefined => {
      const message = this.hasRoom ? take() : undefined;
      if (message) this.#channel.record(message);
      return message;
    };
    const bytes = this.#pool.wire?.write(recorded) ?? 0;
    if (bytes > 0) this.#pool.tookTurn(this.#channel);
    return bytes;
  }

  writeVolatile(message: OutboundMessage): void {
    this.#channel.record(message);
    this.#pool.wire?.writeVolatile(message);
  }

  look(): void {
    this.#pool.wire?.look();
    this.#pool.relieve();
  }

  onceRelieved(lowWaterBytes: number, relieved: () => void): () => void {
    return this.#pool.onceRelieved(this.#channel, { lowWaterBytes, relieved });
  }

  lost(): OutboundMessage[] {
    this.#isLost = true;
    return [];
  }
}
