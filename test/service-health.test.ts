import { describe, expect, test } from 'vitest';

import { HealthRig } from './support/health.ts';
import { NOTHING_LEFT, rig, TERMINAL } from './support/service.ts';

const PERFECT = { overall: 100, latency: 100, stability: 100, capacity: 100, weakest: null };

describe('the health of a new connection', () => {
  test('is unknown, then good with its first round trip, a second later (original fault 38) (pain 59)', async () => {
    const r = new HealthRig();
    await r.open();
    expect(r.info()).toMatchObject({ grade: 'unknown', because: null, score: { overall: null }, roundTrips: null });
    await r.clock.advanceAsync(1_019);
    expect([r.grades, r.info().grade]).toEqual([[], 'unknown']);
    await r.clock.advanceAsync(1);
    expect(r.of('health')).toEqual([
      {
        connectionId: 'terminal:one',
        serviceType: 'terminal',
        previous: 'unknown',
        current: 'healthy',
        score: 100,
        because: null,
      },
    ]);
    expect(r.info()).toMatchObject({ grade: 'healthy', because: null, score: PERFECT, roundTrips: { lastMs: 20 } });
    expect(r.advice()).toEqual([]);
  });

  test.each([
    ['a minute', 60],
    ['an hour', 3_600],
    ['a day', 86_400],
  ])(
    'is perfect after %s without traffic and without trouble (original fault 38) (original fault 42)',
    { timeout: 60_000 },
    async (_, s) => {
      const r = new HealthRig();
      const { connection } = await r.open();
      await r.seconds(s);
      expect(r.info()).toMatchObject({
        grade: 'healthy',
        because: null,
        score: PERFECT,
        uptimeRatio: 1,
        state: 'open',
      });
      expect(connection.health).toEqual(r.info());
      expect([r.grades, r.state()]).toEqual([['unknown → healthy'], 'open']);
      expect(r.advised()).toEqual(s < 120 ? [] : ['performing-well']);
    },
  );

  test('is nothing while it is not asked to connect, nor of an id that is none', async () => {
    const r = new HealthRig();
    await r.open();
    expect([r.service.getHealthInfo('nobody'), r.service.getHealthTrend('nobody')]).toEqual([null, null]);
    expect(r.service.getRecommendations('nobody')).toEqual([]);
    void r.service.disconnect('terminal:one');
    await r.seconds(10);
    expect(r.info()).toMatchObject({ grade: 'unknown', state: 'closed', score: { overall: null } });
  });

  test('is a copy, which does not change', async () => {
    const r = new HealthRig();
    await r.open();
    const before = r.info();
    const text = JSON.stringify(before);
    await r.seconds(60);
    await r.drops();
    expect(JSON.stringify(before)).toBe(text);
    expect(Object.isFrozen(before)).toBe(true);
    before.totals.messagesIn = 99;
    expect(r.info().totals.messagesIn).toBe(0);
  });
});

describe('health that is not monitored', () => {
  test('is null, and costs no probe and no timer', async () => {
    const r = new HealthRig({ enableHealthMonitoring: false });
    const { id, connection, socket } = await r.open();
    connection.send('hello');
    // what settles an opening is over
    await r.seconds(60);
    expect([socket.pings, r.clock.pending(), r.grades, r.of('roundTrip')]).toEqual([0, 0, [], []]);
    expect([r.service.getHealthInfo(id), connection.health, r.service.getHealthTrend(id)]).toEqual([null, null, null]);
    expect(r.service.getRecommendations(id)).toEqual([]);
    expect(r.service.getHealthInfo()).toMatchObject({ total: 0, averageScore: null });
    expect(r.service.getTraffic()).toEqual({
      terminal: { messagesOut: 0, messagesIn: 0, bytesOut: 0, bytesIn: 0, dropped: {} },
    });
  });

  test('knows where a connection stands that is open already once it is monitored', async () => {
    const r = new HealthRig({ enableHealthMonitoring: false });
    await r.open();
    r.service.updateConfig({ enableHealthMonitoring: true });
    expect(r.info()).toMatchObject({ state: 'open', grade: 'unknown' });
    await r.seconds(5);
    expect(r.info()).toMatchObject({ states: { open: 5_000 }, uptimeRatio: 1 });
  });

  test('is measured from where it was when it is monitored again', async () => {
    const r = new HealthRig();
    const { connection } = await r.open();
    connection.send('hello');
    await r.seconds(5);
    r.service.updateConfig({ enableHealthMonitoring: false });
    await r.drops();
    expect(r.service.getHealthInfo('terminal:one')).toBeNull();
    r.service.updateConfig({ enableHealthMonitoring: true });
    expect(r.info()).toMatchObject({ state: 'backoff', totals: { messagesOut: 1 } });
    await r.reopen();
    await r.seconds(5);
    expect(r.info()).toMatchObject({ state: 'open', grade: 'healthy' });
  });
});

describe('a range that is none', () => {
  test.each([0, -1, NaN, '60000' as never, null as never, 5n as never])('%s is refused', async (range) => {
    const r = new HealthRig();
    const { id } = await r.open();
    expect(() => r.service.getHealthTrend(id, range)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', code: 'INVALID_OPTIONS' }) as Error,
    );
  });
});

describe('the cost of knowing', () => {
  test('is no timer beside the heartbeat’s own, whoever looks', async () => {
    const r = new HealthRig();
    const other = new HealthRig({ terminal: { heartbeat: false } });
    await r.open();
    await other.open();
    await r.seconds(60);
    await other.seconds(60);
    expect([r.clock.pending(), other.clock.pending()]).toEqual([1, 0]);
    for (const each of [r, other]) {
      each.info();
      each.advice();
      each.service.getHealthTrend('terminal:one');
      each.service.getHealthInfo();
    }
    expect([r.clock.pending(), other.clock.pending()]).toEqual([1, 0]);
  });

  test('is over when the connection is closed, and nothing is left after destroy', async () => {
    const r = new HealthRig();
    const { id, socket } = await r.open();
    await r.seconds(60);
    void r.service.disconnect(id);
    await r.settle();
    socket.ends(1000);
    await r.settle();
    expect([r.clock.pending(), socket.listenersLeft]).toEqual([0, 0]);
    const { pings } = socket;
    await r.seconds(600);
    expect(socket.pings).toBe(pings);
    await r.open(TERMINAL);
    await r.seconds(2);
    r.peer.pongMs = null;
    await r.seconds(26);
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
    await r.seconds(600);
    expect(r.bugs).toEqual([]);
  });

  test('is nothing after destroy: what is asked then is answered with nothing, and throws nothing', async () => {
    const r = rig();
    const { id, connection } = await r.open();
    await r.destroy();
    expect([r.service.getHealthInfo(id), r.service.getRecommendations(id)]).toEqual([null, []]);
    expect(r.service.getHealthInfo()).toMatchObject({ total: 0, averageScore: null });
    expect(connection.health).toMatchObject({ state: 'closed', grade: 'unknown' });
  });
});
