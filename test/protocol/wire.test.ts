import { describe, expect, test } from 'vitest';

import type { InboundData } from '../../src/errors.ts';
import type { FrameData } from '../../src/errors.ts';
import type { Compression } from '../../src/protocol/compression.ts';
import type { Side } from '../../src/protocol/frames.ts';
import { ProtocolViolation } from '../../src/protocol/violation.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import { dataOf, FRAME_VECTORS, inHex, VECTOR_LIMITS, VIOLATION_VECTORS } from './vectors.ts';
import { makeCompression } from '../support/compression.ts';

// each vector has a socket of its own
const fresh = (): Compression => makeCompression({ hasWindow: true });

const read = (data: FrameData, from: Side, compression = fresh()): unknown =>
  readFrame(data, { from, limits: VECTOR_LIMITS, compression });

function violationOf(data: InboundData, from: Side = 'client', compression: Compression | null = fresh()) {
  try {
    readFrame(data, { from, limits: VECTOR_LIMITS, compression });
  } catch (error) {
    if (error instanceof ProtocolViolation) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a frame', () => {
  test.each(FRAME_VECTORS.map((vector) => [vector.name, vector] as const))('is read: %s', (_name, vector) => {
    const compression = fresh();
    for (const hex of vector.after ?? []) read(dataOf({ hex }), vector.from, compression);
    expect(inHex(read(dataOf(vector), vector.from, compression))).toEqual(vector.means);
  });

  test.each(FRAME_VECTORS.filter(({ hex }) => hex !== undefined).map((vector) => [vector.name, vector] as const))(
    "is read where it is a view of Node's, with other bytes around it: %s",
    (_name, vector) => {
      const compression = fresh();
      const among = (data: InboundData) =>
        Buffer.concat([Buffer.of(255), Buffer.from(data as ArrayBuffer), Buffer.of(255)]).subarray(1, -1);
      for (const hex of vector.after ?? []) read(among(dataOf({ hex })), vector.from, compression);
      const frame = read(among(dataOf(vector)), vector.from, compression);
      expect(inHex(frame)).toEqual(vector.means);
      // a Buffer's own slice() is no copy
      const { b = [] } = frame as { b?: { d: unknown }[] };
      expect(b.filter(({ d }) => Buffer.isBuffer(d))).toEqual([]);
    },
  );

  test.each(VIOLATION_VECTORS.map((vector) => [vector.name, vector] as const))('is refused: %s', (_name, vector) => {
    expect(violationOf(dataOf(vector), vector.from).closeCode).toBe(vector.close);
  });

  test.each([
    ['in characters', 'x'],
    ['in bytes only', 'ü'],
    ['in surrogate pairs', '🪢'],
  ])('that is too big %s is refused', (_how, character) => {
    const fits = `1["${character.repeat(Math.floor((VECTOR_LIMITS.frame - 5) / Buffer.byteLength(character)))}"]`;
    expect(read(fits, 'client')).toMatchObject({ t: 'batch' });
    expect(violationOf(`${fits.slice(0, -2)}${character.repeat(2)}"]`).closeCode).toBe(4006);
  });

  test('of bytes that is too big is refused before it is looked at', () => {
    expect(violationOf(new ArrayBuffer(VECTOR_LIMITS.frame + 1)).closeCode).toBe(4006);
  });

  test('that is compressed is refused where that was not agreed on', () => {
    const vector = FRAME_VECTORS.find(({ name }) => name === 'a compressed batch');
    if (!vector) throw new Error('there is no such vector');
    expect(violationOf(dataOf(vector), 'server', null).closeCode).toBe(4001);
  });

  test('is read without touching a prototype, and payloads keep what they came with', () => {
    const frame = read('1[{"__proto__":{"polluted":true},"constructor":1}]', 'client') as { d: object[] };
    expect(Object.hasOwn(frame.d[0] ?? {}, '__proto__')).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('that is refused is not quoted: it may hold a secret', () => {
    const { message } = violationOf('{"t":"hello","auth":"hunter2","v":"hunter2"');
    expect(message).not.toContain('hunter2');
    expect(violationOf('{"t":"hello","v":1,"auth":["hunter2"]}').message).not.toContain('hunter2');
  });
});
