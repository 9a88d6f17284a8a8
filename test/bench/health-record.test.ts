import { describe, expect, test } from 'vitest';

import { flapsOf, HealthRecord, timeTo, type Change } from '../../bench/health-record.ts';
import { HealthRig } from '../support/health.ts';

/** The changes of a connection that goes through these states, one each 100 ms. */
function changesOf(...states: Change['current'][]): Change[] {
  return states
    .slice(1)
    .map((current, index) => ({ previous: states[index] ?? 'idle', current, atMs: (index + 1) * 100 }));
}

const changes = changesOf('connecting', 'open', 'degraded', 'open', 'degraded', 'backoff', 'connecting', 'open');

describe('what is read from the changes of a connection', () => {
  test('is the time to the next change into a state', () => {
    expect(timeTo('degraded', 0, changes)).toBe(200);
    expect(timeTo('degraded', 250, changes)).toBe(150);
    expect(timeTo('open', 300, changes)).toBe(0);
  });

  test('is no time to what did not happen, and none from a moment that never was', () => {
    expect(timeTo('failed', 0, changes)).toBeNull();
    expect(timeTo('degraded', 401, changes)).toBeNull();
    expect(timeTo('open', null, changes)).toBeNull();
  });

  test('is how often it went between open and degraded, and nothing else', () => {
    expect(flapsOf(changes)).toBe(3);
    expect(flapsOf(changes, 300)).toBe(2);
    expect(flapsOf(changesOf('open', 'backoff', 'connecting', 'open'))).toBe(0);
  });
});

describe('the record of a service', () => {
  test('has every state and every round trip, with the smoothed one after it', async () => {
    const rig = new HealthRig({ terminal: { heartbeat: { intervalMs: 1_000, promptMs: 1_000 } } });
    const record = new HealthRecord(rig.service);
    await rig.open();
    await rig.seconds(1.02);
    rig.peer.pongMs = 100;
    await rig.seconds(1.1);
    expect(record.changes.map(({ current }) => current)).toEqual(['connecting', 'open']);
    expect(record.roundTrips).toEqual([20, 100]);
    expect(record.smoothed).toEqual([20, 30]);
  });

  test('says that something came to be at the event that brought it, or that it did not in time', async () => {
    const rig = new HealthRig();
    const record = new HealthRecord(rig.service);
    const isOpen = (): boolean => record.changes.at(-1)?.current === 'open';
    const opens = record.comesToBe(isOpen, 60_000);
    await rig.open();
    expect(await opens).toBe(true);
    expect(await record.comesToBe(isOpen, 60_000)).toBe(true);
    expect(await record.comesToBe(() => record.roundTrips.length > 0, 0)).toBe(false);
  });
});
