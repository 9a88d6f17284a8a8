import { clampCloseReason, WireClose } from '../protocol/close-codes.ts';
import { inflatedLength, packed } from '../protocol/compression.ts';
import type { FrameFrom, Limits, ServerFrame } from '../protocol/frames.ts';
import { writeText } from '../protocol/text-frames.ts';
import { ProtocolViolation } from '../protocol/violation.ts';
import { readFrame } from '../protocol/wire.ts';
import type { FrameData } from '../errors.ts';
import type { Frame } from '../protocol/framing.ts';
import type { Agreement } from './deflation.ts';
import type { ServerSettings } from './options.ts';
import type { HandshakeRequest, ServerSocket, SocketEvents } from './socket.ts';
import { TokenBucket } from './token-bucket.ts';

/** Who reads what comes over a link. */
export interface LinkReader {
  /** A frame that the protocol allows; `bytes` is its length once it is inflated, in characters for text. May throw a {@link ProtocolViolation}. */
  received(frame: FrameFrom<'client'>, bytes: number): void;
  /** Nothing more comes, and nothing that is sent arrives. Called once. */
  lost(): void;
}

/** An error that ends a link: it is told by `err`, then the link is closed. */
export interface FatalError {
  closeCode: number;
  /** Stable, for programs. */
  code: string;
  /** For developers. */
  message: string;
  temporary: boolean;
  retryAfterMs?: number;
}

export interface LinkOptions {
  socket: ServerSocket;
  request: HandshakeRequest;
  settings: ServerSettings;
  /** Hears of a fault of ours in reading. */
  fault: (cause: unknown) => void;
  /** The socket is gone for good. */
  gone: (link: Link, code: number) => void;
}

// how long a client may take to answer a close
const CLOSE_GRACE_MS = 5_000;
const RATE_RETRY_MS = 1_000;

/**
 * One socket of a client: frames in both directions, held to the limits. Whose they are, its reader knows. Once it is closed it says and
 * hears nothing, whatever the socket does.
 */
export class Link implements SocketEvents<FrameData> {
  readonly request: HandshakeRequest;
  readonly openedAt: number;
  /** What the client takes; known from its `hello` on. */
  limits: Limits = { frame: 0, inflated: 0, win: { m: 0, b: 0 } };
  /** What the client may still send; that of its session, once it has one. */
  rate: TokenBucket;
  readonly #options: LinkOptions;
  #reader: LinkReader | undefined;
  #heardAt: number;
  // the code it was closed with, and when; undefined while it is open
  #closing: { code: number; at: number } | undefined;
  #isGone = false;
  // what was agreed on; known from its `hello` on
  #agreement: Agreement | undefined;

  constructor(options: LinkOptions) {
    const { clock, limits } = options.settings;
    this.#options = options;
    this.request = options.request;
    this.openedAt = this.#heardAt = clock.now();
    this.rate = new TokenBucket(limits.messagesPerSecond, this.openedAt);
  }

  get isOpen(): boolean {
    return this.#closing === undefined;
  }

  /** When the client was last heard. */
  get heardAt(): number {
    return this.#heardAt;
  }

  get bufferedBytes(): number {
    return this.#options.socket.bufferedBytes;
  }

  /** Hands the link to another reader. */
  readBy(reader: LinkReader): void {
    this.#reader = reader;
  }

  received(data: FrameData): void {
    if (!this.isOpen) return;
    this.heard();
    try {
      const { limits } = this.#options.settings;
      const most = { frame: limits.frameBytes, inflated: limits.inflatedBytes };
      const frame = readFrame(data, {
        from: 'client',
        limits: most,
        compression: this.#agreement?.compression ?? null,
      });
      if (this.#isWithinRate(frame)) this.#reader?.received(frame, inflatedLength(data));
    } catch (error) {
      if (error instanceof ProtocolViolation) this.close(error.closeCode, error.message);
      else this.#fault(error);
    }
  }

  heard(): void {
    this.#heardAt = this.#options.settings.clock.now();
  }

  closed(code: number): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#end(code);
    this.#options.gone(this, this.#closing?.code ?? code);
  }

  /** Sends a frame that is no batch. */
  send(frame: ServerFrame): void {
    this.#write(writeText(frame));
  }

  /** From now on frames are compressed as was agreed on. One that is closed by now ends that at once. */
  agree(agreement: Agreement): void {
    if (this.isOpen) this.#agreement = agreement;
    else agreement.end();
  }

  /** Another socket is about to have its session: that one may have the window. */
  yield(): void {
    this.#agreement?.end();
  }

  /** Sends a batch, compressed if that was agreed on and is worth it. */
  sendBatch(frame: Frame): void {
    const { compression = null } = this.#agreement ?? {};
    if (this.isOpen) this.#write(packed(frame, compression, this.limits.inflated));
  }

  /** Calls `write`; what is sent within may leave in one piece. */
  batch(write: () => void): void {
    this.#options.socket.batch(write);
  }

  /** Tells the client what is wrong, and closes. */
  fail({ closeCode, code, message, temporary, retryAfterMs }: FatalError): void {
    const retry = retryAfterMs === undefined ? {} : { ra: retryAfterMs };
    this.send({ t: 'err', c: code, m: message, temp: temporary, ...retry, fatal: true });
    this.close(closeCode, message);
  }

  /** Closes; from now on nothing is sent or heard. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#end(code);
    this.#options.socket.close(code, clampCloseReason(reason));
  }

  /** Ends the socket at once. */
  terminate(): void {
    this.#end(WireClose.draining);
    this.#options.socket.terminate();
  }

  /** Looks whether the link has outlived a deadline. `silenceMs`: how long the client may say nothing. */
  look(now: number, silenceMs: number): void {
    if (this.#closing) {
      if (now - this.#closing.at >= CLOSE_GRACE_MS) this.#options.socket.terminate();
    } else if (now - this.#heardAt >= silenceMs) {
      this.close(WireClose.pingTimeout, 'nothing was heard in time');
    }
  }

  #end(code: number): void {
    if (this.#closing) return;
    this.#closing = { code, at: this.#options.settings.clock.now() };
    this.#agreement?.end();
    // its session may remember it for long
    this.#agreement = undefined;
    this.#reader?.lost();
    this.#reader = undefined;
  }

  #write(frame: Frame): void {
    if (!this.isOpen) return;
    const { socket, settings } = this.#options;
    try {
      socket.send(frame);
    } catch (cause) {
      // whatever followed would be missing it: the session goes on with the client's next socket
      this.#options.fault(cause);
      return this.terminate();
    }
    if (socket.bufferedBytes > settings.limits.bufferedBytes) this.close(WireClose.slowConsumer, 'too slow a reader');
  }

  #isWithinRate(frame: FrameFrom<'client'>): boolean {
    if (this.rate.take(countOf(frame), this.#options.settings.clock.now())) return true;
    this.fail({
      closeCode: WireClose.rateLimited,
      code: 'RATE_LIMITED',
      message: 'too many messages in a second',
      temporary: true,
      retryAfterMs: RATE_RETRY_MS,
    });
    return false;
  }

  #fault(cause: unknown): void {
    this.#options.fault(cause);
    this.fail({
      closeCode: WireClose.serverFault,
      code: 'SERVER_FAULT',
      message: 'a fault of the server',
      temporary: true,
    });
  }
}

// a frame without messages costs as much as one with one
function countOf(frame: FrameFrom<'client'>): number {
  if (frame.t === 'batch') return frame.d.length;
  return 'b' in frame ? frame.b.length : 1;
}
