import type { InboundData } from '../../src/errors.ts';
import type { Compression } from '../../src/protocol/compression.ts';
import type { ClientFrame, FrameFrom, ServerFrame } from '../../src/protocol/frames.ts';
import { writeText } from '../../src/protocol/text-frames.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import type { HoldfastServer } from '../../src/server/server.ts';
import type { HandshakeRequest, ServerSocket, SocketEvents } from '../../src/server/socket.ts';

export type Hello = Extract<ClientFrame, { t: 'hello' }>;
export type Welcome = Extract<ServerFrame, { t: 'welcome' }>;

export const CLIENT_LIMITS = { frame: 262_144, inflated: 1_048_576, win: { m: 2_048, b: 1_048_576 } };

/**
 * The client's end of one socket, in memory: the test says what it sends, and sees what it gets. Nothing is answered by itself but a
 * close, unless it `isDeaf`.
 */
export class WireClient implements ServerSocket {
  /** Everything that came, as it travelled. */
  readonly raw: (string | Uint8Array<ArrayBuffer>)[] = [];
  /** The same, read. */
  readonly frames: FrameFrom<'server'>[] = [];
  /** How the server closed it, once it has. */
  closed: { code: number; reason: string } | undefined;
  isTerminated = false;
  bufferedBytes = 0;
  /** Answers no close. */
  isDeaf = false;
  /** How many pieces things came in. */
  batches = 0;
  readonly events: SocketEvents;
  readonly #compression: Compression | null;
  #isGone = false;

  constructor(
    server: HoldfastServer,
    {
      request = { headers: {} },
      compression = null,
    }: { request?: HandshakeRequest; compression?: Compression | null } = {},
  ) {
    this.#compression = compression;
    this.events = server.accept(this, request);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.closed || this.#isGone) throw new Error('The server sends after it closed.');
    this.raw.push(data);
    const limits = CLIENT_LIMITS;
    const inbound = typeof data === 'string' ? data : data.slice().buffer;
    this.frames.push(readFrame(inbound, { from: 'server', limits, compression: this.#compression }));
  }

  batch(write: () => void): void {
    this.batches += 1;
    write();
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
    // as on a real socket, later
    if (!this.isDeaf)
      queueMicrotask(() => {
        this.leave(code, reason);
      });
  }

  terminate(): void {
    this.isTerminated = true;
    queueMicrotask(() => {
      this.leave();
    });
  }

  /** The socket is gone, for the server. */
  leave(code = 1006, reason = ''): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.events.closed(code, reason);
  }

  /** Sends a frame, or anything at all. */
  says(...frames: (ClientFrame | InboundData)[]): void {
    for (const frame of frames) {
      const isRaw = typeof frame === 'string' || frame instanceof ArrayBuffer;
      this.events.received(isRaw ? frame : writeText(frame));
    }
  }

  /** Asks for a session, or for one that it had. */
  hello(given: Partial<Hello> = {}): void {
    this.says({ t: 'hello', v: 1, nonce: 'n1', auth: 'ann', caps: [], lim: CLIENT_LIMITS, ...given });
  }

  /** The frames of one type, in order. */
  of<Type extends FrameFrom<'server'>['t']>(type: Type): Extract<FrameFrom<'server'>, { t: Type }>[] {
    return this.frames.filter((frame): frame is Extract<FrameFrom<'server'>, { t: Type }> => frame.t === type);
  }

  /** @throws When there was none. */
  get welcome(): Welcome {
    const [welcome] = this.of('welcome');
    if (!welcome) throw new Error(`There was no welcome, but ${JSON.stringify([this.frames, this.closed])}.`);
    return welcome;
  }

  /** The payloads that came, as the application would get them: in order, each position once. */
  get payloads(): unknown[] {
    let rx = 0;
    return this.frames.flatMap((frame) => {
      if (frame.t === 'batch') return fresh(frame.s, frame.d);
      if (frame.t === 'm' || (frame.t === 'bytes' && frame.s > 0)) {
        return fresh(
          frame.s,
          frame.b.map(({ d }) => d),
        );
      }
      return [];
    });
    function fresh(first: number, payloads: unknown[]): unknown[] {
      if (rx === 0) rx = first - 1;
      if (first > rx + 1) throw new Error(`A gap: ${first} came after ${rx}.`);
      const kept = payloads.slice(rx + 1 - first);
      rx += kept.length;
      return kept;
    }
  }
}
