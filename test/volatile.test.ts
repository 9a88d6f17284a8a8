import { describe, expect, test } from 'vitest';

import { Fates } from '../src/fates.ts';
import { PlainWire } from '../src/plain-wire.ts';
import { Volatile } from '../src/volatile.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { Line } from './support/outbox.ts';
import { messageOf } from './support/session.ts';

function fleeting(): {
  volatile: Volatile;
  line: Line;
  wire: PlainWire;
  told: [string, string][];
  fates: Fates;
  taken: { messages: number };
} {
  const told: [string, string][] = [];
  let numbers = 0;
  const fates = new Fates({
    undelivered: (id, { code }) => told.push([id, code]),
    fated: () => undefined,
    settled: () => undefined,
    context: {},
  });
  const taken = { messages: 0 };
  const volatile = new Volatile(fates, taken);
  const line = new Line();
  const wire = new PlainWire(line, {
    clock: new SimulatedClock(),
    reports: { sent: () => undefined, refused: () => undefined, orphaned: () => undefined },
  });
  for (const text of ['a', 'b', 'c']) volatile.push(messageOf(text, { volatile: true }, { number: ++numbers }));
  return { volatile, line, wire, told, fates, taken };
}

describe('volatile messages', () => {
  test('count as accepted, and leave in order with the next flush', () => {
    const { volatile, line, wire, told, fates } = fleeting();
    expect([volatile.size, fates.counts({ waiting: 3, waitingBytes: 0, oldestAt: null }).accepted]).toEqual([3, 3]);
    volatile.pour(wire, 100);
    expect([line.sent, volatile.size, told]).toEqual([['a', 'b', 'c'], 0, []]);
    volatile.pour(wire, 100);
    expect(line.sent).toHaveLength(3);
  });

  test('are dropped from the high water mark on: they are not worth a wait', () => {
    const { volatile, line, wire, told } = fleeting();
    line.holds = true;
    volatile.pour(wire, 2);
    expect([line.sent, told]).toEqual([['a', 'b'], [['m3', 'VOLATILE_DROPPED']]]);
  });

  test('are dropped by a socket that is closing', () => {
    const { volatile, line, wire, told } = fleeting();
    line.isOpen = false;
    volatile.pour(wire, 100);
    expect([line.sent, told.length]).toEqual([[], 3]);
  });

  test('are dropped when their moment is over', () => {
    const { volatile, told } = fleeting();
    volatile.drop();
    expect([told, volatile.size]).toEqual([
      [
        ['m1', 'VOLATILE_DROPPED'],
        ['m2', 'VOLATILE_DROPPED'],
        ['m3', 'VOLATILE_DROPPED'],
      ],
      0,
    ]);
  });

  test('can be taken back until then, each alone, and no other', () => {
    const { volatile, line, wire, told } = fleeting();
    const own = messageOf('own', { volatile: true }, { number: 9 });
    volatile.push(own);
    const wasHere = [volatile.withdraw(own, 'SEND_CANCELLED'), volatile.withdraw(own, 'SEND_CANCELLED')];
    volatile.pour(wire, 100);
    expect([wasHere, line.sent, told]).toEqual([[true, false], ['a', 'b', 'c'], [['m9', 'SEND_CANCELLED']]]);
  });
});
