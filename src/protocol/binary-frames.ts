import { checkOf } from './fields.ts';
import { MESSAGE_META, type BinaryBatch, type WireMeta } from './frames.ts';
import { fromUtf8, toUtf8 } from './utf8.ts';
import { ByteReader, varintBytes, writeVarint } from './varint.ts';
import { ProtocolViolation } from './violation.ts';

/** The first byte of a binary frame. */
export const KIND = { batch: 1, compressed: 2 } as const;

const checkMeta = checkOf(MESSAGE_META);
const NO_META = new Uint8Array(0);

export interface BinaryMessage {
  d: Uint8Array<ArrayBuffer>;
  /** What travels with it, as JSON text. */
  metaText?: string | undefined;
}

/** Writes a batch of messages whose payloads are bytes: one allocation, one copy. */
export function writeBinaryBatch(
  first: number,
  messages: readonly BinaryMessage[],
  ack: number,
): Uint8Array<ArrayBuffer> {
  const parts = messages.map(({ d, metaText }) => ({ d, meta: metaText ? toUtf8(metaText) : NO_META }));
  let length = 1 + varintBytes(first) + varintBytes(ack) + varintBytes(parts.length);
  for (const { d, meta } of parts) length += varintBytes(meta.length) + meta.length + varintBytes(d.length) + d.length;
  const frame = new Uint8Array(length);
  frame[0] = KIND.batch;
  let at = writeVarint(parts.length, frame, writeVarint(ack, frame, writeVarint(first, frame, 1)));
  const put = (bytes: Uint8Array): void => {
    at = writeVarint(bytes.length, frame, at);
    frame.set(bytes, at);
    at += bytes.length;
  };
  for (const { d, meta } of parts) {
    put(meta);
    put(d);
  }
  return frame;
}

/**
 * Reads a binary batch. The payloads are views of the frame, not copies.
 *
 * @throws {ProtocolViolation} For anything that PROTOCOL.md does not allow.
 */
export function readBinaryBatch(frame: Uint8Array<ArrayBuffer>): BinaryBatch {
  const reader = new ByteReader(frame);
  if (reader.byte() !== KIND.batch) throw new ProtocolViolation('a binary frame is of no known kind');
  const first = reader.varint();
  const ack = reader.varint();
  const count = reader.varint();
  // the shortest message takes two bytes: a count that cannot be true is known before anything is made of it
  if (count === 0 || count > reader.remaining / 2)
    throw new ProtocolViolation('a binary batch has another length than it says');
  const messages: BinaryBatch['b'] = [];
  for (let index = 0; index < count; index++) {
    const meta = readMeta(reader.take(reader.varint()));
    messages.push({ meta, d: reader.take(reader.varint()) });
  }
  if (reader.remaining > 0) throw new ProtocolViolation('a binary batch has another length than it says');
  return { t: 'bytes', s: first, a: ack, b: messages };
}

function readMeta(bytes: Uint8Array<ArrayBuffer>): WireMeta {
  if (bytes.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch {
    throw new ProtocolViolation('the fields of a binary message are no JSON');
  }
  return checkMeta(value, 'message');
}
