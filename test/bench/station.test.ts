import { expect, test } from 'vitest';

import { terminal } from '../../bench/payloads.ts';
import { Station } from '../../bench/peers/station.ts';
import { BURSTS } from '../../bench/turns.ts';

/** A station whose clock moves by 1 µs each time it is read, and what happened at it. */
function observed() {
  const happened: string[] = [];
  let now = 0;
  const station = new Station({
    micros: () => ++now,
    begin: () => {
      happened.push('begin');
    },
    cpuMicros: () => 42,
    turn: (goOn) => {
      happened.push('turn');
      goOn();
    },
  });
  return { station, happened };
}

test('a station measures by the clock and the meter that it was given, and sends by turns', async () => {
  const { station, happened } = observed();
  let sent = 0;
  station.opened({
    send: () => {
      if (sent++ % BURSTS.perTurn === 0) happened.push('send');
    },
    settled: () => Promise.resolve(),
  });
  expect(await station.pour({ stream: terminal.name, from: 0, to: 250, shape: BURSTS })).toBe(1);
  expect(happened).toEqual(['begin', 'send', 'turn', 'send', 'turn', 'send', 'turn']);
  expect(sent).toBe(250);
  expect(await station.cpuMicros()).toBe(42);
});

test('messages have arrived when the last of them was heard, by that clock', async () => {
  const { station, happened } = observed();
  await station.expect({ stream: terminal.name, from: 0, to: 3, lanes: 1 });
  for (const n of [0, 2, 1]) station.heard(terminal.message(n));
  // the second came late
  expect(await station.complete()).toMatchObject({ atMicros: 1, faults: 2 });
  expect(happened).toEqual(['begin']);
});
