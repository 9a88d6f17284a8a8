import { expect, test } from 'vitest';

import type { Compression, MakeCompression } from '../../src/protocol/compression.ts';
import { Deflation } from '../../src/server/deflation.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

const MAKE: MakeCompression = ({ hasWindow }) => ({
  hasWindow,
  threshold: 0,
  compress: () => null,
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
  expect([caps, compression?.hasWindow]).toEqual([['deflate-raw'], false]);
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

test('so many sockets have a window at a time as were said, and each that is gone gives its own back', async () => {
  const { clock, deflation } = start(() => Promise.resolve(MAKE), 2);
  await clock.advanceAsync(0);
  const all = ['deflate-raw', 'deflate-window'];
  const agreed = [1, 2, 3].map(() => deflation.agree(all, all));
  const [one, other, third] = agreed;
  expect([one?.caps, other?.caps, third?.caps]).toEqual([all, all, ['deflate-raw']]);
  const hasWindow = ({ compression }: { compression: Compression | null }) => compression?.hasWindow;
  expect([agreed.map(hasWindow), deflation.caps]).toEqual([[true, true, false], ['deflate-raw']]);
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
  const { clock, deflation } = start(() => Promise.resolve(MAKE), 1);
  await clock.advanceAsync(0);
  expect(deflation.agree(offered, wanted).caps).toEqual(caps);
  expect(deflation.caps).toContain('deflate-window');
});
