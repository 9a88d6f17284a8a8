import { describe, expect, test } from 'vitest';

import { ownMemory, sharedMemory, Slab, type Memory } from '../../src/protocol/slab.ts';

/** Takes copies of these lengths, fills each with a value of its own, and looks that none has touched another. */
function taken(memory: Memory, lengths: readonly number[]): Uint8Array[] {
  const all = lengths.map((length, index) => memory.take(length).fill(index % 251));
  for (const [index, bytes] of all.entries()) {
    expect(bytes.length).toBe(lengths[index]);
    expect(bytes.every((byte) => byte === index % 251)).toBe(true);
  }
  return all;
}

function buffers(copies: readonly Uint8Array[]): number[] {
  return [...new Set(copies.map(({ buffer }) => buffer))].map(({ byteLength }) => byteLength);
}

describe('a slab', () => {
  test('begins anew with each turn, with memory of its own for the first two', () => {
    const slab = new Slab(ownMemory);
    const first = taken(slab, [4_096, 4_096, 4_096, 4_096]);
    expect(buffers(first)).toEqual([4_096, 4_096, 8_192]);
    slab.rest();
    const second = taken(slab, [4_096, 4_096]);
    expect(buffers([...first, ...second])).toEqual([4_096, 4_096, 8_192, 4_096, 4_096]);
  });

  test('grows with the turn, never past what was copied before, nor 64 KiB', () => {
    const copies = taken(
      new Slab(ownMemory),
      Array.from({ length: 200 }, () => 4_096),
    );
    expect(buffers(copies).slice(0, 7)).toEqual([4_096, 4_096, 8_192, 16_384, 32_768, 65_536, 65_536]);
    expect(Math.max(...buffers(copies))).toBe(65_536);
    expect(buffers(copies).length).toBeLessThan(20);
  });

  test.each([1, 64, 700, 4_096, 30_000])(
    'is never more than half empty, nor kept by less than a sixteenth of it: %i bytes',
    (length) => {
      const slab = new Slab(ownMemory);
      let copied = 0;
      const all = new Set<ArrayBufferLike>();
      for (let index = 0; index < 300; index++) {
        const { buffer } = slab.take(length);
        all.add(buffer);
        copied += length;
        expect(buffer.byteLength).toBeLessThanOrEqual(length * 16);
        expect([...all].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(copied * 2 + 1);
      }
    },
  );

  test('leaves copies of any other lengths where they keep little, and touches none with another', () => {
    let seed = 7;
    const lengths = Array.from(
      { length: 3_000 },
      () => (seed = (seed * 48_271) % 0x7fffffff) % ([10, 600, 5_000, 90_000][seed % 4] ?? 1),
    );
    const copies = taken(new Slab(sharedMemory), lengths);
    for (const { buffer, length } of copies)
      expect(buffer.byteLength, String(length)).toBeLessThanOrEqual(Math.max(4_096, length * 16));
  });

  test('does not let go of a slab for a copy that does not suit it', () => {
    const slab = new Slab(ownMemory);
    taken(
      slab,
      Array.from({ length: 20 }, () => 4_096),
    );
    const { buffer } = slab.take(4_096);
    expect(slab.take(3).buffer.byteLength).toBe(3);
    // it would lie alone in any other
    expect(slab.take(50_000).buffer.byteLength).toBe(50_000);
    expect(slab.take(4_096).buffer).toBe(buffer);
  });
});

test.each([
  ['a slab', () => new Slab(sharedMemory)],
  ['what all share', () => sharedMemory],
])('an empty copy from %s has memory that nobody can take from the others', (_, memoryOf: () => Memory) => {
  const memory = memoryOf();
  const [one, other] = [memory.take(0), memory.take(0)];
  expect([one.buffer.byteLength, one.buffer === other.buffer]).toEqual([0, false]);
  structuredClone(one.buffer, { transfer: [one.buffer] });
  expect(memory.take(0).length).toBe(0);
});

test('small copies of everybody share 4 KiB, and others share nothing', () => {
  const copies = taken(
    sharedMemory,
    Array.from({ length: 500 }, (_, n) => 1 + ((n * 37) % 600)),
  );
  for (const { buffer, length } of copies) expect(buffer.byteLength).toBe(length > 512 ? length : 4_096);
  expect(buffers(copies.filter(({ length }) => length <= 512)).length).toBeLessThan(40);
});
