import { describe, expect, test } from 'vitest';

import { Chance } from '../../src/testing/chance.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import type { Parcel } from '../../src/testing/parcel.ts';
import { Pipe, type Pace } from '../../src/testing/pipe.ts';

/** A pipe, and what came out of it: data and time since its start. */
function laid(pace: Pace) {
  const clock = new SimulatedClock();
  const startedAt = clock.now();
  const came: string[] = [];
  const current = { pace };
  const pipe = new Pipe({
    clock,
    chance: new Chance(1),
    pace: () => current.pace,
    deliver: (parcel) => came.push(`${nameOf(parcel)}@${clock.now() - startedAt}`),
  });
  const send = (...texts: string[]): void => {
    for (const data of texts) pipe.send({ kind: 'data', data });
  };
  return { clock, startedAt, came, pipe, current, send };
}

function nameOf(parcel: Parcel): string {
  return parcel.kind === 'data' ? String(parcel.data).replaceAll('.', '') : parcel.kind;
}

const STEADY = { least: 10, most: 10 };

describe('a pipe', () => {
  test('delivers everything in order, however its pace varies', () => {
    const { clock, came, send } = laid({ least: 1, most: 50 });
    const texts = Array.from({ length: 200 }, (_, index) => `m${index}`);
    for (const text of texts) {
      send(text);
      clock.advance(1);
    }
    clock.advance(50);
    expect(came.map((each) => each.split('@')[0])).toEqual(texts);
    expect(clock.pending()).toBe(0);
  });

  test('takes its time with each parcel, within the bounds of the pace', () => {
    const { clock, startedAt, came, send } = laid({ least: 20, most: 30 });
    const times: number[] = [];
    for (let count = 0; count < 50; count++) {
      const sentAt = clock.now() - startedAt;
      send('m');
      clock.advance(100);
      times.push(Number(came.at(-1)?.split('@')[1]) - sentAt);
    }
    expect(times.every((time) => time >= 20 && time <= 30)).toBe(true);
    expect(new Set(times).size).toBeGreaterThan(10);
  });

  test('asks for its pace with each parcel, and lets none overtake a slower one', () => {
    const { clock, came, current, send } = laid({ least: 100, most: 100 });
    send('slow');
    current.pace = STEADY;
    send('fast');
    clock.advance(100);
    send('later');
    clock.advance(100);
    expect(came).toEqual(['slow@100', 'fast@100', 'later@110']);
  });

  test('carries what is no data too, and hands over bytes as they were sent', () => {
    const { clock, came, pipe } = laid(STEADY);
    pipe.send({ kind: 'handshake' });
    pipe.send({ kind: 'close', code: 1000, reason: '' });
    clock.advance(10);
    expect(came).toEqual(['handshake@10', 'close@10']);
  });

  test('lets so many bytes leave in a second, and keeps the others with the sender', () => {
    const { clock, came, pipe, send } = laid({ ...STEADY, bytesPerSecond: 100 });
    send('a'.padEnd(50, '.'), 'b'.padEnd(100, '.'));
    expect(pipe.bufferedBytes).toBe(150);
    clock.advance(499);
    expect(pipe.bufferedBytes).toBe(150);
    clock.advance(1);
    expect(pipe.bufferedBytes).toBe(100);
    // an idle line has saved nothing up
    clock.advance(2_000);
    expect(pipe.bufferedBytes).toBe(0);
    send('c'.padEnd(10, '.'));
    expect(pipe.bufferedBytes).toBe(10);
    clock.advance(200);
    expect(came).toEqual(['a@510', 'b@1510', 'c@2610']);
  });

  test('keeps nothing with the sender where no bandwidth is set', () => {
    const { pipe, send } = laid(STEADY);
    send('a'.padEnd(1_000_000, '.'));
    expect(pipe.bufferedBytes).toBe(0);
  });
});

describe('a pipe that is stalled', () => {
  test('lets nothing through before the time, and everything in order after it', () => {
    const { clock, startedAt, came, pipe, send } = laid(STEADY);
    send('a', 'b');
    pipe.stallUntil(startedAt + 500);
    send('c');
    clock.advance(499);
    expect([came, pipe.bufferedBytes]).toEqual([[], 3]);
    clock.advance(11);
    expect(came).toEqual(['a@500', 'b@500', 'c@510']);
    expect(pipe.bufferedBytes).toBe(0);
  });

  test('does not delay what would have come later anyway', () => {
    const { clock, startedAt, came, pipe, send } = laid({ least: 300, most: 300 });
    send('a');
    pipe.stallUntil(startedAt + 100);
    clock.advance(300);
    expect(came).toEqual(['a@300']);
  });

  test('may be stalled for longer', () => {
    const { clock, startedAt, came, pipe, send } = laid(STEADY);
    send('a');
    pipe.stallUntil(startedAt + 100);
    clock.advance(50);
    pipe.stallUntil(startedAt + 200);
    clock.advance(150);
    expect(came).toEqual(['a@200']);
  });

  test('leaves no timer pending when it is stalled for ever', () => {
    const { clock, came, pipe, send } = laid(STEADY);
    send('a');
    pipe.stallUntil(Infinity);
    send('b');
    expect(clock.pending()).toBe(0);
    clock.advance(1_000_000);
    expect([came, pipe.bufferedBytes]).toEqual([[], 2]);
  });

  test('goes on at once when it is told to, with everything that was held', () => {
    const { clock, came, pipe, send } = laid(STEADY);
    send('a');
    pipe.stallUntil(Infinity);
    send('b');
    clock.advance(1_000);
    pipe.stallUntil(0);
    send('c');
    clock.advance(0);
    expect([came, pipe.bufferedBytes]).toEqual([['a@1000', 'b@1000'], 0]);
    clock.advance(10);
    expect(came.at(-1)).toBe('c@1010');
  });
});

describe('a pipe that ends', () => {
  test.each([
    [0, []],
    [0.5, ['a@10', 'b@10']],
    [1, ['a@10', 'b@10', 'c@10', 'd@10']],
  ])('delivers the part %d of what is on its way when it is cut, from the beginning', (part, expected) => {
    const { clock, came, pipe, send } = laid(STEADY);
    send('a', 'b', 'c', 'd');
    pipe.cut(part, 0);
    send('too late');
    clock.advance(100);
    expect(came).toEqual(expected);
    expect(clock.pending()).toBe(0);
  });

  test('delivers it as much later as it is told', () => {
    const { clock, came, pipe, send } = laid(STEADY);
    send('a');
    clock.advance(5);
    send('b');
    pipe.cut(1, 1_000);
    clock.advance(2_000);
    expect(came).toEqual(['a@1010', 'b@1015']);
  });

  test('delivers nothing of a stall for ever', () => {
    const { clock, came, pipe, send } = laid(STEADY);
    send('a');
    pipe.stallUntil(Infinity);
    pipe.cut(1, 10);
    expect(clock.pending()).toBe(0);
    clock.advance(10_000);
    expect(came).toEqual([]);
  });

  test('delivers nothing when nobody is there any more', () => {
    const { clock, came, pipe, send } = laid(STEADY);
    send('a');
    pipe.drop();
    send('b');
    expect([clock.pending(), pipe.bufferedBytes]).toEqual([0, 0]);
    clock.advance(100);
    expect(came).toEqual([]);
  });

  test('may end by the hand of who gets something', () => {
    const clock = new SimulatedClock();
    const came: string[] = [];
    const pipe: Pipe = new Pipe({
      clock,
      chance: new Chance(1),
      pace: () => STEADY,
      deliver: (parcel) => {
        came.push(nameOf(parcel));
        pipe.drop();
      },
    });
    for (const data of ['a', 'b']) pipe.send({ kind: 'data', data });
    clock.advance(100);
    expect([came, clock.pending()]).toEqual([['a'], 0]);
  });
});
