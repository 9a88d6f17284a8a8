import { describe, expect, test } from 'vitest';

import { keepBeat } from '../src/common-beat.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { HealthRig } from './support/health.ts';

const INTERVAL_MS = 25_000;
const BEAT_MS = INTERVAL_MS / 16;
const WAIT = 'xstate.after.interval.health.heartbeat.quiet';

type Schedule = Parameters<typeof keepBeat>[0]['scheduler']['schedule'];

/** When a wait would end that begins at a time. */
function endOf(atMs: number, waitMs = INTERVAL_MS, type = WAIT): number {
  let asked = Number.NaN;
  const schedule: Schedule = (_source, _target, _event, delayMs) => {
    asked = delayMs;
  };
  const system = { scheduler: { schedule, cancel: () => undefined, cancelAll: () => undefined } };
  const clock = new SimulatedClock();
  clock.advance(atMs);
  keepBeat(system, clock);
  const source = { getSnapshot: () => ({ context: { policy: { promptMs: 1_000, intervalMs: waitMs } } }) };
  system.scheduler.schedule(source as never, {} as never, { type }, waitMs, 'wait');
  return atMs + asked;
}

describe('the wait for the next probe', () => {
  test('ends with those of others that began about then', () => {
    expect([0, 1, 700, 1_560].map((at) => endOf(at))).toEqual([25_000, 25_000, 25_000, 25_000]);
    expect(endOf(1_561)).toBe(INTERVAL_MS + BEAT_MS);
  });

  test('is no longer than asked for, but for what timers are late, and a sixteenth shorter at most', () => {
    for (let at = 0; at < 60_000; at += 37) {
      const waited = endOf(at) - at;
      expect(waited).toBeLessThanOrEqual(INTERVAL_MS + 2);
      expect(waited).toBeGreaterThan(INTERVAL_MS - BEAT_MS - 0.001);
    }
  });

  test('keeps the beat from then on, however soon the peer answers, and where the timer went off a little early', () => {
    expect([24_998, 25_000, 25_020, 26_500].map((at) => endOf(at))).toEqual([50_000, 50_000, 50_000, 50_000]);
  });

  test('is as asked for where it is short', () => {
    expect([endOf(700, 4_999), endOf(700, 5_000)]).toEqual([5_699, 5_625]);
  });
});

test('other timers keep their time', () => {
  expect(endOf(700, INTERVAL_MS, 'xstate.after.late.health.heartbeat.doubted.probing')).toBe(25_700);
});

test('a peer that is only listened to is not expected to speak sooner than it has promised', async () => {
  const rig = new HealthRig({ terminal: { heartbeat: { ping: 'silence', intervalMs: 60_000, timeoutMs: 3_000 } } });
  await rig.clock.advanceAsync(3_000);
  const { socket } = await rig.open();
  for (let word = 0; word < 3; word++) {
    await rig.clock.advanceAsync(59_999);
    socket.says('still here');
    await rig.clock.advanceAsync(1);
  }
  expect([rig.state(), rig.info().troubles.missedPongs.total]).toEqual(['open', 0]);
});

test('links that opened apart are probed together', async () => {
  const rig = new HealthRig();
  const pinged: number[] = [];
  rig.service.on('roundTrip', () => pinged.push(rig.clock.now()));
  await rig.open();
  await rig.clock.advanceAsync(300);
  void rig.service.connect({ serviceType: 'terminal', key: 'two' });
  await rig.settle();
  rig.sockets.last.opens();
  await rig.seconds(60);
  // each soon after it opened, then both at once
  const [one, two, ...others] = pinged;
  expect((two ?? 0) - (one ?? 0)).toBe(300);
  expect(others).toHaveLength(4);
  expect(others[0]).toBe(others[1]);
  expect(others[2]).toBe(others[3]);
  expect((others[2] ?? 0) - (others[0] ?? 0)).toBe(INTERVAL_MS);
});
