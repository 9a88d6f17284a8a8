import { expect, test } from 'vitest';

import type { MakeCompression } from '../../src/protocol/compression.ts';
import { Deflation } from '../../src/server/deflation.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

const MAKE: MakeCompression = ({ hasWindow }) => ({
  threshold: hasWindow ? 1 : 2,
  compress: () => null,
  abandon: () => undefined,
  inflate: (frame) => frame,
});

function start(load: (() => Promise<MakeCompression>) | null, windows = 0) {
  const clock = new SimulatedClock();
  const faults: unknown[] = [];
  const deflation = new Deflation({ clock, load, windows, fault: (cause) => faults.push(cause) });
  const told: string[] = [];
  const ask = (name: string): void => {
    deflation.onceKnown(() => told.push(`${name} ${deflation.caps.length > 0 ? 'compresses' : 'does not'}`));
  };
  return { clock, faults, deflation, told, ask };
}

test('whoever comes before it is loaded waits for it, in order, and later nobody does', async () => {
  let arrive: (make: MakeCompression) => void = () => undefined;
  const { clock, deflation, told, ask } = start(() => new Promise((resolve) => (arrive = resolve)));
  ask('a');
  ask('b');
  await clock.advanceAsync(999);
  expect(told).toEqual([]);
  arrive(MAKE);
  await clock.advanceAsync(0);
  ask('c');
  expect([told, clock.pending()]).toEqual([['a compresses', 'b compresses', 'c compresses'], 0]);
  const { caps, compression } = deflation.agree(['deflate-raw'], ['deflate-raw']);
  expect([caps, compression?.threshold]).toEqual([['deflate-raw'], 2]);
});

test('one that cannot be loaded is told of, and done without', async () => {
  const { clock, faults, told, ask } = start(() => Promise.reject(new Error('no such module')));
  ask('a');
  await clock.advanceAsync(0);
  expect([told, faults, clock.pending()]).toEqual([['a does not'], [new Error('no such module')], 0]);
});

test('one that does not come in time is for those who come after it', async () => {
  let arrive: (make: MakeCompression) => void = () => undefined;
  const { clock, told, ask } = start(() => new Promise((resolve) => (arrive = resolve)));
  ask('a');
  await clock.advanceAsync(1_000);
  arrive(MAKE);
  await clock.advanceAsync(0);
  ask('b');
  expect(told).toEqual(['a does not', 'b compresses']);
});

test('one that nobody wants is not waited for', () => {
  const { clock, told, ask } = start(null);
  ask('a');
  expect([told, clock.pending()]).toEqual([['a does not'], 0]);
});

test('when it is stopped nobody is called back, and no timer is left', async () => {
  const { clock, deflation, told, ask } = start(() => Promise.resolve(MAKE));
  ask('a');
  deflation.stop();
  await clock.advanceAsync(2_000);
  expect([told, clock.pending()]).toEqual([[], 0]);
});

test('so many sockets have a window at a time as were said, and each that is closed gives its own back, once', async () => {
  const { clock, deflation } = start(() => Promise.resolve(MAKE), 2);
  await clock.advanceAsync(0);
  const all = ['deflate-raw', 'deflate-window'];
  const agree = () => deflation.agree(all, all);
  const [one, other, third] = [agree(), agree(), agree()];
  expect([one, other, third].map(({ compression }) => compression?.threshold)).toEqual([1, 1, 2]);
  expect([one.caps, third.caps, deflation.caps]).toEqual([all, ['deflate-raw'], all]);
  third.end();
  expect(agree().caps).toEqual(['deflate-raw']);
  one.end();
  one.end();
  expect([agree().caps, agree().caps]).toEqual([all, ['deflate-raw']]);
});

test.each([
  ['was not offered', ['deflate-raw'], ['deflate-raw', 'deflate-window'], ['deflate-raw']],
  ['is not wanted', ['deflate-raw', 'deflate-window'], ['deflate-raw'], ['deflate-raw']],
  ['is wanted without the other', ['deflate-raw', 'deflate-window'], ['deflate-window'], []],
])('a window that %s is not taken', async (_what, offered, wanted, caps) => {
  const { clock, deflation } = start(() => Promise.resolve(MAKE), 1);
  await clock.advanceAsync(0);
  expect(deflation.agree(offered, wanted).caps).toEqual(caps);
  // it is left for somebody else
  const all = ['deflate-raw', 'deflate-window'];
  expect(deflation.agree(all, all).caps).toEqual(all);
});
