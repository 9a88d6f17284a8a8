import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { detour, hole, observe, steady, type Course, type Sighting } from '../../bench/health-course.ts';
import { startPeer } from '../../bench/health-peers.ts';
import { quantile } from '../../bench/rounds.ts';
import type { HeartbeatOptions, RetryOptions, WireName } from '../../src/index.ts';
import { bothWays, ShapedProxy, type Direction } from '../support/shaped-proxy.ts';

/** A course, and how its connection is watched on it. */
interface Watched extends Course {
  heartbeat: Required<Pick<HeartbeatOptions, 'intervalMs' | 'promptMs' | 'lateMs' | 'timeoutMs' | 'slowMs'>>;
}

const WIRES: readonly WireName[] = ['plain', 'holdfast.v1'];
const WITHIN_MS = 25_000;
const CONNECT_TIMEOUT_MS = 1_500;
const RETRY = { baseMs: 20, capMs: 200, promptMs: 20 } satisfies RetryOptions;
/** What a machine may add that has other things to do. */
const SLACK_MS = 600;
/** Until what costs time at the start is done. */
const SETTLED_MS = 4_000;
const OVERHEAD_MS = 15_000;

// nothing that takes no second is late
const QUICK = { intervalMs: 50, promptMs: 50, lateMs: 2_000, timeoutMs: 8_000, slowMs: 800 };
const BRISK = { intervalMs: 300, promptMs: 100, lateMs: 300, timeoutMs: 1_000, slowMs: 500 };
const NEAR = bothWays({ delayMs: 10 });
const FAR = bothWays({ delayMs: 200 });

const STEADY: readonly Watched[] = [
  { name: '20 ms', shape: NEAR, play: steady(100, WITHIN_MS), heartbeat: { ...QUICK, intervalMs: 150 } },
  { name: '400 ms', shape: FAR, play: steady(20, WITHIN_MS), heartbeat: QUICK },
  {
    name: '400 ± 150 ms',
    shape: bothWays({ delayMs: 200, jitterMs: 75 }),
    play: steady(40, WITHIN_MS),
    heartbeat: QUICK,
  },
];

const STALLED: Watched = {
  name: '20 ms with 1 % stalls of 300 ms',
  shape: bothWays({ delayMs: 10, stalls: { probability: 0.01, ms: 300 } }),
  play: steady(120, WITHIN_MS),
  // with a stall a measurement is a bad one
  heartbeat: { ...QUICK, intervalMs: 100, slowMs: 200 },
};

const HOLES: readonly Watched[] = [
  holeOf('both ways', ['up', 'down']),
  holeOf('from the client', ['up']),
  holeOf('from the server', ['down']),
];

const SLOWED: Watched = {
  name: '20 ms, then 400 ms for a while',
  shape: NEAR,
  play: detour({ from: NEAR, to: FAR, afterMs: SETTLED_MS, withinMs: WITHIN_MS }),
  heartbeat: { ...QUICK, intervalMs: 300, promptMs: 100, slowMs: 200 },
};

function holeOf(name: string, directions: readonly Direction[]): Watched {
  return {
    name,
    shape: NEAR,
    play: hole({ directions, afterMs: SETTLED_MS, lastsMs: 600, withinMs: 10_000 }),
    heartbeat: BRISK,
  };
}

const sightings = new Map<string, Promise<Sighting>>();
let addedMs: Promise<number>;

function seen(wire: WireName, { name }: Course): Promise<Sighting> {
  const sighting = sightings.get(`${wire} ${name}`);
  if (!sighting) throw new Error(`Nobody went along ${name}.`);
  return sighting;
}

/** What this machine adds to a round trip at this time, in ms: so much longer than the link takes is the median of a bare `ws`. */
async function overhead(): Promise<number> {
  const peer = await startPeer('plain');
  const proxy = new ShapedProxy(peer.port, NEAR);
  await proxy.listen();
  const socket = new WebSocket(proxy.url, { perMessageDeflate: false });
  await once(socket, 'open');
  const times: number[] = [];
  const endMs = performance.now() + OVERHEAD_MS;
  while (performance.now() < endMs) {
    const askedMs = performance.now();
    socket.ping();
    await once(socket, 'pong');
    times.push(performance.now() - askedMs);
    await sleep(100);
  }
  const { up, down } = proxy.truth;
  socket.terminate();
  await proxy.stop();
  await peer.stop();
  return quantile(times, 0.5) - (up?.p50Ms ?? 0) - (down?.p50Ms ?? 0);
}

/** What is measured is right to within 10 %, or 5 ms where that is more, once what the machine adds is known. */
function expectNear(measuredMs: number | null, truthMs: number): void {
  const offMs = Math.abs((measuredMs ?? Infinity) - truthMs);
  expect(offMs, `${measuredMs} ms, and in truth ${truthMs}`).toBeLessThan(Math.max(5, truthMs / 10));
}

// they all travel at once, for what they do most is wait
beforeAll(() => {
  addedMs = overhead();
  for (const wire of WIRES)
    for (const course of [...STEADY, STALLED, ...HOLES, SLOWED]) {
      const options = { heartbeat: course.heartbeat, connectTimeoutMs: CONNECT_TIMEOUT_MS, retry: RETRY };
      const sighting = observe(course, { wire, options, seed: 3 });
      // whoever asks for it hears of it
      sighting.catch(() => undefined);
      sightings.set(`${wire} ${course.name}`, sighting);
    }
});
afterAll(() => Promise.allSettled([addedMs, ...sightings.values()]));

describe.each(WIRES)('the health of a connection that speaks %s', (wire) => {
  describe.each(STEADY)('over a link of $name', (course) => {
    test('has the round trips that the link has', async () => {
      const { samples, p50Ms, smoothed, truthMs } = await seen(wire, course);
      const expectedMs = (truthMs ?? NaN) + (await addedMs);
      expect(samples).toBeGreaterThanOrEqual(15);
      expectNear(p50Ms, expectedMs);
      // what a busy machine adds to one of them stays for the next twenty; it takes from none
      expectNear(quantile(smoothed, 0.1), expectedMs);
    });

    test('is good, and stays so', async () => {
      expect(await seen(wire, course)).toMatchObject({ grade: 'healthy', flaps: 0, degradedMs: null, givenUpMs: null });
    });
  });

  test('has the round trips of a link that stalls now and then as most of them are, and a good grade throughout', async () => {
    const { p50Ms, maxMs, truthMs, grade, flaps } = await seen(wire, STALLED);
    expectNear(p50Ms, (truthMs ?? NaN) + (await addedMs));
    expect(maxMs).toBeGreaterThan(300);
    expect({ grade, flaps }).toEqual({ grade: 'healthy', flaps: 0 });
  });

  describe.each(HOLES)('over a link that loses everything, $name', (course) => {
    const { intervalMs, lateMs, timeoutMs } = course.heartbeat;

    test('is degraded once an answer is late, and given up once it is overdue, not sooner', async () => {
      const { degradedMs, givenUpMs } = await seen(wire, course);
      expect(degradedMs).toBeLessThan(intervalMs + lateMs + SLACK_MS);
      expect(givenUpMs).toBeLessThan(intervalMs + timeoutMs + SLACK_MS);
      // the question may have been asked some time before, and its answer be under way on a machine that is busy
      expect(givenUpMs).toBeGreaterThan(timeoutMs / 2);
    });

    test('comes back once the link does, after the attempt that it has lost', async () => {
      const { openMs } = await seen(wire, course);
      expect(openMs).toBeLessThan(CONNECT_TIMEOUT_MS + RETRY.capMs + SLACK_MS);
    });

    test('does not flap', async () => {
      expect((await seen(wire, course)).flaps).toBeLessThanOrEqual(2);
    });
  });

  describe('over a link that grows long', () => {
    const { intervalMs, promptMs } = SLOWED.heartbeat;

    test('is degraded after three measurements, and good again after five, and no more often', async () => {
      const { degradedMs, openMs, flaps, givenUpMs } = await seen(wire, SLOWED);
      expect(degradedMs).toBeGreaterThan(3 * 400);
      expect(degradedMs).toBeLessThan(intervalMs + 3 * 400 + 2 * promptMs + SLACK_MS);
      // the last of the long ones is still under way
      expect(openMs).toBeLessThan(intervalMs + 400 + 5 * (20 + promptMs) + SLACK_MS);
      expect(flaps).toBe(2);
      expect(givenUpMs).toBeNull();
    });
  });
});
