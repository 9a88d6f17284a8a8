import { KIND } from './binary-frames.ts';
import { ByteReader, varintBytes, writeVarint } from './varint.ts';
import { ProtocolViolation, tooBig } from './violation.ts';

/** Below this many bytes nothing is gained by compressing. */
export const COMPRESSION_THRESHOLD = 1_024;
// raw deflate, the one codec of version 1. Source: RFC 1951
const DEFLATE_RAW_BYTE = 1;

/** What compresses and inflates: pako in browsers, zlib in Node. Both are synchronous, so that no frame overtakes another. */
export interface Deflater {
  deflate(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /**
   * Inflates to exactly `length` bytes, and spends no more memory than that.
   *
   * @throws When the data is broken, or has another length.
   */
  inflate(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer>;
}

/** A frame around the compressed form of another; `null` when that would not be smaller. */
export function compressed(frame: Uint8Array<ArrayBuffer>, deflater: Deflater): Uint8Array<ArrayBuffer> | null {
  if (frame.length < COMPRESSION_THRESHOLD) return null;
  const data = deflater.deflate(frame);
  const headBytes = 2 + varintBytes(frame.length);
  if (headBytes + data.length >= frame.length) return null;
  const wrapped = new Uint8Array(headBytes + data.length);
  wrapped[0] = KIND.compressed;
  wrapped[1] = DEFLATE_RAW_BYTE;
  wrapped.set(data, writeVarint(frame.length, wrapped, 2));
  return wrapped;
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
 * @throws {ProtocolViolation} For an unknown codec, broken data, or more than `maxInflated` bytes: those are known of before any
 *   memory is spent on them.
 */
export function inflated(
  frame: Uint8Array<ArrayBuffer>,
  deflater: Deflater,
  maxInflated: number,
): Uint8Array<ArrayBuffer> {
  const reader = new ByteReader(frame);
  if (reader.byte() !== KIND.compressed || reader.byte() !== DEFLATE_RAW_BYTE)
    throw new ProtocolViolation('a frame is compressed in no known way');
  const length = reader.varint();
  if (length > maxInflated) throw tooBig('an inflated frame', length, maxInflated);
  try {
    return deflater.inflate(reader.take(reader.remaining), length);
  } catch {
    throw new ProtocolViolation('a compressed frame is not what it says');
  }
}
