import { ProtocolViolation } from './violation.ts';

// eight groups of seven bits hold 2^53 - 1
const MOST_BYTES = 8;

/** How many bytes a number takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Writes a safe integer from 0, seven bits a byte, the lowest first, and the top bit set on all but the last. @returns The offset after it. */
export function writeVarint(value: number, into: Uint8Array, offset: number): number {
  let rest = value;
  let at = offset;
  // not by shifts: those cut to 32 bits
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) into[at++] = (rest % 0x80) | 0x80;
  into[at++] = rest;
  return at;
}

/** Reads bytes one after the other, and never past their end. */
export class ByteReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #offset = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** @throws {ProtocolViolation} Where the bytes end. */
  byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new ProtocolViolation('a binary frame ends too early');
    this.#offset += 1;
    return byte;
  }

  /** @throws {ProtocolViolation} For a number that is cut off, longer than it need be, or beyond 2^53 - 1. */
  varint(): number {
    let value = 0;
    let weight = 1;
    for (let count = 1; count <= MOST_BYTES; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * weight;
      weight *= 0x80;
      if (byte & 0x80) continue;
      if (byte === 0 && count > 1) throw new ProtocolViolation('a number is longer than it need be');
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw new ProtocolViolation('a number is beyond 2^53 - 1');
  }

  /** A view of the next bytes, not a copy. @throws {ProtocolViolation} When there are not so many. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.remaining) throw new ProtocolViolation('a binary frame ends too early');
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }
}
