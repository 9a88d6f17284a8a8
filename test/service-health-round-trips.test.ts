import { describe, expect, test } from 'vitest';

import { defineProfile } from '../src/protocol/profile.ts';
import type { FakeSocket } from './support/fake-socket.ts';
import { HealthRig, JumpingClock } from './support/health.ts';
import { rig, type Rig } from './support/service.ts';
import { WireRig, type ServerScript } from './support/server-script.ts';

const heartbeat = { promptMs: 1_000 };

function roundTrips(r: Rig): number[] {
  return r.of('roundTrip').map(({ rttMs }) => rttMs);
}

describe('a round trip of a protocol ping', () => {
  test('is told, shown, and counted once for each pong (pain 59)', async () => {
    const r = new HealthRig();
    await r.open();
    await r.seconds(2);
    r.peer.pongMs = 40;
    await r.seconds(25);
    expect(r.of('roundTrip')).toEqual([
      { connectionId: 'terminal:one', serviceType: 'terminal', rttMs: 20 },
      { connectionId: 'terminal:one', serviceType: 'terminal', rttMs: 40 },
    ]);
    expect([r.status().rttMs, r.info().roundTrips]).toMatchObject([
      40,
      { lastMs: 40, smoothedMs: 22.5, minMs: 20, maxMs: 40, p50Ms: 20, jitterMs: 20, samples: 2 },
    ]);
  });

  test('is that of the ping whose mark comes back, not of the last one', async () => {
    const r = new HealthRig();
    const { socket } = await r.open();
    r.peer.pongMs = null;
    await r.seconds(1);
    await r.clock.advanceAsync(300);
    // another sign of life: the next probe goes out while the first is not answered, on the beat
    socket.says('hello');
    await r.clock.advanceAsync(23_700);
    await r.clock.advanceAsync(50);
    expect(socket.marks).toHaveLength(2);
    const [first, second] = socket.marks;
    socket.controls('pong', second);
    socket.controls('pong', first);
    expect(roundTrips(r)).toEqual([50, 24_050]);
  });

  test('is measured on a clock that does not jump with the wall', async () => {
    const clock = new JumpingClock();
    const r = new HealthRig({ clock });
    await r.open();
    await r.seconds(1);
    clock.wallJumps(86_400_000);
    await r.clock.advanceAsync(20);
    expect(roundTrips(r)).toEqual([20]);
  });

  test('that nobody asked for, or that came before, is none', async () => {
    const r = new HealthRig();
    const { socket } = await r.open();
    for (const mark of ['', '1', 'NaN', '-1', '1e9', 'x'.repeat(100)]) socket.controls('pong', mark);
    await r.clock.advanceAsync(1_020);
    socket.controls('pong', socket.marks[0]);
    expect([roundTrips(r), r.info().roundTrips?.samples]).toEqual([[20], 1]);
  });

  test('of a link that is gone is none of the next', async () => {
    const r = new HealthRig();
    const { socket } = await r.open();
    r.peer.pongMs = null;
    await r.seconds(1);
    const [mark] = socket.marks;
    await r.drops();
    const next = await r.reopen();
    expect(r.info().roundTrips).toBeNull();
    next.controls('pong', mark);
    expect([roundTrips(r), r.info().roundTrips]).toEqual([[], null]);
  });

  test('is of the present link alone, and of the last one while there is none', async () => {
    const r = new HealthRig();
    await r.open();
    await r.seconds(2);
    await r.drops();
    expect(r.info()).toMatchObject({ roundTrips: { samples: 1, lastMs: 20 } });
    r.peer.pongMs = 60;
    await r.reopen();
    await r.seconds(2);
    expect(r.info().roundTrips).toMatchObject({ samples: 1, lastMs: 60, minMs: 60 });
  });
});

describe('a round trip on holdfast.v1', () => {
  const wire = (): WireRig => new WireRig({ terminal: { heartbeat } });
  const answer = (server: ServerScript, now: number): void => {
    const ping = server.of('ping').at(-1);
    if (!ping) throw new Error('No ping was sent.');
    server.says({ t: 'pong', i: ping.i, ts: ping.ts, now });
  };

  test.each([
    ['in seconds', 1_793_577_577],
    ['of a machine that has just started', 0],
    ['of the next century', 4_102_444_800_000],
  ])('is measured on this side’s clock: that of the server, %s, has no part (original fault 39)', async (_, now) => {
    const r = wire();
    const { server } = await r.join({ now }, { now });
    await r.clock.advanceAsync(1_000);
    await r.clock.advanceAsync(35);
    answer(server, now);
    expect(roundTrips(r)).toEqual([35]);
    expect(r.service.getHealthInfo('terminal:one')).toMatchObject({
      grade: 'healthy',
      score: { overall: 100, latency: 100 },
      roundTrips: { lastMs: 35, maxMs: 35, samples: 1 },
    });
  });

  test('is not measured by what answers a ping of an older socket', async () => {
    const r = wire();
    const { server } = await r.join();
    await r.clock.advanceAsync(1_000);
    const [ping] = server.of('ping');
    await r.drops();
    const next = await r.resume();
    next.says({ t: 'pong', i: ping?.i ?? 0, ts: ping?.ts ?? 0, now: 0 });
    expect([ping?.i, roundTrips(r)]).toEqual([1, []]);
  });

  test('is not measured by the time that a pong says it was asked at, but by its number', async () => {
    const r = wire();
    const { server } = await r.join();
    await r.clock.advanceAsync(1_035);
    const [ping] = server.of('ping');
    const i = ping?.i ?? 0;
    server.says(
      { t: 'pong', i: i + 7, ts: 0, now: 5 },
      { t: 'pong', i, ts: 1, now: 5 },
      { t: 'pong', i, ts: 1, now: 5 },
    );
    expect(roundTrips(r)).toEqual([35]);
  });

  test('does not take a second by the wall for a second: that clock may jump', async () => {
    const clock = new JumpingClock();
    const r = new WireRig({ clock, terminal: { heartbeat } });
    const { server } = await r.join();
    await r.clock.advanceAsync(1_000);
    clock.wallJumps(86_400_000);
    await r.clock.advanceAsync(35);
    answer(server, 5);
    expect(roundTrips(r)).toEqual([35]);
  });
});

describe('a round trip of the application’s own ping', () => {
  const profile = defineProfile({
    codec: 'json',
    ping: () => ({ type: 'ping' }),
    isPong: (message) => (message as { type?: string }).type === 'pong',
  });
  const pong = (socket: FakeSocket): void => socket.says('{"type":"pong"}');
  const own = (): Rig => rig({ terminal: { profile, heartbeat } });

  test('is measured, and its pong is no message', async () => {
    const r = own();
    const { socket } = await r.open();
    await r.clock.advanceAsync(1_080);
    pong(socket);
    expect([roundTrips(r), r.of('message')]).toEqual([[80], []]);
    expect(r.service.getHealthInfo('terminal:one')).toMatchObject({ grade: 'healthy', roundTrips: { lastMs: 80 } });
  });

  test('is not measured by the first answer where two pings are out: which of them it is for nobody can say', async () => {
    const r = own();
    const { socket } = await r.open();
    await r.clock.advanceAsync(1_000);
    socket.says('{"type":"hello"}');
    r.signals.send('system.woke');
    await r.clock.advanceAsync(40);
    expect(socket.sent).toHaveLength(2);
    pong(socket);
    expect(roundTrips(r)).toEqual([]);
    await r.clock.advanceAsync(5);
    pong(socket);
    expect(roundTrips(r)).toEqual([45]);
  });

  test('is not measured by a pong that nobody asked for', async () => {
    const r = own();
    const { socket } = await r.open();
    pong(socket);
    await r.clock.advanceAsync(1_030);
    pong(socket);
    pong(socket);
    expect(roundTrips(r)).toEqual([30]);
  });

  test('is measured anew after one that was never answered', async () => {
    const r = own();
    const { socket } = await r.open();
    await r.clock.advanceAsync(1_000);
    socket.says('{"type":"hello"}');
    await r.clock.advanceAsync(24_000);
    await r.clock.advanceAsync(45);
    pong(socket);
    expect(roundTrips(r)).toEqual([45]);
  });
});

describe('a link whose round trips cannot be measured', () => {
  test.each([
    ['has no form of ping', {}],
    ['is sent a ping whose answer nobody can tell', { ping: () => 'ping' }],
  ])('because it %s is graded by its traffic, and says so after a minute', async (_, options) => {
    const r = rig({ terminal: { heartbeat: { ...heartbeat, ...options } } });
    const { socket, id } = await r.open();
    for (let second = 0; second < 61; second++) {
      await r.clock.advanceAsync(1_000);
      socket.says('hello');
    }
    expect(r.service.getHealthInfo(id)).toMatchObject({
      grade: 'healthy',
      score: { overall: 100, latency: null },
      roundTrips: null,
    });
    expect(r.service.getRecommendations(id)).toMatchObject([
      { id: 'unmeasured', severity: 'info', because: { measure: 'openMs', value: 61_000, threshold: 60_000 } },
    ]);
    expect(r.service.getRecommendations(id)[0]?.since).toBe(r.clock.now() - 1_000);
    expect([roundTrips(r), r.status().rttMs]).toEqual([[], null]);
  });

  test('is no link of which nothing is known while nothing comes', async () => {
    const r = rig({ terminal: { heartbeat } });
    const { socket, id } = await r.open();
    socket.says('hello');
    await r.clock.advanceAsync(600_000);
    expect(r.service.getHealthInfo(id)).toMatchObject({ grade: 'unknown', score: { overall: null } });
  });
});
