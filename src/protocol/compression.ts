import { KIND } from './binary-frames.ts';
import type { FrameData } from '../errors.ts';
import { bytesOf, type Frame } from './framing.ts';
import { toUtf8 } from './utf8.ts';
import { ByteReader } from './varint.ts';

/** The capabilities that the two sides agree on: raw deflate of each frame by itself, and with a window over all of a socket. Source: RFC 1951 */
export const DEFLATE_RAW = 'deflate-raw';
export const DEFLATE_WINDOW = 'deflate-window';

/** What compresses and inflates. */
export interface Deflater {
  deflate(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /**
   * Inflates to exactly `length` bytes, and spends no more memory than that.
   *
   * @throws When the data is broken, or has another length.
   */
  inflate(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer>;
}

/** How frames are compressed on one socket, both ways: at once, so that none overtakes another. */
export interface Compression {
  /** Below this many bytes nothing is gained. */
  readonly threshold: number;
  /** A frame around the compressed form of another; `null` when it is to travel as it is. */
  compress(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null;
  /** Something that was compressed did not travel: nothing goes into the window any more, for the other side's has a gap. What comes is read by it all the same. */
  abandon(): void;
  /**
   * The frame inside a compressed one.
   *
   * @throws {ProtocolViolation} For a codec that was not agreed on, broken data, or more than `maxInflated` bytes: those are known of before
   *   any memory is spent on them.
   */
  inflate(frame: Uint8Array<ArrayBuffer>, maxInflated: number): Uint8Array<ArrayBuffer>;
}

/** Makes that of a socket: with a window, if that was agreed on. */
export type MakeCompression = (agreed: { hasWindow: boolean }) => Compression;

/** A frame as it travels: compressed, if that was agreed on and is worth it. `maxInflated`: what the other side inflates, in bytes. */
export function packed(frame: Frame, compression: Compression | null, maxInflated: number): Frame {
  // a character takes three bytes at the most
  if (!compression || frame.length * 3 < compression.threshold) return frame;
  const bytes = typeof frame === 'string' ? toUtf8(frame) : frame;
  // what the other side could not inflate is not made smaller
  const fits = bytes.length >= compression.threshold && bytes.length <= maxInflated;
  return (fits && compression.compress(bytes)) || frame;
}

/** How long a frame is once it is inflated, as it says itself, or as it came: in bytes, and in characters for text. */
export function inflatedLength(data: FrameData): number {
  if (typeof data === 'string') return data.length;
  const frame = bytesOf(data);
  return frame[0] === KIND.compressed ? new ByteReader(frame.subarray(2)).varint() : frame.length;
}
