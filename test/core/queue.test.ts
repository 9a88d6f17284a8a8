import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { BoundedQueue } from '../../src/core/queue.ts';

interface Item {
  name: string;
  bytes: number;
}

function queueOf(...items: Item[]): BoundedQueue<Item> {
  const queue = new BoundedQueue<Item>();
  for (const item of items) queue.push(item);
  return queue;
}

const a = { name: 'a', bytes: 3 };
const b = { name: 'b', bytes: 0 };
const c = { name: 'c', bytes: 5 };

describe('a bounded queue', () => {
  test('gives its items in the order they came', () => {
    const queue = queueOf(a, b, c);
    expect([queue.take(), queue.take(), queue.take(), queue.take()]).toEqual([a, b, c, undefined]);
  });

  test('keeps the order of the rest when one is removed', () => {
    const queue = queueOf(a, b, c);
    expect(queue.remove(b)).toBe(true);
    expect([queue.take(), queue.take()]).toEqual([a, c]);
  });

  test('does not count what it does not hold', () => {
    const queue = queueOf(a);
    expect([queue.remove(c), queue.remove(a), queue.remove(a)]).toEqual([false, true, false]);
    expect([queue.size, queue.bytes]).toEqual([0, 0]);
  });

  test.each([
    { bytes: 2, maxMessages: 3, maxBytes: 10, fits: true },
    { bytes: 3, maxMessages: 3, maxBytes: 10, fits: false },
    { bytes: 0, maxMessages: 3, maxBytes: 8, fits: true },
    { bytes: 0, maxMessages: 2, maxBytes: 100, fits: false },
    { bytes: 0, maxMessages: 1, maxBytes: 100, fits: false },
  ])('with 2 items and 8 bytes says $fits to $bytes more within $maxMessages and $maxBytes', (given) => {
    expect(queueOf(a, c).fits(given.bytes, given)).toBe(given.fits);
  });

  test('knows its size and bytes after any sequence of pushes, takes and removals', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), bytes: fc.nat(1_000) }),
      fc.record({ kind: fc.constantFrom('take' as const, 'remove' as const), at: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new BoundedQueue<Item>();
        const model: Item[] = [];
        for (const [index, taken] of steps.entries()) {
          if (taken.kind === 'push') {
            const item = { name: `${index}`, bytes: taken.bytes };
            queue.push(item);
            model.push(item);
          } else if (taken.kind === 'take') {
            expect(queue.take()).toBe(model.shift());
          } else {
            const [gone] = model.splice(taken.at % (model.length + 1), 1);
            expect(queue.remove(gone ?? a)).toBe(gone !== undefined);
          }
          expect(queue.size).toBe(model.length);
          expect(queue.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0));
        }
      }),
    );
  });

  test('goes on after it was emptied, and after the oldest was removed', () => {
    const [b, c] = [
      { name: 'b', bytes: 1 },
      { name: 'c', bytes: 1 },
    ];
    const queue = queueOf(a);
    expect([queue.take(), queue.take()]).toEqual([a, undefined]);
    queue.push(b);
    queue.push(c);
    queue.remove(b);
    queue.push(a);
    expect([queue.take(), queue.take(), queue.take()]).toEqual([c, a, undefined]);
  });
});
