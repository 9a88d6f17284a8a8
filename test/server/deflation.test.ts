import { expect, test } from 'vitest';

import type { Deflater } from '../../src/protocol/compression.ts';
import { Deflation } from '../../src/server/deflation.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

const DEFLATER: Deflater = { deflate: (bytes) => bytes, inflate: (bytes) => bytes };

function start(load: (() => Promise<Deflater>) | null) {
  const clock = new SimulatedClock();
  const faults: unknown[] = [];
  const deflation = new Deflation({ clock, load, fault: (cause) => faults.push(cause) });
  const told: string[] = [];
  const ask = (name: string): void => {
    deflation.onceKnown(() => told.push(`${name} ${deflation.deflater ? 'compresses' : 'does not'}`));
  };
  return { clock, faults, deflation, told, ask };
}

test('whoever comes before it is loaded waits for it, in order, and later nobody does', async () => {
  let arrive: (deflater: Deflater) => void = () => undefined;
  const { clock, deflation, told, ask } = start(() => new Promise((resolve) => (arrive = resolve)));
  ask('a');
  ask('b');
  await clock.advanceAsync(999);
  expect(told).toEqual([]);
  arrive(DEFLATER);
  await clock.advanceAsync(0);
  ask('c');
  expect([told, deflation.deflater, clock.pending()]).toEqual([
    ['a compresses', 'b compresses', 'c compresses'],
    DEFLATER,
    0,
  ]);
});

test('one that cannot be loaded is told of, and done without', async () => {
  const { clock, faults, told, ask } = start(() => Promise.reject(new Error('no such module')));
  ask('a');
  await clock.advanceAsync(0);
  expect([told, faults, clock.pending()]).toEqual([['a does not'], [new Error('no such module')], 0]);
});

test('one that does not come in time is for those who come after it', async () => {
  let arrive: (deflater: Deflater) => void = () => undefined;
  const { clock, told, ask } = start(() => new Promise((resolve) => (arrive = resolve)));
  ask('a');
  await clock.advanceAsync(1_000);
  arrive(DEFLATER);
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
  const { clock, deflation, told, ask } = start(() => Promise.resolve(DEFLATER));
  ask('a');
  deflation.stop();
  await clock.advanceAsync(2_000);
  expect([told, clock.pending()]).toEqual([[], 0]);
});
