import { describe, expect, test } from 'vitest';

import { HealthRig } from './support/health.ts';
import { TERMINAL } from './support/service.ts';

/** A link that is well, whose pongs take 700 ms from then on. */
async function slowed(afterSeconds = 2): Promise<HealthRig> {
  const r = new HealthRig();
  await r.open();
  await r.seconds(afterSeconds);
  r.peer.pongMs = 700;
  return r;
}

describe('a slow link', () => {
  test('is degraded after three prompt probes, with state, event and reason (pain 59)', async () => {
    const r = new HealthRig();
    await r.open();
    r.peer.pongMs = 700;
    // from the opening: a second to the probe, then 700 ms to its pong, three times
    await r.clock.advanceAsync(5_099);
    expect([r.state(), r.grades]).toEqual(['open', []]);
    await r.clock.advanceAsync(1);
    expect([r.state(), r.grades]).toEqual(['degraded', ['unknown → degraded']]);
    expect(r.of('status').at(-1)).toMatchObject({ previous: 'open', current: 'degraded' });
    expect(r.of('health')).toMatchObject([{ score: 58, because: expect.stringContaining('700 ms') as string }]);
    expect(r.info()).toMatchObject({ grade: 'degraded', score: { weakest: 'latency' } });
    expect(r.advice()).toMatchObject([{ id: 'slow-round-trips', severity: 'warning', because: { value: 700 } }]);
  });

  test.each([2, 3_600])(
    'is so within one interval and two prompt probes when it was well for %d s',
    async (seconds) => {
      const r = await slowed(seconds);
      await r.seconds(25 + 3 * 1.7);
      expect([r.state(), r.grades.at(-1)]).toEqual(['degraded', 'healthy → degraded']);
      expect(r.of('health').at(-1)?.because).toMatch(
        seconds < 60 ? /700 ms/ : /^Most of the last round trips were slow/,
      );
      expect(r.info().because).toBe(r.of('health').at(-1)?.because);
    },
  );

  test('is open and healthy again when it is quick', async () => {
    const r = await slowed();
    await r.seconds(60);
    r.peer.pongMs = 20;
    await r.seconds(25 + 3);
    expect([r.state(), r.grades]).toEqual(['open', ['unknown → healthy', 'healthy → degraded', 'degraded → healthy']]);
    expect(r.info().because).toBeNull();
    expect(r.of('closed')).toEqual([]);
  });

  test('is critical when nobody could work like that', async () => {
    const r = await slowed();
    r.peer.pongMs = 2_200;
    await r.seconds(60);
    expect([r.state(), r.grades.at(-1)]).toEqual(['degraded', 'degraded → critical']);
  });

  test('is no trouble where it is said to be fast enough', async () => {
    const r = new HealthRig({ terminal: { heartbeat: { promptMs: 1_000, slowMs: 2_000 } } });
    await r.open();
    r.peer.pongMs = 700;
    await r.seconds(300);
    expect([r.state(), r.grades, r.advised()]).toEqual(['open', ['unknown → healthy'], ['performing-well']]);
  });
});

describe('a moment', () => {
  test('changes nothing: one slow pong in five is no slow link', async () => {
    const r = new HealthRig();
    await r.open();
    await r.seconds(60);
    for (let bad = 0; bad < 4; bad++) {
      r.peer.nextPongMs = 2_000;
      await r.seconds(100);
    }
    expect([r.state(), r.grades]).toEqual(['open', ['unknown → healthy']]);
  });

  test('in which more is sent than leaves is the reason, where nothing else is', async () => {
    const r = new HealthRig({ terminal: { heartbeat: { promptMs: 1_000 }, queue: { maxMessages: 10 } } });
    const { connection } = await r.open();
    connection.pause();
    for (let n = 0; n < 6; n++) connection.send('x');
    await r.seconds(4);
    expect(r.info()).toMatchObject({ grade: 'degraded', because: 'More is sent than leaves.' });
    connection.resume();
    await r.seconds(60);
    expect([r.state(), r.info().grade]).toEqual(['open', 'healthy']);
  });

  test('in which an answer is overdue is degraded, and over with the answer', async () => {
    const r = new HealthRig();
    await r.open();
    await r.seconds(2);
    r.peer.pongMs = 3_000;
    // the next probe goes out on the beat, at 25 s
    await r.seconds(23 + 2.5);
    expect([r.state(), r.grades.at(-1)]).toEqual(['degraded', 'healthy → degraded']);
    expect(r.info()).toMatchObject({ because: 'An answer is overdue.', troubles: { missedPongs: { total: 1 } } });
    r.peer.pongMs = 20;
    await r.seconds(5);
    expect([r.state(), r.grades.at(-1)]).toEqual(['open', 'degraded → healthy']);
  });
});

describe('a loss', () => {
  test('is critical, then unknown, then as good as the new link', async () => {
    const r = new HealthRig();
    await r.open();
    await r.seconds(60);
    await r.drops();
    expect([r.state(), r.info().grade]).toEqual(['backoff', 'critical']);
    expect(r.info()).toMatchObject({ because: 'The connection is down.', score: { overall: 0, weakest: 'stability' } });
    await r.passBackoff();
    expect([r.state(), r.info().grade]).toEqual(['connecting', 'critical']);
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), r.info().grade]).toEqual(['open', 'unknown']);
    await r.seconds(2);
    expect(r.grades).toEqual(['unknown → healthy', 'healthy → critical', 'critical → unknown', 'unknown → healthy']);
  });

  test('counts once, and half as much after five minutes (original fault 40)', async () => {
    const r = new HealthRig();
    await r.open();
    await r.drops();
    const lostAt = r.clock.now();
    expect(r.info().troubles).toMatchObject({
      losses: { recent: 1, total: 1 },
      failedAttempts: { recent: 0, total: 0 },
      errors: { recent: 0, total: 0 },
    });
    await r.reopen();
    await r.seconds(2);
    const { score } = r.info();
    expect([score.stability, score.overall, score.weakest]).toEqual([71, 71, 'stability']);
    await r.clock.advanceAsync(lostAt + 300_000 - r.clock.now());
    expect(r.info().troubles.losses.recent).toBe(0.5);
    await r.seconds(3_600);
    expect([r.info().score.overall, r.info().troubles.losses.total]).toEqual([100, 1]);
  });

  test('again and again makes a connection degraded whose link is good, and is advised on', async () => {
    const r = new HealthRig();
    await r.open();
    for (let loss = 0; loss < 3; loss++) {
      await r.seconds(2);
      await r.drops();
      await r.reopen();
    }
    await r.seconds(2);
    expect([r.state(), r.info().grade, r.advised()]).toEqual(['open', 'degraded', ['frequent-losses']]);
    expect(r.info().because).toMatch(/^The connection is lost again and again/);
    await r.seconds(900);
    expect([r.info().grade, r.advised()]).toEqual(['healthy', ['performing-well']]);
  });

  test('of a while ago is enough for the grade, though not to advise on it', async () => {
    const r = new HealthRig();
    await r.open();
    for (let loss = 0; loss < 2; loss++) {
      await r.seconds(30);
      await r.drops();
      await r.reopen();
    }
    await r.seconds(2);
    expect([r.info().grade, r.advised()]).toEqual(['degraded', []]);
    expect(r.info().because).toBe('The connection has had too much trouble of late.');
  });

  test('is counted each time, and so is the time without the connection (original fault 41)', async () => {
    const r = new HealthRig();
    await r.open();
    for (let loss = 0; loss < 2; loss++) {
      await r.seconds(30);
      await r.drops();
      await r.reopen();
    }
    const { troubles, uptimeRatio, states } = r.info();
    expect(troubles.losses.total).toBe(2);
    expect(states.backoff).toBeGreaterThan(0);
    expect(uptimeRatio).toBeLessThan(1);
    expect(uptimeRatio).toBeGreaterThan(0.9);
  });
});

describe('an attempt that fails', () => {
  test('counts once (original fault 40)', async () => {
    const r = new HealthRig();
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.errs('refused');
    await r.drops();
    expect(r.info().troubles).toMatchObject({
      failedAttempts: { recent: 1, total: 1 },
      losses: { total: 0 },
      errors: { total: 0 },
    });
    expect(r.info()).toMatchObject({ grade: 'critical', state: 'backoff' });
  });

  test('is advised on while it is down, and is not while it is up', async () => {
    const r = new HealthRig();
    const opened = r.service.connect(TERMINAL);
    await r.settle();
    for (let attempt = 0; attempt < 4; attempt++) {
      await r.drops();
      if (attempt < 3) await r.passBackoff();
    }
    expect(r.advised()).toEqual(['failed-attempts']);
    await r.reopen();
    await opened;
    expect(r.advised()).toEqual([]);
  });

  test('for good is critical until the application connects again, or closes', async () => {
    const r = new HealthRig({ enableAutoRecovery: false });
    await r.open();
    await r.drops();
    expect([r.state(), r.info().grade]).toEqual(['failed', 'critical']);
    const downAt = r.clock.now();
    await r.seconds(600);
    expect(r.advice()).toMatchObject([{ id: 'down', severity: 'critical', since: downAt + 30_000 }]);
    void r.service.connect(TERMINAL).catch(() => undefined);
    await r.settle();
    expect(r.info().grade).toBe('critical');
    r.sockets.last.opens();
    await r.seconds(2);
    expect([r.info().grade, r.advised()]).toEqual(['healthy', []]);
    void r.service.disconnect('terminal:one');
    await r.seconds(5);
    expect([r.state(), r.info().grade]).toEqual(['closed', 'unknown']);
  });
});

describe('a page that is frozen', () => {
  test('misses nobody: its connection is not there, and that is no trouble', async () => {
    const r = new HealthRig();
    await r.open();
    await r.seconds(60);
    r.signals.send('page.frozen');
    await r.seconds(600);
    expect([r.state(), r.grades]).toEqual(['backoff', ['unknown → healthy', 'healthy → unknown']]);
    expect(r.info()).toMatchObject({ grade: 'unknown', because: null, score: { overall: null } });
    expect([r.info().troubles.losses.total, r.advised()]).toEqual([0, []]);
    r.signals.send('page.visible');
    await r.seconds(1);
    expect([r.state(), r.info().grade]).toEqual(['connecting', 'unknown']);
    await r.drops();
    expect([r.state(), r.info().grade]).toEqual(['backoff', 'critical']);
    await r.reopen();
    await r.seconds(2);
    expect(r.info().grade).toBe('healthy');
  });
});
