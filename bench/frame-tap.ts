import type { Socket } from 'node:net';

/** What went over a socket: bytes as TCP carries them, and WebSocket frames of any kind. */
export interface Traffic {
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
}

/** Counts the frames of a server's socket, from the request for a WebSocket on. */
export class FrameTap {
  readonly #socket: Socket;
  readonly #in = new FrameCounter();
  readonly #out = new FrameCounter();

  /** Must be called while the request is being answered, before anything is read. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#in.feed(chunk);
    });
    const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
    let hasAnswered = false;
    socket.write = (...given: unknown[]) => {
      const [chunk, encoding] = given as [string | Uint8Array, BufferEncoding | undefined];
      // the first write is the answer to the request
      if (hasAnswered) this.#out.feed(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      hasAnswered = true;
      return write(...given);
    };
  }

  /** All so far; the handshake counts as bytes. */
  get traffic(): Traffic {
    const { bytesRead, bytesWritten } = this.#socket;
    return { bytesIn: bytesRead, bytesOut: bytesWritten, framesIn: this.#in.frames, framesOut: this.#out.frames };
  }
}

/** What has gone since. */
export function since(before: Traffic, now: Traffic): Traffic {
  return {
    bytesIn: now.bytesIn - before.bytesIn,
    bytesOut: now.bytesOut - before.bytesOut,
    framesIn: now.framesIn - before.framesIn,
    framesOut: now.framesOut - before.framesOut,
  };
}

const MOST_HEAD_BYTES = 14;

/** Counts frames in a stream of bytes, however it is cut into pieces. Source: RFC 6455, section 5.2 */
class FrameCounter {
  frames = 0;
  // of the frame whose head is not complete
  readonly #head = new Uint8Array(MOST_HEAD_BYTES);
  #headBytes = 0;
  // what is left of the frame whose head is
  #bodyBytes = 0;

  feed(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#bodyBytes > 0) {
        const passed = Math.min(this.#bodyBytes, chunk.length - at);
        this.#bodyBytes -= passed;
        at += passed;
        continue;
      }
      this.#head[this.#headBytes++] = chunk[at++] ?? 0;
      if (this.#headBytes < 2 || this.#headBytes < headBytesOf(this.#head)) continue;
      this.#bodyBytes = bodyBytesOf(this.#head);
      this.#headBytes = 0;
      this.frames += 1;
    }
  }
}

// how many there are, the second byte says
function headBytesOf([, second = 0]: Uint8Array): number {
  const length = second & 0x7f;
  const extended = length === 127 ? 8 : length === 126 ? 2 : 0;
  return 2 + extended + (second & 0x80 ? 4 : 0);
}

function bodyBytesOf(head: Uint8Array): number {
  const view = new DataView(head.buffer);
  const length = view.getUint8(1) & 0x7f;
  if (length === 127) return Number(view.getBigUint64(2));
  return length === 126 ? view.getUint16(2) : length;
}
