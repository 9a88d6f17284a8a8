import { expect, test } from 'vitest';

import { silentSignals } from '../src/transport/signals.ts';
import { bindWorld, worldOf, type World } from '../src/world.ts';

const world = (): World => ({
  signals: silentSignals,
  report: () => undefined,
  portsOf: () => {
    throw new Error('no ports');
  },
  died: () => undefined,
  restarted: () => undefined,
  buried: () => undefined,
  escalated: () => undefined,
});

test('each actor system finds the world that was bound to it, and no other', () => {
  const [one, other] = [{}, {}];
  const worlds = [world(), world()] as const;
  bindWorld(one, worlds[0]);
  bindWorld(other, worlds[1]);
  expect([worldOf(one), worldOf(other)]).toEqual(worlds);
  expect(worldOf(one)).toBe(worlds[0]);
});

test('a system without a world is a fault that says so', () => {
  expect(() => worldOf({})).toThrow('No world is bound to this actor system.');
});
