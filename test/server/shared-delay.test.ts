import { expect, test } from 'vitest';

import { SharedDelay } from '../../src/server/shared-delay.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

test('many waits have one timer, and each ends in its own time', () => {
  const clock = new SimulatedClock();
  const delay = new SharedDelay(clock);
  const fired: string[] = [];
  const [a, b] = [{}, {}];
  delay.set(a, 50, () => fired.push('a'));
  clock.advance(20);
  delay.set(b, 50, () => fired.push('b'));
  expect(clock.pending()).toBe(1);
  clock.advance(30);
  expect([fired, clock.pending()]).toEqual([['a'], 1]);
  clock.advance(20);
  expect([fired, clock.pending()]).toEqual([['a', 'b'], 0]);
});

test('who waits already is not put off', () => {
  const clock = new SimulatedClock();
  const delay = new SharedDelay(clock);
  const fired: number[] = [];
  const who = {};
  delay.set(who, 50, () => fired.push(1));
  clock.advance(40);
  delay.set(who, 50, () => fired.push(2));
  clock.advance(10);
  expect(fired).toEqual([1]);
});

test('no timer is left when nobody waits', () => {
  const clock = new SimulatedClock();
  const delay = new SharedDelay(clock);
  const [a, b] = [{}, {}];
  delay.set(a, 50, () => undefined);
  delay.set(b, 50, () => undefined);
  delay.clear(a);
  expect(clock.pending()).toBe(1);
  delay.clear(b);
  expect(clock.pending()).toBe(0);
});

test('a wait that is set while another fires is kept', () => {
  const clock = new SimulatedClock();
  const delay = new SharedDelay(clock);
  const fired: string[] = [];
  delay.set({}, 50, () => {
    fired.push('a');
    delay.set({}, 10, () => fired.push('b'));
  });
  clock.advance(60);
  expect([fired, clock.pending()]).toEqual([['a', 'b'], 0]);
});
