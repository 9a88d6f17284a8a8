import { describe, expect, test } from 'vitest';

import { Pings } from '../src/pings.ts';

describe('a ping', () => {
  test('is measured by the number that its answer brings back, in whatever order answers come', () => {
    const pings = new Pings();
    const [first, second] = [pings.ask(1_000), pings.ask(1_010)];
    expect(second).not.toBe(first);
    expect([pings.answered(second, 1_030), pings.answered(first, 1_050)]).toEqual([20, 50]);
  });

  test('is answered once, and only if it was asked', () => {
    const pings = new Pings();
    const number = pings.ask(1_000);
    expect([pings.answered(number + 1, 1_010), pings.answered(NaN, 1_010)]).toEqual([null, null]);
    expect([pings.answered(number, 1_010), pings.answered(number, 1_020)]).toEqual([10, null]);
  });

  test('that somebody asked for himself is told to him, with what the peer’s clock showed, and is no measurement', () => {
    const pings = new Pings();
    const heard: unknown[] = [];
    const number = pings.ask(1_000, (...told) => heard.push(told));
    expect(pings.answered(pings.ask(1_000), 1_005)).toBe(5);
    expect(heard).toEqual([]);
    expect([pings.answered(number, 1_040, 77), pings.answered(number, 1_050)]).toEqual([null, null]);
    expect(heard).toEqual([[40, 77]]);
  });

  test('is not measured by a clock that ran backwards, nor by one that shows no time', () => {
    const pings = new Pings();
    const heard: number[] = [];
    const ask = (): number => pings.ask(1_000, (rttMs) => heard.push(rttMs));
    expect([pings.answered(ask(), 999), pings.answered(ask(), NaN)]).toEqual([null, null]);
    expect(heard).toEqual([]);
    pings.answered(ask(), 1_000);
    expect([heard, pings.answered(pings.ask(1_000), 1_000)]).toEqual([[0], 0]);
  });

  test('that nobody answers is forgotten in time, the oldest first', () => {
    const pings = new Pings();
    const numbers = Array.from({ length: 33 }, () => pings.ask(1_000));
    expect([pings.answered(numbers[0] ?? 0, 1_010), pings.answered(numbers[1] ?? 0, 1_010)]).toEqual([null, 10]);
  });

  test('that somebody asked for is not forgotten for those of others: several bursts may be under way on one link', () => {
    const pings = new Pings();
    let heard = 0;
    const ask = (): number => pings.ask(1_000, () => (heard += 1));
    const own = pings.ask(1_000);
    const numbers = Array.from({ length: 200 }, ask);
    for (const number of numbers) pings.answered(number, 1_010);
    expect([heard, pings.answered(own, 1_010)]).toEqual([200, 10]);
    const [first = 0, second = 0] = Array.from({ length: 513 }, ask);
    pings.answered(first, 1_010);
    expect(heard).toBe(200);
    pings.answered(second, 1_010);
    expect(heard).toBe(201);
  });

  test('is not answered by the next link: its numbers go on', () => {
    const pings = new Pings();
    const number = pings.ask(1_000);
    pings.clear();
    const next = pings.ask(1_000);
    expect([pings.answered(number, 1_010), next > number]).toEqual([null, true]);
  });
});
