import { KIND, readBinaryBatch } from './binary-frames.ts';
import { utf8Bytes } from './codec.ts';
import type { Compression } from './compression.ts';
import type { BinaryBatch, FrameFrom, Limits, Side } from './frames.ts';
import type { FrameData } from '../errors.ts';
import { bytesOf } from './framing.ts';
import { readText } from './text-frames.ts';
import { fromUtf8 } from './utf8.ts';
import { ProtocolViolation, tooBig } from './violation.ts';

/** How frames of the other side are read. */
export interface Reading<From extends Side> {
  from: From;
  /** What this side has said it takes, in bytes. */
  limits: Pick<Limits, 'frame' | 'inflated'>;
  /** `null` unless it was agreed on. */
  compression: Compression | null;
}

/**
 * Reads one frame of `holdfast.v1`. Everything in it that the protocol defines is checked; payloads are the application's.
 *
 * @throws {ProtocolViolation} With the close code that answers it.
 */
export function readFrame<From extends Side>(data: FrameData, reading: Reading<From>): FrameFrom<From> {
  const most = reading.limits.frame;
  if (typeof data === 'string') {
    // a character takes one to three bytes: most frames need no count
    if (data.length > most || (data.length * 3 > most && utf8Bytes(data) > most))
      throw tooBig('a frame', utf8Bytes(data), most);
    return readText(data, reading.from);
  }
  if (data.byteLength > most) throw tooBig('a frame', data.byteLength, most);
  const bytes = bytesOf(data);
  return bytes[0] === KIND.compressed ? readCompressed(bytes, reading) : readBinaryBatch(bytes);
}

// only batches travel compressed: what holds a secret must not have its length depend on what it is next to
function readCompressed<From extends Side>(
  frame: Uint8Array<ArrayBuffer>,
  { from, limits, compression }: Reading<From>,
): FrameFrom<From> | BinaryBatch {
  if (!compression) throw new ProtocolViolation('a frame is compressed, and that was not agreed on');
  const inner = compression.inflate(frame, limits.inflated);
  if (inner[0] === KIND.batch) return readBinaryBatch(inner);
  const read = readText(textOf(inner), from);
  if (read.t === 'batch' || read.t === 'm' || read.t === 'v') return read;
  throw new ProtocolViolation('a frame that is no batch is compressed');
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    throw new ProtocolViolation('a compressed frame is neither text nor a batch');
  }
}
