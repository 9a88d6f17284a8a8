import fc from 'fast-check';
import { expect, test } from 'vitest';

import { frameBytesOf } from '../../src/protocol/framing.ts';
import { outbound } from '../../src/server/outbound.ts';
import { Receipt } from '../../src/server/receipt.ts';
import { Waitlist, type Waiting } from '../../src/server/waitlist.ts';

const NONE = new Set<string>();

function waiting(data: unknown, channel?: string): Waiting {
  const message = outbound(data, channel === undefined ? {} : { channel });
  return { message, receipt: new Receipt(message.meta) };
}

function most(messages: number): { messages: number; bytes: number } {
  return { messages, bytes: Infinity };
}

function listOf(...items: Waiting[]): Waitlist {
  const list = new Waitlist();
  for (const item of items) list.push(item);
  return list;
}

test('the first are taken in order, and what is left weighs what it did', () => {
  const [a, b, c] = [waiting('a'), waiting('bb'), waiting('ccc')];
  const list = listOf(a, b, c);
  const first = list.first(most(2), NONE);
  list.remove(first);
  expect([first, list.all, list.size]).toEqual([[a, b], [c], 1]);
  expect(list.bytes).toBe(frameBytesOf(c.message));
});

test('those of channels that are held back are passed over', () => {
  const [a, b, c] = [waiting('a', 'room'), waiting('b'), waiting('c', 'other')];
  const list = listOf(a, b, c);
  expect(list.first(most(1), new Set(['room']))).toEqual([b]);
  list.remove([b]);
  expect(list.first(most(9), new Set(['room']))).toEqual([c]);
  expect(list.all).toEqual([a, c]);
});

test('no more bytes are taken at once than are asked for, but one at least', () => {
  const [a, b, c] = [waiting('a'), waiting('bb'), waiting('ccc')];
  const list = listOf(a, b, c);
  const two = frameBytesOf(a.message) + frameBytesOf(b.message);
  const taken = [two, two - 1, 0].map((bytes) => list.first({ messages: 9, bytes }, NONE));
  expect(taken).toEqual([[a, b], [a], [a]]);
});

test('those that are here no more are not taken out twice', () => {
  const [a, b] = [waiting('a'), waiting('b')];
  const list = listOf(a, b);
  list.remove([a]);
  list.remove([a]);
  expect([list.all, list.bytes]).toEqual([[b], frameBytesOf(b.message)]);
});

test('it is a list, whatever is taken from where', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ every: fc.integer({ min: 2, max: 5 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const list = new Waitlist();
      let model: Waiting[] = [];
      for (const { push = 0, take = 0, every = 0 } of steps as { push?: number; take?: number; every?: number }[]) {
        const added = Array.from({ length: push }, (_, index) => waiting(index));
        for (const item of added) list.push(item);
        model.push(...added);
        const gone = every > 0 ? model.filter((_, index) => index % every === 1) : list.first(most(take), NONE);
        if (every === 0) expect(gone).toEqual(model.slice(0, take));
        list.remove(gone);
        model = model.filter((item) => !gone.includes(item));
        expect(list.size).toBe(model.length);
      }
      expect(list.all).toEqual(model);
      expect(list.bytes).toBe(model.reduce((sum, { message }) => sum + frameBytesOf(message), 0));
    }),
    { numRuns: 50 },
  );
});
