import { describe, expect, test } from 'vitest';

import { Chance } from '../../src/testing/chance.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

const START = 1_000;

/** A clock, and what fired on it: name and time since its start. */
function watched() {
  const clock = new SimulatedClock(START);
  const fired: string[] = [];
  const set = (name: string, ms: number, then?: () => void): number =>
    clock.setTimeout(() => {
      fired.push(`${name}@${clock.now() - START}`);
      then?.();
    }, ms);
  return { clock, fired, set };
}

describe('a simulated clock', () => {
  test('stands still until it is told to move', () => {
    const { clock, fired, set } = watched();
    set('a', 0);
    expect([clock.now(), clock.pending(), fired]).toEqual([START, 1, []]);
    clock.advance(0);
    expect([clock.now(), clock.pending(), fired]).toEqual([START, 0, ['a@0']]);
  });

  test('begins with the year 2026 unless another time is named', () => {
    expect(new Date(new SimulatedClock().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  test('fires in the order of the deadlines, each at its own time', () => {
    const { clock, fired, set } = watched();
    set('c', 30);
    set('a', 10);
    set('b', 20.5);
    set('later', 41);
    clock.advance(40);
    expect([fired, clock.now()]).toEqual([['a@10', 'b@20.5', 'c@30'], START + 40]);
  });

  test('fires what is due at one moment in the order in which it was set', () => {
    const { clock, fired, set } = watched();
    set('first', 10);
    clock.advance(5);
    for (const name of ['b', 'c', 'd', 'e']) set(name, 5);
    clock.advance(5);
    expect(fired).toEqual(['first@10', 'b@10', 'c@10', 'd@10', 'e@10']);
  });

  test('fires timers that timers set, within the same advance and on time', () => {
    const { clock, fired, set } = watched();
    set('a', 10, () => {
      set('a.a', 10, () => set('a.a.a', 0));
      set('a.late', 21);
    });
    set('b', 20);
    clock.advance(30);
    expect(fired).toEqual(['a@10', 'b@20', 'a.a@20', 'a.a.a@20']);
    clock.advance(1);
    expect(fired.at(-1)).toBe('a.late@31');
  });

  test('does not fire what is cleared, even by a timer of the same moment', () => {
    const { clock, fired, set } = watched();
    const due: number[] = [];
    set('a', 10, () => {
      for (const each of due) clock.clearTimeout(each);
    });
    due.push(set('b', 10), set('c', 20));
    const early = set('d', 5);
    clock.clearTimeout(early);
    clock.advance(30);
    expect([fired, clock.pending()]).toEqual([['a@10'], 0]);
  });

  test('takes the clearing of nothing, of what has fired and of what was cleared for nothing', () => {
    const { clock, fired, set } = watched();
    const gone = set('a', 1);
    clock.advance(1);
    set('b', 1);
    for (const each of [gone, gone, undefined, 999]) clock.clearTimeout(each);
    clock.advance(1);
    expect(fired).toEqual(['a@1', 'b@2']);
  });

  test('says how long it is until the next timer, and passes over those that were cleared', () => {
    const { clock, set } = watched();
    expect(clock.untilNextMs()).toBeNull();
    const cleared = [set('a', 5), set('b', 6)];
    set('c', 30);
    expect(clock.untilNextMs()).toBe(5);
    for (const each of cleared) clock.clearTimeout(each);
    expect([clock.untilNextMs(), clock.pending()]).toEqual([30, 1]);
    clock.advance(10);
    expect(clock.untilNextMs()).toBe(20);
    clock.advance(20);
    expect(clock.untilNextMs()).toBeNull();
  });

  test('lets time pass asleep without firing, and fires late what fell due', () => {
    const { clock, fired, set } = watched();
    set('a', 10, () => set('a.a', 5));
    set('b', 20);
    clock.sleep(100);
    expect([fired, clock.untilNextMs(), clock.now()]).toEqual([[], 0, START + 100]);
    clock.advance(5);
    expect([fired, clock.now()]).toEqual([['a@100', 'b@100', 'a.a@105'], START + 105]);
  });

  test('never goes back, whatever a timer does to it', () => {
    const { clock, set } = watched();
    set('asleep', 10, () => {
      clock.sleep(500);
    });
    clock.advance(20);
    expect(clock.now()).toBe(START + 510);
    set('moved on', 10, () => {
      clock.advance(500);
    });
    clock.advance(20);
    expect(clock.now()).toBe(START + 1_020);
  });

  test('goes on after a timer that throws', () => {
    const { clock, fired, set } = watched();
    set('a', 10, () => {
      throw new Error('thrown');
    });
    set('b', 10);
    expect(() => {
      clock.advance(20);
    }).toThrow('thrown');
    expect(clock.now()).toBe(START + 10);
    clock.advance(0);
    expect(fired).toEqual(['a@10', 'b@10']);
  });

  test('refuses timers that set each other for ever', async () => {
    for (const move of ['advance', 'advanceAsync'] as const) {
      const { clock } = watched();
      const again = (): void => void clock.setTimeout(again, 0);
      again();
      await expect(async () => {
        await clock[move](1);
      }).rejects.toThrow('they set each other for ever');
    }
  });

  test.each([NaN, -1, -Infinity, Infinity, 2 ** 31])('refuses to wait %d ms', (ms) => {
    const { clock } = watched();
    expect(() => clock.setTimeout(() => undefined, ms)).toThrow(RangeError);
    expect(clock.pending()).toBe(0);
  });

  test('waits as long as a platform can', () => {
    const { clock, fired, set } = watched();
    set('a', 2 ** 31 - 1);
    clock.advance(2 ** 31 - 2);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toHaveLength(1);
  });

  test('drains the microtasks before, between and after the deadlines', async () => {
    const { clock, fired, set } = watched();
    // what a promise sets before the advance falls within it, and so does what follows a timer
    void Promise.resolve().then(() => set('before', 5));
    set('a', 10, () => void hops(15).then(() => set('after a', 5)));
    set('b', 20, () => void hops(15).then(() => fired.push(`settled@${clock.now() - START}`)));
    await clock.advanceAsync(20);
    expect(fired).toEqual(['before@5', 'a@10', 'after a@15', 'b@20', 'settled@20']);
    expect(clock.now()).toBe(START + 20);
  });

  test('fires a thousand random timers, some of them cleared, in the order of a sort', () => {
    const chance = new Chance(11);
    const clock = new SimulatedClock(0);
    const timers: { dueAt: number; order: number; isCleared: boolean; id: number }[] = [];
    const fired: number[] = [];
    for (let order = 0; order < 1_000; order++) {
      const ms = chance.below(200);
      const id = clock.setTimeout(() => fired.push(order), ms);
      timers.push({ dueAt: clock.now() + ms, order, isCleared: false, id });
      if (chance.happens(0.3)) {
        const cleared = chance.pick(timers);
        cleared.isCleared ||= !fired.includes(cleared.order);
        clock.clearTimeout(cleared.id);
      }
      if (chance.happens(0.2)) clock.advance(chance.below(5));
    }
    const left = timers.filter(({ isCleared }) => !isCleared);
    expect(clock.pending()).toBe(left.length - fired.length);
    clock.advance(200);
    const sorted = [...left].sort((one, other) => one.dueAt - other.dueAt || one.order - other.order);
    expect(fired).toEqual(sorted.map(({ order }) => order));
  });
});

async function hops(count: number): Promise<void> {
  for (let hop = 0; hop < count; hop++) await Promise.resolve();
}

test.each([NaN, Infinity, -1, undefined as never, new Date() as never])('time does not pass by %s', async (ms) => {
  const clock = new SimulatedClock();
  for (const pass of [() => clock.advance(ms), () => clock.sleep(ms)]) expect(pass).toThrow(RangeError);
  await expect(clock.advanceAsync(ms)).rejects.toThrow(RangeError);
  expect(clock.now()).toBe(Date.UTC(2026, 0, 1));
});

test('time passes once: a second advance while the first is at work is refused', async () => {
  const clock = new SimulatedClock();
  const first = clock.advanceAsync(1_000);
  await expect(clock.advanceAsync(1_000)).rejects.toThrow('advancing already');
  await first;
  await clock.advanceAsync(1_000);
  expect(clock.now()).toBe(Date.UTC(2026, 0, 1) + 2_000);
});

test('a timer for each second of a month is no endless loop', () => {
  const clock = new SimulatedClock();
  let fired = 0;
  const again = (): void => {
    fired += 1;
    clock.setTimeout(again, 1_000);
  };
  again();
  clock.advance(30 * 86_400_000);
  expect(fired).toBe(30 * 86_400 + 1);
});
