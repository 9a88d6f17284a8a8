import { InFlight } from './in-flight.ts';
import type { OutboundMessage } from './message.ts';
import type { Clock } from './transport/clock.ts';
import type { InboundData, FrameData, Transport } from './transport/transport.ts';
import type { Wire, WireReports } from './wire.ts';

/** The wire that every server speaks: one message is one WebSocket message, and is followed until it has left the socket. */
export class PlainWire implements Wire {
  readonly hasRoom = true;
  readonly isSettled = true;
  readonly #transport: Transport;
  readonly #reports: WireReports;
  readonly #inFlight: InFlight;
  // a custom socket may die inside send()
  #isLost = false;

  constructor(transport: Transport, { clock, reports }: { clock: Clock; reports: WireReports }) {
    this.#transport = transport;
    this.#reports = reports;
    this.#inFlight = new InFlight({
      clock,
      sent: (message) => {
        reports.sent(message);
      },
    });
  }

  get isOpen(): boolean {
    return this.#transport.isOpen;
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes;
  }

  get size(): number {
    return this.#inFlight.size;
  }

  write(take: () => OutboundMessage | undefined): number {
    let bytes = 0;
    this.#transport.batch(() => {
      while (this.#transport.isOpen) {
        const message = take();
        if (!message) break;
        this.#hand(message);
        // an empty message counts as one byte, so that every batch is seen to advance
        bytes += Math.max(1, message.bytes);
      }
    });
    return bytes;
  }

  writeVolatile(message: OutboundMessage): void {
    this.#hand(message);
  }

  look(): void {
    this.#inFlight.look(this.#transport);
  }

  onceRelieved(lowWaterBytes: number, relieved: () => void): () => void {
    return this.#inFlight.onceRelieved(lowWaterBytes, relieved);
  }

  lost({ wasRead }: { wasRead: boolean }): OutboundMessage[] {
    this.#isLost = true;
    const held = this.#inFlight.takeAll();
    if (!wasRead) return held;
    for (const message of held) this.#reports.sent(message);
    return [];
  }

  #hand(message: OutboundMessage): void {
    // before: whoever asks for it back meanwhile is told that it is gone
    message.moved('handed');
    try {
      this.#transport.send(message.data);
    } catch (cause) {
      this.#reports.refused(message, 'SEND_FAILED', { cause });
      return;
    }
    if (this.#isLost) this.#reports.orphaned(message);
    else this.#inFlight.handed(message);
  }
}

/** The message that a frame is: text, or bytes in memory that is nobody else's. */
export function owned(data: FrameData): InboundData {
  if (!ArrayBuffer.isView(data)) return data;
  // `ws` puts together in memory of its own what came in pieces; what is empty is the same for all
  const isWhole = data.byteLength > 0 && data.byteLength === data.buffer.byteLength;
  return isWhole ? data.buffer : data.slice().buffer;
}
