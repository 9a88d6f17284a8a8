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
  readonly data: Uint8Array<ArrayBuffer>;
  /** What travels with it, as JSON text. */
  readonly metaText: string | undefined;
}

/** Writes a batch of messages whose payloads are bytes: one allocation, one copy. */
export function writeBinaryBatch(
  first: number,
  messages: readonly BinaryMessage[],
  ack: number,
): Uint8Array<ArrayBuffer> {
  // what most do not have is not made for each of them
  const metas = messages.some(({ metaText }) => metaText) ? messages.map(metaOf) : [];
  let length = 1 + varintBytes(first) + varintBytes(ack) + varintBytes(messages.length);
  for (const [index, { data }] of messages.entries()) length += partBytes(metas[index] ?? NO_META) + partBytes(data);
  const frame = new Uint8Array(length);
  frame[0] = KIND.batch;
  let at = writeVarint(messages.length, frame, writeVarint(ack, frame, writeVarint(first, frame, 1)));
  for (const [index, { data }] of messages.entries())
    at = writePart(data, frame, writePart(metas[index] ?? NO_META, frame, at));
  return frame;
}

function metaOf({ metaText }: BinaryMessage): Uint8Array {
  return metaText ? toUtf8(metaText) : NO_META;
}

function partBytes({ length }: Uint8Array): number {
  return varintBytes(length) + length;
}

// @returns The offset after it
function writePart(bytes: Uint8Array, into: Uint8Array, offset: number): number {
  const at = writeVarint(bytes.length, into, offset);
  if (bytes.length > 0) into.set(bytes, at);
  return at + bytes.length;
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
