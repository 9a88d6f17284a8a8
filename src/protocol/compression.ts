import { KIND } from './binary-frames.ts';
import type { Frame } from './framing.ts';
import { toUtf8 } from './utf8.ts';
import { ByteReader, varintBytes, writeVarint } from './varint.ts';
import { ProtocolViolation, tooBig } from './violation.ts';

/** The capabilities that the two sides agree on: raw deflate of each frame by itself, and with a window over all of a socket. Source: RFC 1951 */
export const DEFLATE_RAW = 'deflate-raw';
export const DEFLATE_WINDOW = 'deflate-window';

/** Below this many bytes nothing is gained by compressing a frame by itself; and with a window. */
export const COMPRESSION_THRESHOLD = 1_024;
export const WINDOW_THRESHOLD = 32;
// what is longer fills a window of 32 KiB by itself, and gains nothing by it
const WINDOW_MOST = 65_536;
// how a frame was compressed, as it says itself
const CODEC = { alone: 1, window: 2 } as const;

/** What compresses and inflates, everywhere synchronously: no frame overtakes another. */
export interface Deflater {
  deflate(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /**
   * Inflates to exactly `length` bytes, and spends no more memory than that.
   *
   * @throws When the data is broken, or has another length.
   */
  inflate(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer>;
}

/** What was agreed on for one socket. */
export interface Compression extends Deflater {
  /** Has all frames in mind that it was given before, in each direction; absent unless it was agreed on. */
  readonly window?: Deflater | undefined;
}

/** What compresses on this platform. */
export interface Deflaters {
  readonly alone: Deflater;
  /** One more of those that have a window. */
  window(): Deflater;
}

/** A frame as it travels: compressed, if that was agreed on and makes it smaller. `mostInflated`: what the other side inflates, in bytes. */
export function packed(frame: Frame, compression: Compression | null, mostInflated: number): Frame {
  const least = compression?.window ? WINDOW_THRESHOLD : COMPRESSION_THRESHOLD;
  // a character takes three bytes at the most
  if (!compression || frame.length * 3 < least) return frame;
  const bytes = typeof frame === 'string' ? toUtf8(frame) : frame;
  // what the other side could not inflate is not made smaller
  return (bytes.length <= mostInflated && compressed(bytes, compression)) || frame;
}

/** A frame around the compressed form of another; `null` when that would not be smaller. */
export function compressed(frame: Uint8Array<ArrayBuffer>, compression: Compression): Uint8Array<ArrayBuffer> | null {
  const { window } = compression;
  // once it is in the window it has to travel so, for what follows is read by it
  if (window && frame.length >= WINDOW_THRESHOLD && frame.length <= WINDOW_MOST)
    return wrapped(CODEC.window, frame.length, window.deflate(frame));
  if (frame.length < COMPRESSION_THRESHOLD) return null;
  const small = wrapped(CODEC.alone, frame.length, compression.deflate(frame));
  return small.length < frame.length ? small : null;
}

function wrapped(codec: number, length: number, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const headBytes = 2 + varintBytes(length);
  const frame = new Uint8Array(headBytes + data.length);
  frame[0] = KIND.compressed;
  frame[1] = codec;
  frame.set(data, writeVarint(length, frame, 2));
  return frame;
}

/** How long a frame is once it is inflated, as it says itself, or as it came: in bytes, and in characters for text. */
export function inflatedLength(data: string | ArrayBuffer): number {
  if (typeof data === 'string') return data.length;
  const frame = new Uint8Array(data);
  return frame[0] === KIND.compressed ? new ByteReader(frame.subarray(2)).varint() : frame.length;
}

/**
 * The frame inside a compressed one.
 *
 * @throws {ProtocolViolation} For a codec that was not agreed on, broken data, or more than `maxInflated` bytes: those are known of before
 *   any memory is spent on them.
 */
export function inflated(
  frame: Uint8Array<ArrayBuffer>,
  compression: Compression,
  maxInflated: number,
): Uint8Array<ArrayBuffer> {
  const reader = new ByteReader(frame);
  reader.byte();
  const deflater = deflaterOf(reader.byte(), compression);
  if (!deflater) throw new ProtocolViolation('a frame is compressed in a way that was not agreed on');
  const length = reader.varint();
  if (length > maxInflated) throw tooBig('an inflated frame', length, maxInflated);
  try {
    return deflater.inflate(reader.take(reader.remaining), length);
  } catch {
    throw new ProtocolViolation('a compressed frame is not what it says');
  }
}

function deflaterOf(codec: number, compression: Compression): Deflater | undefined {
  if (codec === CODEC.alone) return compression;
  return codec === CODEC.window ? compression.window : undefined;
}
