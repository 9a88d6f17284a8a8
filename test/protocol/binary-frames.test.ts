import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readBinaryBatch, writeBinaryBatch } from '../../src/protocol/binary-frames.ts';

const bodies = fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes));
const names = fc.string({ minLength: 1, maxLength: 20 });
const messages = fc.array(
  fc.record({ d: bodies, meta: fc.record({ k: names, c: names, x: fc.maxSafeNat() }, { requiredKeys: [] }) }),
  { minLength: 1, maxLength: 30 },
);

describe('a binary batch', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), messages, fc.maxSafeNat(), (first, batch, ack) => {
        const written = batch.map(({ d, meta }) => ({ data: d, metaText: JSON.stringify(meta) }));
        const frame = writeBinaryBatch(first, written, ack);
        expect(readBinaryBatch(frame)).toEqual({ t: 'bytes', s: first, a: ack, b: batch });
      }),
    );
  });

  test('hands out views of the frame, and no copies', () => {
    const frame = writeBinaryBatch(1, [{ data: new Uint8Array([1, 2]), metaText: undefined }], 0);
    expect(readBinaryBatch(frame).b[0]?.d.buffer).toBe(frame.buffer);
  });

  test('of one message without fields costs six bytes more than the message', () => {
    expect(writeBinaryBatch(1, [{ data: new Uint8Array(10), metaText: undefined }], 0)).toHaveLength(16);
  });

  test('cut off anywhere is refused', () => {
    const frame = writeBinaryBatch(
      300,
      [
        { data: new Uint8Array([1, 2, 3]), metaText: '{"k":"key"}' },
        { data: new Uint8Array(2), metaText: undefined },
      ],
      7,
    );
    for (let length = 0; length < frame.length; length++)
      expect(() => readBinaryBatch(frame.slice(0, length))).toThrow();
  });

  test('that claims more messages than it can hold is refused before anything is made of it', () => {
    const claim = new Uint8Array([1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(() => readBinaryBatch(claim)).toThrow('another length than it says');
  });
});
