import { expect, test } from 'vitest';

import type { Deflater, Deflaters } from '../../src/protocol/compression.ts';
import { Deflation } from '../../src/server/deflation.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

const DEFLATER: Deflater = { deflate: (bytes) => bytes, inflate: (bytes) => bytes };
const DEFLATERS: Deflaters = { alone: DEFLATER, window: () => ({ ...DEFLATER }) };

function start(load: (() => Promise<Deflaters>) | null, windows = 0) {
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
  let arrive: (deflaters: Deflaters) => void = () => undefined;
  const { clock, deflation, told, ask } = start(() => new Promise((resolve) => (arrive = resolve)));
  ask('a');
  ask('b');
  await clock.advanceAsync(999);
  expect(told).toEqual([]);
  arrive(DEFLATERS);
  await clock.advanceAsync(0);
  ask('c');
  expect([told, clock.pending()]).toEqual([['a compresses', 'b compresses', 'c compresses'], 0]);
  expect(deflation.agree(['deflate-raw'], ['deflate-raw'])).toEqual({ caps: ['deflate-raw'], compression: DEFLATER });
});

test('one that cannot be loaded is told of, and done without', async () => {
  const { clock, faults, told, ask } = start(() => Promise.reject(new Error('no such module')));
  ask('a');
  await clock.advanceAsync(0);
  expect([told, faults, clock.pending()]).toEqual([['a does not'], [new Error('no such module')], 0]);
});

test('one that does not come in time is for those who come after it', async () => {
  let arrive: (deflaters: Deflaters) => void = () => undefined;
  const { clock, told, ask } = start(() => new Promise((resolve) => (arrive = resolve)));
  ask('a');
  await clock.advanceAsync(1_000);
  arrive(DEFLATERS);
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
  const { clock, deflation, told, ask } = start(() => Promise.resolve(DEFLATERS));
  ask('a');
  deflation.stop();
  await clock.advanceAsync(2_000);
  expect([told, clock.pending()]).toEqual([[], 0]);
});

test('so many sockets have a window at a time as were said, and each that is gone gives its own back', async () => {
  const { clock, deflation } = start(() => Promise.resolve(DEFLATERS), 2);
  await clock.advanceAsync(0);
  const all = ['deflate-raw', 'deflate-window'];
  const [one, other, third] = [1, 2, 3].map(() => deflation.agree(all, all));
  expect([one?.caps, other?.caps, third?.caps]).toEqual([all, all, ['deflate-raw']]);
  expect(one?.compression?.window).not.toBe(other?.compression?.window);
  expect([third?.compression?.window, deflation.caps]).toEqual([undefined, ['deflate-raw']]);
  deflation.release(third?.compression ?? null);
  deflation.release(null);
  expect(deflation.caps).toEqual(['deflate-raw']);
  deflation.release(one?.compression ?? null);
  expect(deflation.caps).toEqual(all);
});

test.each([
  ['was not offered', ['deflate-raw'], ['deflate-raw', 'deflate-window'], ['deflate-raw']],
  ['is not wanted', ['deflate-raw', 'deflate-window'], ['deflate-raw'], ['deflate-raw']],
  ['is wanted without the other', ['deflate-raw', 'deflate-window'], ['deflate-window'], []],
])('a window that %s is not taken', async (_what, offered, wanted, caps) => {
  const { clock, deflation } = start(() => Promise.resolve(DEFLATERS), 1);
  await clock.advanceAsync(0);
  expect(deflation.agree(offered, wanted).caps).toEqual(caps);
  expect(deflation.caps).toContain('deflate-window');
});
