import { MessageError } from '../errors.ts';
import { sharedMemory, type Memory } from './slab.ts';
import { utf8Length } from './utf8.ts';

// with the flag u, a pair is one character and only what is left alone matches
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A message in the form it travels in, with its size on the wire. */
export interface EncodedMessage {
  data: string | Uint8Array<ArrayBuffer>;
  /** Bytes of payload: UTF-8 for text. */
  bytes: number;
  /** What `data` is: text as the application gave it, the JSON text of a value, or bytes. */
  form: 'text' | 'json' | 'bytes';
}

/**
 * The plain wire's outbound form: text and bytes go untouched, everything else as JSON. Bytes are copied, so that the
 * caller may reuse its buffer while the message waits.
 *
 * @throws {MessageError} `NOT_ENCODABLE` when JSON cannot hold the value: a cycle, a BigInt, a function, `undefined`; and for a Blob.
 */
export function encodePlain(message: unknown, memory?: Memory): EncodedMessage {
  if (typeof message === 'string') return encodeText(message);
  if (message instanceof ArrayBuffer || ArrayBuffer.isView(message)) return encodeBytes(message, memory);
  if (isBlob(message)) {
    throw new MessageError('NOT_ENCODABLE', {
      message: 'A Blob cannot be sent as it is: send what its arrayBuffer() gives.',
    });
  }
  return encodeJson(message);
}

/**
 * Text, untouched.
 *
 * @throws {MessageError} `NOT_ENCODABLE` for a lone surrogate: UTF-8 has no form for it, and the platform would send another
 *   character in its place without a word.
 */
export function encodeText(text: string): EncodedMessage {
  if (LONE_SURROGATE.test(text))
    throw new MessageError('NOT_ENCODABLE', { message: 'The text holds a lone surrogate, which cannot travel.' });
  return { data: text, bytes: utf8Bytes(text), form: 'text' };
}

// what the platform counts is counted many times faster than here, once the text is worth the call
const { Buffer: node } = globalThis as { Buffer?: { byteLength(text: string): number } };
const WORTH_A_CALL = 32;
// of a browser, which is slower to call
const WORTH_ITS_CALL = 512;

/** The length of a text in UTF-8. A lone surrogate counts as the three bytes of U+FFFD, which replaces it on the wire. */
export function utf8Bytes(text: string): number {
  if (node && text.length >= WORTH_A_CALL) return node.byteLength(text);
  if (text.length >= WORTH_ITS_CALL) return utf8Length(text);
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // two units of a pair make four bytes; any other unit from 0x800 makes three
    const isPairStart = unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1));
    if (isPairStart) index++;
    bytes += isPairStart || unit >= 0x800 ? 2 : 1;
  }
  return bytes;
}

/**
 * A copy of bytes, so that the caller may reuse its buffer while the message waits. `memory`: where it goes. @default such as small ones
 * share
 *
 * @throws {MessageError} `NOT_ENCODABLE` for a buffer that was detached.
 */
export function encodeBytes(message: ArrayBuffer | ArrayBufferView, memory: Memory = sharedMemory): EncodedMessage {
  try {
    return copied(message, memory);
  } catch (cause) {
    throw new MessageError('NOT_ENCODABLE', { message: 'The bytes are gone: their buffer was detached.', cause });
  }
}

function copied(message: ArrayBuffer | ArrayBufferView, memory: Memory): EncodedMessage {
  const view = viewOf(message);
  const data = memory.take(view.length);
  data.set(view);
  return { data, bytes: view.length, form: 'bytes' };
}

function viewOf(message: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (message instanceof Uint8Array) return message;
  return ArrayBuffer.isView(message)
    ? new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
    : new Uint8Array(message);
}

/**
 * A value as JSON text. JSON escapes lone surrogates, so every string travels.
 *
 * @throws {MessageError} `NOT_ENCODABLE` when JSON cannot hold the value: a cycle, a BigInt, a function, `undefined`.
 */
export function encodeJson(message: unknown): EncodedMessage {
  try {
    // TypeScript's library leaves out that a function, a symbol and undefined have no JSON form
    const text: unknown = JSON.stringify(message);
    if (typeof text === 'string') return { data: text, bytes: utf8Bytes(text), form: 'json' };
  } catch (cause) {
    throw new MessageError('NOT_ENCODABLE', { cause });
  }
  throw new MessageError('NOT_ENCODABLE', { message: `A value of type ${typeof message} has no JSON form.` });
}

// by its tag: this room knows no platform, and JSON would make an empty object of it without a word
function isBlob(message: unknown): boolean {
  return /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(message));
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
