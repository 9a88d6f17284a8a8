import { expect, test } from 'vitest';

import { InFlight } from '../../src/server/in-flight.ts';

test('what is on its way is counted from the position that the client has', () => {
  const inFlight = new InFlight(7);
  inFlight.record(10);
  inFlight.record(20);
  expect([inFlight.sent, inFlight.acknowledged, inFlight.size]).toEqual([9, 7, 2]);
  expect([inFlight.acknowledge(8), inFlight.acknowledge(8), inFlight.acknowledge(3), inFlight.acknowledge(10)]).toEqual(
    [true, false, false, null],
  );
  expect([inFlight.sent, inFlight.acknowledged, inFlight.size]).toEqual([9, 8, 1]);
});

test('a window is held by messages and by bytes, and one message always may', () => {
  const inFlight = new InFlight();
  expect([inFlight.hasRoom({ messages: 1, bytes: 0 }), inFlight.hasRoom({ messages: 0, bytes: 9 })]).toEqual([
    true,
    false,
  ]);
  inFlight.record(10);
  expect(inFlight.hasRoom({ messages: 1, bytes: 100 })).toBe(false);
  expect(inFlight.hasRoom({ messages: 2, bytes: 10 })).toBe(false);
  expect(inFlight.hasRoom({ messages: 2, bytes: 11 })).toBe(true);
});

test('a long life takes no memory for what is acknowledged', () => {
  const inFlight = new InFlight();
  for (let round = 1; round <= 1_000; round++) {
    inFlight.record(round);
    expect(inFlight.acknowledge(round)).toBe(true);
  }
  expect([inFlight.size, inFlight.sent, inFlight.hasRoom({ messages: 1, bytes: 1 })]).toEqual([0, 1_000, true]);
});
