import { describe, expect, test } from 'vitest';

import type { Traffic } from '../src/health-info.ts';
import { HealthRig } from './support/health.ts';
import { MEMBER, PoolRig } from './support/pool.ts';

function pooled(): PoolRig {
  const service = { ...MEMBER, heartbeat: { promptMs: 1_000 } };
  return new PoolRig({ services: { chat: service, log: service } });
}

/** The next ping goes out, and is answered after so long. */
async function roundTrip(r: PoolRig, rttMs: number): Promise<void> {
  const server = r.server;
  const before = server.of('ping').length;
  while (server.of('ping').length === before) await r.clock.advanceAsync(100);
  const ping = server.of('ping').at(-1);
  await r.clock.advanceAsync(rttMs);
  if (ping) server.says({ t: 'pong', i: ping.i, ts: ping.ts, now: 5 });
  await r.settle();
}

const told = (r: PoolRig): string[] => r.of('roundTrip').map(({ connectionId, rttMs }) => `${connectionId} ${rttMs}`);

describe('the health of those who share a session', () => {
  test('is that of its link: each has its round trips, and nobody else probes (pain 12)', async () => {
    const r = pooled();
    await r.joins('chat', 'log');
    await roundTrip(r, 30);
    expect(told(r)).toEqual(['pool:p 30', 'chat 30', 'log 30']);
    for (const id of ['pool:p', 'chat', 'log']) {
      expect(r.service.getHealthInfo(id)).toMatchObject({ grade: 'healthy', roundTrips: { lastMs: 30, samples: 1 } });
      expect(r.status(id).rttMs).toBe(30);
    }
    expect(r.server.of('ping')).toHaveLength(1);
  });

  test('is poor with the link, and good again with it', async () => {
    const r = pooled();
    await r.joins('chat', 'log');
    await roundTrip(r, 30);
    for (let slow = 0; slow < 3; slow++) await roundTrip(r, 900);
    expect(r.states('pool:p', 'chat', 'log')).toEqual(['degraded', 'degraded', 'degraded']);
    expect(r.service.getHealthInfo()).toMatchObject({ total: 3, degraded: 3 });
    for (let quick = 0; quick < 5; quick++) await roundTrip(r, 30);
    expect(r.states('pool:p', 'chat', 'log')).toEqual(['open', 'open', 'open']);
    expect(r.service.getHealthInfo()).toMatchObject({ healthy: 3 });
  });

  test('is told of nobody who has left', async () => {
    const r = pooled();
    await r.joins('chat', 'log');
    void r.service.disconnect('log');
    await r.clock.advanceAsync(0);
    r.server.says({ t: 'shut', c: r.server.nameOf('log') } as never);
    await r.settle();
    expect(r.state('log')).toBe('closed');
    await roundTrip(r, 30);
    expect(told(r)).toEqual(['pool:p 30', 'chat 30']);
    expect(r.service.getHealthInfo('log')).toMatchObject({ grade: 'unknown', roundTrips: null });
    expect(r.status('log').rttMs).toBeNull();
  });

  test('counts the messages of each, and a loss with each', async () => {
    const r = pooled();
    const server = await r.joins('chat', 'log');
    r.connection('chat').send('a');
    r.connection('chat').send('b');
    await r.settle();
    server.tells(1, 'log', 'x');
    await r.settle();
    expect(r.service.getHealthInfo('chat')?.totals).toMatchObject({ messagesOut: 2, messagesIn: 0 });
    expect(r.service.getHealthInfo('log')?.totals).toMatchObject({ messagesOut: 0, messagesIn: 1 });
    await r.drops();
    for (const id of ['pool:p', 'chat', 'log'])
      expect(r.service.getHealthInfo(id)).toMatchObject({ grade: 'critical', troubles: { losses: { total: 1 } } });
  });
});

describe('what was carried', () => {
  const of = (r: HealthRig): Traffic | undefined => r.service.getTraffic()['terminal'];

  test.each([0, 1])('is never less, whoever is forgotten: with maxInactive %d', async (maxInactive) => {
    const r = new HealthRig({ maxInactive });
    const seen: (number | undefined)[] = [];
    const look = (): void => void seen.push(of(r)?.messagesOut, of(r)?.messagesIn, of(r)?.bytesIn);
    for (const type of ['status', 'closed', 'undelivered'] as const) r.service.on(type, look);
    for (const terminalId of ['one', 'two', 'three']) {
      const { connection, socket, id } = await r.open({ serviceType: 'terminal', terminalId });
      connection.send('12345');
      await r.settle();
      socket.says('abc');
      await r.drops(4_403);
      look();
      await r.settle();
      look();
      expect(r.service.getConnectionStatus(id) === null).toBe(maxInactive === 0);
    }
    const counts = [0, 1, 2].map((which) => seen.filter((_, index) => index % 3 === which).map((count) => count ?? 0));
    for (const series of counts) expect(series).toEqual(series.toSorted((one, other) => one - other));
    expect(of(r)).toEqual({ messagesOut: 3, messagesIn: 3, bytesOut: 15, bytesIn: 9, dropped: {} });
  });

  test('is counted by type, with what was dropped and why, also when its connection is forgotten', async () => {
    const r = new HealthRig({ maxInactive: 0, terminal: { queue: { maxMessages: 1, overflow: 'drop-oldest' } } });
    const { connection } = await r.open();
    await r.open({ serviceType: 'chat' });
    r.service.connection('chat').send('hello');
    await r.settle();
    connection.pause();
    for (let n = 0; n < 3; n++) connection.send('x');
    const dropped = { DROPPED_FOR_ROOM: 2 };
    expect(r.service.getTraffic()).toMatchObject({ terminal: { messagesOut: 0, dropped }, chat: { messagesOut: 1 } });
    void r.service.disconnect('terminal:one');
    await r.seconds(10);
    expect(r.service.getConnectionStatus('terminal:one')).toBeNull();
    expect(r.service.getTraffic()).toMatchObject({ terminal: { dropped }, chat: { messagesOut: 1 } });
  });

  test('is still known after destroy', async () => {
    const r = new HealthRig();
    const { connection } = await r.open();
    connection.send('12345');
    await r.settle();
    const before = r.service.getTraffic();
    await r.destroy();
    expect(before).toMatchObject({ terminal: { messagesOut: 1, bytesOut: 5 } });
    expect(r.service.getTraffic()).toEqual(before);
  });

  test('is told as it was then, and cannot be changed', async () => {
    const r = new HealthRig();
    const { connection } = await r.open();
    const before = of(r);
    connection.send('x');
    await r.settle();
    expect([before?.messagesOut, of(r)?.messagesOut]).toEqual([0, 1]);
    expect([Object.isFrozen(before), Object.isFrozen(before?.dropped)]).toEqual([true, true]);
  });
});
