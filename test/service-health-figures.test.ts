import { describe, expect, test } from 'vitest';

import { HealthRig } from './support/health.ts';
import { TERMINAL } from './support/service.ts';

const NOTHING = { messagesOut: 0, messagesIn: 0, bytesOut: 0, bytesIn: 0 };

async function opened(options?: ConstructorParameters<typeof HealthRig>[0]) {
  const r = new HealthRig(options);
  return { r, ...(await r.open()) };
}

describe('what a connection carries', () => {
  test('is counted in messages and bytes, both ways', async () => {
    const { r, connection, socket } = await opened();
    connection.send('12345');
    connection.send('ünï');
    connection.send(new Uint8Array(3));
    socket.says('hello');
    socket.says('ü');
    socket.says(new ArrayBuffer(4));
    await r.settle();
    expect(r.info().totals).toEqual({ messagesOut: 3, messagesIn: 3, bytesOut: 13, bytesIn: 11 });
  });

  test('is what left, not what waits or was never sent', async () => {
    const { r, connection } = await opened();
    await r.drops();
    connection.send('later');
    connection.send('never').cancel();
    expect(r.info().totals).toEqual(NOTHING);
    await r.reopen();
    expect(r.info().totals).toEqual({ ...NOTHING, messagesOut: 1, bytesOut: 5 });
  });

  test('is a rate over the last minute, which is nothing a minute later', async () => {
    const { r, connection } = await opened();
    for (let second = 0; second < 60; second++) {
      await r.seconds(1);
      connection.send('1234567890');
      connection.send('1234567890');
    }
    const { rates } = r.info();
    expect(rates.messagesOut).toBeCloseTo(2, 0);
    expect(rates.bytesOut).toBeCloseTo(rates.messagesOut * 10, 5);
    expect([rates.messagesIn, rates.bytesIn]).toEqual([0, 0]);
    await r.seconds(66);
    expect(r.info()).toMatchObject({ rates: NOTHING, totals: { messagesOut: 120, bytesOut: 1_200 } });
  });

  test('is no more a second after a reconnect than it was: rates do not explode (original fault 42)', async () => {
    const { r, socket } = await opened();
    for (let n = 0; n < 5_000; n++) socket.says('x');
    await r.seconds(600);
    await r.drops();
    await r.reopen();
    await r.seconds(1);
    expect(r.info()).toMatchObject({ rates: { messagesIn: 0 }, totals: { messagesIn: 5_000 } });
    r.sockets.last.says('x');
    expect(r.info().rates.messagesIn).toBeLessThan(0.1);
    expect(r.advised()).toEqual([]);
  });
});

describe('what waits', () => {
  test('is counted, and aged by the oldest, while the connection is away', async () => {
    const { r, connection } = await opened();
    await r.drops(4_403);
    void connection.connect();
    await r.settle();
    connection.send('12345');
    await r.seconds(3);
    connection.send('123', { priority: 'high' });
    await r.seconds(4);
    expect(r.info().queue).toEqual({ messages: 2, bytes: 8, oldestMs: 7_000 });
    // nobody expects it to leave
    expect([r.info().score.capacity, r.advised()]).toEqual([100, []]);
    r.sockets.last.opens();
    await r.settle();
    expect(r.info().queue).toEqual({ messages: 0, bytes: 0, oldestMs: 0 });
  });

  test('is too old on an open connection that is congested, which is said, and over when it is', async () => {
    const { r, connection, socket } = await opened({ terminal: { queue: { highWaterBytes: 4, lowWaterBytes: 0 } } });
    socket.holds = true;
    connection.send('12345');
    await r.settle();
    connection.send('waits');
    await r.seconds(1);
    expect(r.info().queue).toMatchObject({ messages: 2, oldestMs: 1_000 });
    await r.seconds(7);
    expect(r.info()).toMatchObject({ queue: { oldestMs: 8_000 }, score: { capacity: 22, weakest: 'capacity' } });
    expect(r.advice()).toMatchObject([
      { id: 'backlog-old', because: { measure: 'oldestMs', value: 8_000 }, since: r.clock.now() - 3_000 },
    ]);
    socket.drains();
    await r.seconds(1);
    expect([r.info().queue.oldestMs, r.info().score.capacity, r.advised()]).toEqual([0, 100, []]);
  });

  test('fills the queue, which is said from four fifths on, and is critical when it is full', async () => {
    const { r, connection } = await opened({ terminal: { queue: { maxMessages: 10 } } });
    await r.drops();
    for (let n = 0; n < 8; n++) connection.send('x');
    expect(r.advice()).toMatchObject([{ id: 'queue-nearly-full', severity: 'warning' }]);
    for (let n = 0; n < 3; n++) connection.send('x');
    expect(r.advice()).toMatchObject([
      { id: 'queue-nearly-full', severity: 'critical' },
      { id: 'messages-dropped', severity: 'warning', because: { value: 1 } },
    ]);
    expect(r.info()).toMatchObject({ queue: { messages: 10 }, troubles: { droppedMessages: { total: 1 } } });
  });

  test('and is taken back by the application is no message that was lost', async () => {
    const { r, connection } = await opened();
    await r.drops();
    connection.send('x').cancel();
    connection.send('x', { ttlMs: 1_000 });
    connection.purgeQueue();
    connection.send('x', { ttlMs: 100 });
    await r.clock.advanceAsync(100);
    expect(r.info().troubles.droppedMessages).toEqual({ recent: 1, total: 1 });
  });
});

describe('the time in states', () => {
  test('is that of the last hour, and gives the part in which the connection was there', async () => {
    const { r, id } = await opened();
    await r.seconds(540);
    await r.drops();
    const { retryAt } = r.status();
    const backoffMs = (retryAt ?? 0) - r.clock.now();
    await r.passBackoff();
    await r.seconds(9);
    r.sockets.last.opens();
    await r.seconds(50);
    const downMs = backoffMs + 9_000;
    expect(r.info()).toMatchObject({
      states: { open: 590_000, backoff: backoffMs, connecting: 9_000 },
      windowMs: 3_600_000,
    });
    expect(r.info().uptimeRatio).toBeCloseTo(590_000 / (590_000 + downMs), 10);
    void r.service.disconnect(id);
    await r.seconds(10);
    const { uptimeRatio } = r.info();
    await r.seconds(600);
    // nobody wanted it
    expect(r.info().uptimeRatio).toBe(uptimeRatio);
    await r.seconds(3_600);
    expect(r.info()).toMatchObject({ uptimeRatio: null, states: { closed: 3_600_000 } });
  });

  test('goes back as far as is said, and so does the trend', async () => {
    const { r } = await opened({ healthWindowMs: 60_000 });
    await r.seconds(30);
    await r.drops();
    await r.reopen();
    await r.seconds(90);
    expect(r.info()).toMatchObject({ states: { open: 60_000 }, uptimeRatio: 1, windowMs: 60_000 });
    expect(r.service.getHealthTrend('terminal:one')?.rangeMs).toBe(60_000);
  });
});

describe('a trend', () => {
  test('is of the range that is asked for, with the times of its points (original fault 43)', async () => {
    const { r, id } = await opened();
    await r.seconds(600);
    const lostAt = r.clock.now();
    await r.drops();
    await r.reopen();
    await r.seconds(300);
    const now = r.clock.now();
    const long = r.service.getHealthTrend(id, 3_600_000);
    expect([long?.rangeMs, long?.points[0]?.at]).toEqual([3_600_000, expect.any(Number)]);
    expect(long?.points.find(({ overall }) => overall === 0)?.at).toBe(lostAt);
    const short = r.service.getHealthTrend(id, 60_000);
    expect(short?.rangeMs).toBe(60_000);
    expect(short?.points.every(({ at }) => at >= now - 60_000 && at <= now)).toBe(true);
    expect(short?.points.some(({ overall }) => overall === 0)).toBe(false);
    expect(r.service.getHealthTrend(id, Infinity)?.rangeMs).toBe(3_600_000);
  });

  test('is stable where nothing changes, degrades with the connection, and improves with it', async () => {
    const { r, id } = await opened();
    const direction = (rangeMs: number) => r.service.getHealthTrend(id, rangeMs)?.direction;
    expect(direction(600_000)).toBe('unknown');
    await r.seconds(600);
    expect(direction(600_000)).toBe('stable');
    r.peer.pongMs = 1_000;
    await r.seconds(300);
    expect(direction(600_000)).toBe('degrading');
    expect(r.service.getHealthTrend(id, 600_000)?.change).toBeLessThan(-5);
    r.peer.pongMs = 20;
    await r.seconds(1_200);
    expect(direction(2_000_000)).toBe('improving');
  });
});

describe('what is advised', () => {
  test('is to leave a connection alone that is well, with the measurements that say so', async () => {
    const { r } = await opened();
    await r.seconds(60);
    expect([r.info().roundTrips?.samples, r.advice()]).toEqual([3, []]);
    await r.seconds(50);
    expect(r.advice()).toMatchObject([
      { id: 'performing-well', severity: 'info', because: { measure: 'samples', value: 5, threshold: 5 } },
    ]);
    const since = r.advice()[0]?.since;
    await r.seconds(600);
    expect(r.advice()[0]?.since).toBe(since);
    await r.drops();
    expect(r.advised()).toEqual([]);
  });

  test('is known from the moment that it holds, although nobody asked then', async () => {
    const { r } = await opened();
    await r.drops();
    const downAt = r.clock.now();
    await r.seconds(45);
    expect(r.advice().find(({ id }) => id === 'down')?.since).toBe(downAt + 30_000);
  });

  test('is dated anew when it was over meanwhile, though nobody asked then', async () => {
    const { r, id } = await opened({ enableAutoRecovery: false, terminal: { heartbeat: false } });
    await r.drops();
    await r.seconds(31);
    expect(r.advised()).toEqual(['down']);
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect(r.state(id)).toBe('open');
    await r.drops();
    const downAt = r.clock.now();
    await r.seconds(40);
    expect(r.advice().find((each) => each.id === 'down')?.since).toBe(downAt + 30_000);
  });
});

describe('how all connections are', () => {
  test('is how many have each grade, and the mean of the scores that are known', async () => {
    const r = new HealthRig({ maxInactive: 10 });
    expect(r.service.getHealthInfo()).toMatchObject({ total: 0, averageScore: null });
    await r.open();
    await r.seconds(2);
    await r.open({ serviceType: 'terminal', terminalId: 'two' });
    await r.drops();
    await r.open({ serviceType: 'chat' });
    expect(r.service.getHealthInfo()).toMatchObject({
      total: 3,
      healthy: 1,
      degraded: 0,
      critical: 1,
      unknown: 1,
      averageScore: 50,
    });
  });
});
