import { expect, test } from 'vitest';

import { terminal, tiny, type Payloads } from '../../bench/payloads.ts';
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
  const pour = async (stream: Payloads, from: number): Promise<object | undefined> => {
    rounds.push([]);
    await station.pour({ stream: stream.name, from, to: from + 2, shape: BURSTS });
    return rounds.at(-1)?.[0];
  };
  const [lead, load] = [await pour(terminal, 0), await pour(terminal, 2)];
  expect(rounds).toEqual([0, 2].map((n) => [terminal.message(n), terminal.message(n + 1)]));
  expect(await pour(terminal, 0)).toBe(lead);
  expect(await pour(terminal, 2)).toBe(load);
  // two spans are kept at a time: traffic that goes on for ever is not
  expect(await pour(tiny, 2)).toEqual(tiny.message(2));
  expect(await pour(terminal, 2)).toBe(load);
  expect(await pour(terminal, 0)).not.toBe(lead);
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

test('late messages are counted by how late they are, and whether each was the next', () => {
  const { station } = observed();
  station.time();
  // the clock shows 1, 2 and 3 µs
  for (const n of [0, 2, 1]) station.heard({ n, at: n });
  expect(station.delays()).toEqual({ micros: [1, 0, 2], faults: 2 });
});

test('messages have arrived when the last of them was heard, by that clock', async () => {
  const { station, happened } = observed();
  await station.expect({ stream: terminal.name, from: 0, to: 3, lanes: 1 });
  for (const n of [0, 2, 1]) station.heard(terminal.message(n));
  // the second came late
  expect(await station.complete()).toMatchObject({ atMicros: 1, faults: 2 });
  expect(happened).toEqual(['begin']);
});
