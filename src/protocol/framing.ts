import type { FrameData } from '../errors.ts';
import { utf8Bytes } from './codec.ts';
import { writeBinaryBatch, type BinaryMessage } from './binary-frames.ts';
import type { WireMeta } from './frames.ts';
import { writeBatch } from './text-frames.ts';

/** A frame of the protocol as it travels. */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** A message as it travels: the JSON text of its payload or its bytes, and what goes with it. */
export interface FramedMessage {
  readonly data: string | Uint8Array<ArrayBuffer>;
  readonly meta?: WireMeta | undefined;
}

/** A message with what it weighs: bytes of its payload, and of what travels with it, as JSON text. */
export interface WeighedMessage extends FramedMessage {
  readonly bytes: number;
  readonly metaBytes: number;
  readonly metaText: string | undefined;
}

// PROTOCOL.md: what a frame should hold at most
const MAX_MESSAGES = 256;
const MAX_FRAME_BYTES = 65_536;
// positions, an acknowledgement and brackets before the messages; commas, braces and lengths around each of them
const HEAD_BYTES = 64;
const EACH_BYTES = 16;

/** The bytes of a frame that is not text, as nothing but bytes: Node's Buffer has ways of its own. */
export function bytesOf(data: Exclude<FrameData, string>): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** `bytes`: of the payload, where they are known. */
export function weighed({ data, meta }: FramedMessage, bytes = lengthOf(data)): WeighedMessage {
  const metaText = meta && JSON.stringify(meta);
  return { data, meta, bytes, metaText, metaBytes: metaText ? utf8Bytes(metaText) : 0 };
}

function lengthOf(data: FramedMessage['data']): number {
  return typeof data === 'string' ? utf8Bytes(data) : data.length;
}

/** What a message counts in a window. */
export function weightOf({ bytes, metaBytes }: WeighedMessage): number {
  return bytes + metaBytes;
}

/** The most bytes that a frame with nothing but this message takes. */
export function frameBytesOf({ bytes, metaBytes }: WeighedMessage): number {
  return HEAD_BYTES + EACH_BYTES + bytes + metaBytes;
}

/** Gathers the next frame: messages of one form, as many as belong into one. */
export class Run {
  readonly #messages: WeighedMessage[] = [];
  readonly #maxBytes: number;
  #bytes = HEAD_BYTES;

  /** `maxBytes`: of a frame, as the other side takes it. */
  constructor(maxBytes: number) {
    this.#maxBytes = Math.min(MAX_FRAME_BYTES, maxBytes);
  }

  get size(): number {
    return this.#messages.length;
  }

  /** Adds a message, if it fits; the first always does. @returns Whether it did. */
  add(message: WeighedMessage): boolean {
    const [first] = this.#messages;
    const bytes = frameBytesOf(message) - HEAD_BYTES;
    const fits =
      this.#messages.length < MAX_MESSAGES &&
      this.#bytes + bytes <= this.#maxBytes &&
      typeof first?.data === typeof message.data;
    if (first && !fits) return false;
    this.#messages.push(message);
    this.#bytes += bytes;
    return true;
  }

  /** The frame, whose first message has this position; `ack` is the position that it acknowledges. */
  frame(first: number, ack: number): Frame {
    return frameOf(this.#messages, first, ack);
  }
}

/** A frame with one message that has no position. */
export function volatileFrame({ data, meta = {} }: FramedMessage): Frame {
  const metaText = JSON.stringify(meta);
  if (typeof data !== 'string') return writeBinaryBatch(0, [{ data, metaText }], 0);
  return `{"t":"v","b":[${withMeta(data, metaText)}]}`;
}

function frameOf(messages: readonly WeighedMessage[], first: number, ack: number): Frame {
  const texts: string[] = [];
  let hasMeta = false;
  for (const { data, metaText } of messages) {
    // a run has one form, so the first says it of all
    if (typeof data !== 'string') return writeBinaryBatch(first, messages as readonly BinaryMessage[], ack);
    texts.push(data);
    hasMeta ||= metaText !== undefined;
  }
  if (!hasMeta) return writeBatch(first, texts, ack > 0 ? ack : undefined);
  const list = messages.map(({ metaText }, index) => withMeta(texts[index] ?? 'null', metaText));
  return `{"t":"m","s":${first},"b":[${list.join(',')}]${ack > 0 ? `,"a":${ack}` : ''}}`;
}

// both are JSON text already: it is put in as it is, not written anew
function withMeta(data: string, metaText = '{}'): string {
  return metaText === '{}' ? `{"d":${data}}` : `{"d":${data},${metaText.slice(1)}`;
}
