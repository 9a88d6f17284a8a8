import { describe, expect, test } from 'vitest';

import { WireRig } from './support/server-script.ts';

describe('a session whose peer owes an acknowledgement', () => {
  test('leaves a dead path within two and a half seconds of sending into it, and goes on with the next socket (original fault 24)', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const receipt = connection.send('into the dark');
    await r.clock.advanceAsync(1_499);
    expect([server.of('ping'), r.state()]).toEqual([[], 'open']);
    await r.clock.advanceAsync(60);
    expect([server.of('ping').length, r.state()]).toEqual([1, 'open']);
    await r.clock.advanceAsync(300);
    expect(r.state()).toBe('degraded');
    await r.clock.advanceAsync(400);
    expect(r.state()).toBe('backoff');
    expect(r.of('error')).toMatchObject([{ code: 'LINK_DEAD' }]);
    const next = await r.redial();
    expect(next.hello.resume).toMatchObject({ sid: 's1' });
    next.welcome({ gen: 2, resumed: true, rx: 0 });
    await r.settle();
    expect([next.messages, receipt.fate]).toEqual([[[1, 'into the dark']], 'handed']);
  });

  test('is not degraded by a handler that takes its time: the peer answers the ping (pain 11)', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const receipt = connection.send('slow');
    let answered = 0;
    for (let elapsed = 0; elapsed < 20_000; elapsed += 50) {
      await r.clock.advanceAsync(50);
      for (const { i } of server.of('ping').slice(answered)) {
        answered += 1;
        server.says({ t: 'pong', i, ts: 0, now: 0 });
      }
    }
    expect(answered).toBeGreaterThan(5);
    expect(r.of('status').map(({ current }) => current)).toEqual(['connecting', 'open']);
    server.acks(1);
    await r.settle();
    expect(receipt.fate).toBe('acknowledged');
  });

  test('probes no sooner than otherwise while nothing is owed', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    connection.send('quick');
    await r.settle();
    server.acks(1);
    await r.clock.advanceAsync(24_000);
    expect([server.of('ping'), r.state()]).toEqual([[], 'open']);
  });

  test('has more patience with each link that it gave up so, up to what the heartbeat has', async () => {
    const r = new WireRig({ terminal: { retry: { baseMs: 5_000 } } });
    const { connection } = await r.join();
    connection.send('again and again');
    const lives: number[] = [];
    for (let link = 0; link < 4; link++) {
      const before = r.clock.now();
      while (r.state() !== 'backoff') await r.clock.advanceAsync(10);
      lives.push(Math.round((r.clock.now() - before) / 500) * 500);
      const next = await r.redial();
      next.welcome({ gen: link + 2, resumed: true, rx: 0 });
      await r.settle();
    }
    expect(lives).toEqual([2_000, 4_000, 8_000, 16_000]);
  });

  test('is not watched so where health is not monitored', async () => {
    const r = new WireRig({ enableHealthMonitoring: false });
    const { connection, server } = await r.join();
    connection.send('silence');
    await r.clock.advanceAsync(20_000);
    expect([server.of('ping'), r.state()]).toEqual([[], 'open']);
  });
});
