import { expect, test } from 'vitest';

import { terminal, tiny } from '../../bench/payloads.ts';
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

test('messages are made once, and sent again in each further round', async () => {
  const { station } = observed();
  const rounds: object[][] = [];
  station.opened({ send: (message) => rounds.at(-1)?.push(message), settled: () => Promise.resolve() });
  for (const stream of [terminal, terminal, tiny, terminal]) {
    rounds.push([]);
    await station.pour({ stream: stream.name, from: 5, to: 7, shape: BURSTS });
  }
  const [first, second, other, again] = rounds;
  expect(first).toEqual([terminal.message(5), terminal.message(6)]);
  expect(second?.[0]).toBe(first?.[0]);
  expect(other).toEqual([tiny.message(5), tiny.message(6)]);
  // those of one stream are kept at a time
  expect(again).toEqual(first);
  expect(again?.[0]).not.toBe(first?.[0]);
});

test('messages at an even pace name the time at which they were due, however late their sender is', async () => {
  const { station } = observed();
  const at: number[] = [];
  station.opened({
    send: (message) => at.push((message as { at: number }).at),
    settled: () => Promise.resolve(),
  });
  // the clock moves by 1 µs a look, and a look is taken twice for each time that some are due
  await station.pace({ perSecond: 1e6, seconds: 10e-6 });
  expect(at).toEqual(Array.from({ length: 10 }, (_, n) => 1 + n));
});

test('messages have arrived when the last of them was heard, by that clock', async () => {
  const { station, happened } = observed();
  await station.expect({ stream: terminal.name, from: 0, to: 3, lanes: 1 });
  for (const n of [0, 2, 1]) station.heard(terminal.message(n));
  // the second came late
  expect(await station.complete()).toMatchObject({ atMicros: 1, faults: 2 });
  expect(happened).toEqual(['begin']);
});
