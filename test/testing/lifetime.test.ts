import { expect, test } from 'vitest';

import { SimulatedClock } from '../../src/testing/clock.ts';
import { Lifetime } from '../../src/testing/lifetime.ts';

function born() {
  const clock = new SimulatedClock();
  return { clock, life: new Lifetime(clock), fired: [] as string[] };
}

test('a life goes by the clock it is on', () => {
  const { clock, life, fired } = born();
  life.setTimeout(() => fired.push('a'), 10);
  life.clearTimeout(life.setTimeout(() => fired.push('cleared'), 5));
  life.clearTimeout(undefined);
  clock.advance(9);
  expect([life.now(), fired, clock.pending()]).toEqual([clock.now(), [], 1]);
  clock.advance(1);
  expect([fired, clock.pending(), life.isOver]).toEqual([['a'], 0, false]);
  life.setTimeout(() => undefined, 10);
  expect(life.timersLeft).toBe(1);
});

test('a life that is over leaves no timer, and no other life loses one', () => {
  const { clock, life, fired } = born();
  const next = new Lifetime(clock);
  life.setTimeout(() => fired.push('dead'), 10);
  life.setTimeout(() => fired.push('dead too'), 20);
  next.setTimeout(() => fired.push('alive'), 10);
  life.end();
  expect([life.isOver, next.isOver, clock.pending()]).toEqual([true, false, 1]);
  clock.advance(50);
  expect(fired).toEqual(['alive']);
});

test('a life that is over sets no timer any more, nor does one that ends while a timer fires', () => {
  const { clock, life, fired } = born();
  life.setTimeout(() => {
    life.end();
    life.setTimeout(() => fired.push('after'), 1);
  }, 10);
  life.setTimeout(() => fired.push('same moment'), 10);
  clock.advance(50);
  expect([fired, clock.pending()]).toEqual([[], 0]);
  life.end();
  expect(life.isOver).toBe(true);
});

test('a life pauses for a time, or for no time at all', async () => {
  const { clock, life, fired } = born();
  void life.pause(10).then(() => fired.push('ten'));
  void life.pause(0).then(() => fired.push('none'));
  await clock.advanceAsync(9);
  expect(fired).toEqual(['none']);
  await clock.advanceAsync(1);
  expect(fired).toEqual(['none', 'ten']);
});

test('a pause in a life that is over lasts for ever', async () => {
  const { clock, life, fired } = born();
  void life.pause(10).then(() => fired.push('begun before'));
  life.end();
  for (const ms of [0, 10]) void life.pause(ms).then(() => fired.push(`begun after, ${ms}`));
  await clock.advanceAsync(100);
  expect(fired).toEqual([]);
});

test('a life tells its end', async () => {
  const { clock, life, fired } = born();
  void life.ended.then(() => fired.push('ended'));
  await clock.advanceAsync(100);
  expect(fired).toEqual([]);
  life.end();
  await life.ended;
  expect(fired).toEqual(['ended']);
});
