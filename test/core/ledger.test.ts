import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Incoming, Outgoing } from '../../src/core/ledger.ts';

const item = (bytes = 1): { bytes: number } => ({ bytes });
const window = { messages: 3, bytes: 10 };

function sent(...sizes: number[]): Outgoing<{ bytes: number }> {
  const outgoing = new Outgoing<{ bytes: number }>();
  for (const size of sizes) outgoing.record(item(size), size);
  return outgoing;
}

describe('what is outgoing', () => {
  test('gets positions from 1 on, each once', () => {
    const outgoing = new Outgoing<{ bytes: number }>();
    expect([outgoing.record(item(), 1), outgoing.record(item(), 1), outgoing.next]).toEqual([1, 2, 3]);
  });

  test('is kept until it is acknowledged, and settled by that in order', () => {
    const outgoing = sent(1, 2, 3);
    expect(outgoing.acknowledge(2)).toEqual([item(1), item(2)]);
    expect([outgoing.acknowledged, outgoing.size, outgoing.bytes, outgoing.next]).toEqual([2, 1, 3, 4]);
    expect(outgoing.unacknowledged()).toEqual([item(3)]);
    expect([2, 3, 4].map((position) => outgoing.at(position))).toEqual([undefined, item(3), undefined]);
  });

  test('is settled once, also when an older acknowledgement comes late', () => {
    const outgoing = sent(1, 2, 3);
    outgoing.acknowledge(2);
    expect([outgoing.acknowledge(2), outgoing.acknowledge(1), outgoing.acknowledged]).toEqual([[], [], 2]);
  });

  test('is not settled by an acknowledgement of what was never sent, which says so', () => {
    const outgoing = sent(1);
    expect([outgoing.acknowledge(2), outgoing.size]).toEqual([null, 1]);
  });

  test.each<[string, number[], boolean]>([
    ['is room while fewer messages and bytes are on their way', [4, 4], true],
    ['is none at the messages of the window', [1, 1, 1], false],
    ['is none at the bytes of the window', [5, 5], false],
    ['is room for one that is larger than the window', [], true],
    ['is none after one that is larger than the window', [100], false],
  ])('there %s', (_what, sizes, hasRoom) => {
    expect(sent(...sizes).hasRoom(window)).toBe(hasRoom);
  });

  test('there is no room at all in a window of nothing: the peer has paused', () => {
    expect(sent().hasRoom({ messages: 0, bytes: 0 })).toBe(false);
  });

  test.each<[string, number[], number]>([
    ['the messages of a window', [1, 1, 1, 1], 4],
    ['its bytes', [4, 4, 4, 4], 4],
    ['one that is larger than it', [100, 1], 2],
    ['all of it', [1, 1], 3],
    ['nothing where there is nothing', [], 1],
  ])('may be sent again as far as %s', (_what, sizes, reach) => {
    const outgoing = sent(50, ...sizes);
    outgoing.acknowledge(1);
    expect([outgoing.reach(window), outgoing.reach({ messages: 0, bytes: 0 })]).toEqual([reach, 1]);
  });

  test('is given back for a new session, whose positions begin at 1', () => {
    const outgoing = sent(1, 2, 3);
    outgoing.acknowledge(1);
    expect(outgoing.restart()).toEqual([item(2), item(3)]);
    expect([outgoing.next, outgoing.size, outgoing.bytes, outgoing.acknowledged]).toEqual([1, 0, 0, 0]);
  });

  test('does as a plain list would, whatever is recorded and acknowledged', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.nat(500).map((bytes) => ({ bytes })),
            fc.nat(400),
          ),
          { maxLength: 600 },
        ),
        (steps) => {
          const outgoing = new Outgoing<{ bytes: number }>();
          const list: { bytes: number }[] = [];
          let acknowledged = 0;
          for (const step of steps) {
            if (typeof step === 'object') expect(outgoing.record(step, step.bytes)).toBe(list.push(step));
            else {
              const upTo = acknowledged + step - 5;
              const expected = upTo > list.length ? null : list.slice(acknowledged, Math.max(acknowledged, upTo));
              expect(outgoing.acknowledge(upTo)).toEqual(expected);
              if (expected) acknowledged = Math.max(acknowledged, upTo);
            }
            expect(outgoing.bytes).toBe(list.slice(acknowledged).reduce((sum, { bytes }) => sum + bytes, 0));
          }
          expect(outgoing.unacknowledged()).toEqual(list.slice(acknowledged));
          expect(list.map((_, index) => outgoing.at(index + 1))).toEqual(
            list.map((given, index) => (index < acknowledged ? undefined : given)),
          );
        },
      ),
    );
  });
});

describe('what is incoming', () => {
  test.each<[string, number, number, number | null]>([
    ['is handed over whole when it comes next', 4, 2, 0],
    ['is skipped whole when it was handed over before', 1, 3, 3],
    ['is skipped as far as it was handed over before', 2, 4, 2],
    ['is a gap when something before it is missing, and none of it is handed over', 5, 1, null],
  ])('%s', (_what, first, count, skipped) => {
    const incoming = new Incoming();
    incoming.arrived(1, 3);
    expect(incoming.arrived(first, count)).toBe(skipped);
    expect(incoming.handed).toBe(skipped === null ? 3 : Math.max(3, first + count - 1));
  });

  test('counts as accepted only up to the first that is not', () => {
    const incoming = new Incoming();
    incoming.arrived(1, 4);
    incoming.accept(2);
    incoming.accept(4);
    expect(incoming.accepted).toBe(0);
    incoming.accept(1);
    expect(incoming.accepted).toBe(2);
    incoming.accept(3);
    expect(incoming.accepted).toBe(4);
  });

  test('is not handed over again when it comes again before it was accepted', () => {
    const incoming = new Incoming();
    incoming.arrived(1, 2);
    expect([incoming.accepted, incoming.arrived(1, 2)]).toEqual([0, 2]);
  });

  test('is accepted once, and only if it was handed over', () => {
    const incoming = new Incoming();
    incoming.arrived(1, 1);
    incoming.accept(2);
    incoming.accept(1);
    incoming.accept(1);
    incoming.arrived(2, 1);
    expect(incoming.accepted).toBe(1);
    incoming.acceptAll();
    expect(incoming.accepted).toBe(2);
  });

  test('begins anew with a session, or where a store has it', () => {
    const incoming = new Incoming();
    incoming.arrived(1, 9);
    incoming.accept(2);
    incoming.restart();
    expect([incoming.handed, incoming.accepted, incoming.arrived(1, 1)]).toEqual([0, 0, 0]);
    incoming.restart(7);
    expect([incoming.handed, incoming.accepted, incoming.arrived(8, 1), incoming.arrived(10, 1)]).toEqual([
      7,
      7,
      0,
      null,
    ]);
  });

  test('is handed over once and in order, however the peer repeats itself', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 10 }))), (batches) => {
        const incoming = new Incoming();
        const handed: number[] = [];
        for (const [first, count] of batches) {
          const skip = incoming.arrived(first, count) ?? count;
          for (let index = skip; index < count; index++) handed.push(first + index);
        }
        expect(handed).toEqual(Array.from({ length: handed.length }, (_, index) => index + 1));
        expect(incoming.handed).toBe(handed.length);
      }),
    );
  });
});
