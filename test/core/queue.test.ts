import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { LaneQueue, PATIENCE, PRIORITIES, type Priority, type Queueable } from '../../src/core/queue.ts';

interface Item extends Queueable<Item> {
  readonly name: string;
}

const ROOMY = { maxMessages: 1_000, maxBytes: 1_000_000 };

function item(name: string, { priority = 'normal', bytes = 1 }: { priority?: Priority; bytes?: number } = {}): Item {
  return { name, priority, bytes, previous: null, next: null };
}

function queueOf(...items: Item[]): LaneQueue<Item> {
  const queue = new LaneQueue<Item>();
  for (const each of items) queue.push(each);
  return queue;
}

function names(items: Iterable<Item>): string {
  return [...items].map(({ name }) => name).join(' ');
}

/** Everything that is left, in the order in which it is taken. */
function taken(queue: LaneQueue<Item>): string {
  const order: Item[] = [];
  for (let next = queue.take(); next; next = queue.take()) order.push(next);
  return names(order);
}

describe('a queue with lanes', () => {
  test('gives the items of a lane in the order they came (original fault 8)', () => {
    const queue = queueOf(item('a'), item('b'), item('c'));
    expect([taken(queue), queue.take()]).toEqual(['a b c', undefined]);
  });

  test('gives a stronger lane before a weaker one (original fault 12)', () => {
    const queue = queueOf(
      ...(['low', 'normal', 'critical', 'high', 'critical'] as const).map((priority, index) =>
        item(`${priority}${index}`, { priority }),
      ),
    );
    expect(names(queue)).toBe('critical2 critical4 high3 normal1 low0');
    expect(taken(queue)).toBe('critical2 critical4 high3 normal1 low0');
  });

  test('gives one lane alone when it is named, and leaves the others where they are', () => {
    const queue = queueOf(item('a'), item('!', { priority: 'critical' }), item('b'));
    expect([queue.take('critical')?.name, queue.take('critical'), taken(queue)]).toEqual(['!', undefined, 'a b']);
  });

  test(`lets a waiting lane be passed over ${PATIENCE} times, and serves it then`, () => {
    const queue = queueOf(item('weak', { priority: 'low' }));
    const served: string[] = [];
    for (let turn = 0; turn < 2 * PATIENCE; turn++) {
      queue.push(item('strong', { priority: 'high' }));
      served.push(queue.take()?.name ?? '');
    }
    expect(served.indexOf('weak')).toBe(PATIENCE);
    expect(served.filter((name) => name === 'weak')).toHaveLength(1);
  });

  test('serves a lane whose patience was over once, and lets it be passed over as often again', () => {
    const queue = queueOf(item('weak', { priority: 'low' }), item('weak', { priority: 'low' }));
    const served: string[] = [];
    for (let turn = 0; turn < 2 * PATIENCE + 2; turn++) {
      queue.push(item('strong', { priority: 'high' }));
      served.push(queue.take()?.name ?? '');
    }
    const weak = [...served.entries()].filter(([, name]) => name === 'weak').map(([turn]) => turn);
    expect(weak).toEqual([PATIENCE, 2 * PATIENCE + 1]);
  });

  test('counts the patience of a lane from when it has something to send', () => {
    const queue = new LaneQueue<Item>();
    const strong = (): void => {
      queue.push(item('strong', { priority: 'high' }));
      expect(queue.take()?.name).toBe('strong');
    };
    for (let turn = 0; turn < 2 * PATIENCE; turn++) strong();
    queue.push(item('weak', { priority: 'low' }));
    for (let turn = 0; turn < PATIENCE; turn++) strong();
    queue.push(item('strong', { priority: 'high' }));
    expect(queue.take()?.name).toBe('weak');
  });

  test('shows the one that comes next, also when that is one whose patience is over', () => {
    const queue = queueOf(item('weak', { priority: 'low' }));
    for (let turn = 0; turn <= PATIENCE; turn++) {
      queue.push(item(`strong${turn}`, { priority: 'high' }));
      const next = queue.peek();
      expect(queue.take()).toBe(next);
    }
    expect(queue.peek()?.name).toBe(`strong${PATIENCE}`);
    expect(new LaneQueue<Item>().peek()).toBeUndefined();
  });

  test('takes back at the head of its lane what was taken', () => {
    const queue = queueOf(item('a'), item('b'));
    const first = queue.take();
    if (first) queue.unshift(first);
    expect(taken(queue)).toBe('a b');
  });

  test('puts a newer item where an older one waited', () => {
    const older = item('b');
    const queue = queueOf(item('a'), older, item('c'));
    queue.replace(older, item('B', { bytes: 5 }));
    expect([names(queue), queue.bytes, older.previous, older.next]).toEqual(['a B c', 7, null, null]);
    const first = queue.peek();
    if (first) queue.replace(first, item('A'));
    expect(taken(queue)).toBe('A B c');
  });

  test.each([
    { bytes: 2, maxMessages: 3, maxBytes: 10, fits: true },
    { bytes: 3, maxMessages: 3, maxBytes: 10, fits: false },
    { bytes: 0, maxMessages: 3, maxBytes: 8, fits: true },
    { bytes: 0, maxMessages: 2, maxBytes: 100, fits: false },
    { bytes: 0, maxMessages: 1, maxBytes: 100, fits: false },
  ])('with 2 items and 8 bytes says $fits to $bytes more within $maxMessages and $maxBytes', (given) => {
    expect(queueOf(item('a', { bytes: 3 }), item('c', { bytes: 5 })).fits(given.bytes, given)).toBe(given.fits);
  });

  test('does as four plain lists would, whatever is pushed, taken, put back, replaced and removed', () => {
    const step = fc.record({
      kind: fc.constantFrom('push', 'push', 'push', 'take', 'remove', 'return', 'replace'),
      priority: fc.constantFrom(...PRIORITIES),
      bytes: fc.nat(1_000),
      at: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new LaneQueue<Item>();
        const lanes: Record<Priority, Item[]> = { critical: [], high: [], normal: [], low: [] };
        const all = (): Item[] => PRIORITIES.flatMap((priority) => lanes[priority]);
        for (const [index, { kind, priority, bytes, at }] of steps.entries()) {
          const fresh = item(`${index}`, { priority, bytes });
          const picked = all()[at % (all().length || 1)];
          const lane = picked && lanes[picked.priority];
          if (kind === 'push') {
            queue.push(fresh);
            lanes[priority].push(fresh);
          } else if (kind === 'take' || kind === 'return') {
            const next = queue.take();
            // fewer steps than anybody's patience: strict priority
            expect(next).toBe(all()[0]);
            if (next && kind === 'return') queue.unshift(next);
            else if (next) lanes[next.priority].shift();
          } else if (picked && lane && kind === 'remove') {
            queue.remove(picked);
            lane.splice(lane.indexOf(picked), 1);
          } else if (picked && lane) {
            const newer = item(`${index}`, { priority: picked.priority, bytes });
            queue.replace(picked, newer);
            lane[lane.indexOf(picked)] = newer;
          }
          expect([...queue]).toEqual(all());
          expect([queue.size, queue.bytes]).toEqual([all().length, all().reduce((sum, each) => sum + each.bytes, 0)]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what has to go for another to fit', () => {
  const lanes = [
    item('n1', { bytes: 3 }),
    item('l1', { priority: 'low', bytes: 3 }),
    item('h1', { priority: 'high', bytes: 3 }),
    item('l2', { priority: 'low', bytes: 3 }),
    item('n2', { bytes: 3 }),
  ];
  const full = { maxMessages: 5, maxBytes: 15 };

  function victims(priority: Priority, by: 'oldest' | 'lowest', bytes = 1, limits = full): string | null {
    const queue = queueOf(...lanes.map(({ name, ...rest }) => item(name, rest)));
    const found = queue.victims({ priority, bytes }, by, limits);
    expect(queue.size).toBe(lanes.length);
    return found && names(found);
  }

  test.each<[Priority, 'oldest' | 'lowest', number, string | null]>([
    ['normal', 'oldest', 1, 'l1'],
    ['normal', 'oldest', 4, 'l1 l2'],
    ['normal', 'oldest', 12, 'l1 l2 n1 n2'],
    ['normal', 'oldest', 13, null],
    ['low', 'oldest', 1, 'l1'],
    ['low', 'oldest', 7, null],
    ['normal', 'lowest', 1, 'l2'],
    ['normal', 'lowest', 4, 'l2 l1'],
    ['normal', 'lowest', 7, null],
    ['low', 'lowest', 1, null],
    ['critical', 'lowest', 15, 'l2 l1 n2 n1 h1'],
  ])('which is %s, by %s, with %i bytes, is %s', (priority, by, bytes, expected) => {
    expect(victims(priority, by, bytes)).toBe(expected);
  });

  test('is nothing where there is room', () => {
    expect(victims('low', 'lowest', 1, ROOMY)).toBe('');
  });
});
