import { expect, test } from 'vitest';

import { spentBetween } from '../../bench/browser/spending.ts';

test('what a page costs is that of its main thread, of all its threads, and of the process with the sockets', () => {
  const before = {
    process: 7,
    page: new Map([
      [7, 100],
      [8, 50],
    ]),
    network: new Map([[3, 1_000]]),
  };
  const after = {
    process: 7,
    page: new Map([
      [7, 130],
      [8, 55],
    ]),
    network: new Map([[3, 1_007]]),
  };
  expect(spentBetween(before, after)).toEqual({ main: 30, page: 35, network: 7 });
});

test('a thread that began meanwhile counts as a whole, and one that has ended does not', () => {
  const network = new Map<number, number>();
  const before = {
    process: 7,
    page: new Map([
      [7, 100],
      [8, 50],
    ]),
    network,
  };
  const after = {
    process: 7,
    page: new Map([
      [7, 110],
      [9, 5],
    ]),
    network,
  };
  expect(spentBetween(before, after)).toEqual({ main: 10, page: 15, network: 0 });
});
