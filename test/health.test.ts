import { describe, expect, test } from 'vitest';

import type { HeartbeatOptions } from '../src/options.ts';
import { nodeSockets, type FakeNodeSocket } from './support/fake-socket.ts';
import { rig, Rig, TERMINAL, type RigOptions } from './support/service.ts';

const TIMES = { intervalMs: 10_000, lateMs: 1_000, timeoutMs: 4_000 };

function nodeRig(heartbeat: HeartbeatOptions = TIMES, options: RigOptions = {}): Rig<FakeNodeSocket> {
  return new Rig(nodeSockets(), { terminal: { heartbeat }, ...options });
}

function states(r: Rig): string[] {
  return r.of('status').map(({ current }) => current);
}

describe('a silent link', () => {
  test('is found dead within interval and timeout, degraded before (original fault 24) (pain 3)', async () => {
    const r = nodeRig();
    const { socket } = await r.open();
    await r.clock.advanceAsync(10_999);
    expect([socket.pings, r.state()]).toEqual([1, 'open']);
    await r.clock.advanceAsync(1);
    expect(r.state()).toBe('degraded');
    await r.clock.advanceAsync(2_999);
    expect(r.state()).toBe('degraded');
    await r.clock.advanceAsync(1);
    expect(r.state()).toBe('backoff');
    expect(r.of('error')).toMatchObject([{ code: 'LINK_DEAD', category: 'timeout', retryable: true, generation: 1 }]);
    expect(r.of('closed')).toMatchObject([{ code: 1006, wasClean: false, initiator: 'network' }]);
    expect((await r.reopen()).isLive).toBe(true);
  });

  test('is abandoned, not asked to close: a frozen socket that never answers holds nothing up (pain 5)', async () => {
    const r = rig({ terminal: { heartbeat: { ...TIMES, ping: () => 'ping' } } });
    const { socket } = await r.open();
    await r.clock.advanceAsync(14_000);
    expect([r.state(), socket.isLive]).toEqual(['backoff', false]);
    await r.reopen();
    // the frozen one thaws: what it says is of the past
    socket.says('stale');
    socket.ends(1000);
    await r.settle();
    expect([r.state(), r.of('message'), r.sockets.live.length]).toEqual(['open', [], 1]);
  });

  test('is no close of the application: it is retried every time, also after a close that was one (pain 9)', async () => {
    const r = nodeRig();
    const { id } = await r.open();
    for (let death = 1; death <= 4; death++) {
      await r.clock.advanceAsync(14_000);
      expect(r.of('closed').at(-1)).toMatchObject({ initiator: 'network', error: { code: 'LINK_DEAD' } });
      await r.reopen();
      expect(r.state()).toBe('open');
    }
    void r.service.disconnect(id);
    await r.clock.advanceAsync(10_000);
    expect([r.state(), r.of('closed').at(-1)?.initiator]).toEqual(['closed', 'local']);
    await r.open();
    await r.clock.advanceAsync(14_000);
    expect(r.state()).toBe('backoff');
    expect((await r.reopen()).isLive).toBe(true);
  });

  test('is read before it is given up: a deadline that is noticed late, after a freeze, proves nothing (pain 7)', async () => {
    const r = nodeRig();
    const { socket } = await r.open();
    await r.clock.advanceAsync(11_000);
    r.clock.sleep(60_000);
    // what is overdue fires first, and only then is read what has long been there
    r.clock.advance(0);
    socket.controls('pong');
    await r.clock.advanceAsync(9_000);
    expect(states(r)).toEqual(['connecting', 'open', 'degraded', 'open']);
  });

  test('recovers with any frame, and is quiet again for a whole interval', async () => {
    const r = nodeRig();
    const { socket } = await r.open();
    for (const speak of [() => socket.says('data'), () => socket.controls('pong'), () => socket.controls('ping')]) {
      await r.clock.advanceAsync(11_000);
      expect(r.state()).toBe('degraded');
      speak();
      expect(r.state()).toBe('open');
    }
    const { pings } = socket;
    await r.clock.advanceAsync(9_999);
    expect(socket.pings).toBe(pings);
    await r.clock.advanceAsync(1);
    expect(socket.pings).toBe(pings + 1);
  });

  test('that answers in time is never degraded', async () => {
    // a slow answer is in time all the same
    const r = nodeRig({ ...TIMES, slowMs: 2_000 });
    const { socket } = await r.open();
    for (let probe = 1; probe <= 20; probe++) {
      await r.clock.advanceAsync(10_000);
      expect(socket.pings).toBe(probe);
      await r.clock.advanceAsync(999);
      socket.controls('pong');
    }
    expect(states(r)).toEqual(['connecting', 'open']);
  });

  test('is sent messages as ever while it is degraded', async () => {
    const r = nodeRig();
    const { id, socket } = await r.open();
    await r.clock.advanceAsync(11_000);
    await r.service.sendMessage(id, 'still here?');
    expect([r.state(), socket.sent]).toEqual(['degraded', ['still here?']]);
  });

  test('is closed by the application from degraded too', async () => {
    const r = nodeRig();
    const { id, socket } = await r.open();
    await r.clock.advanceAsync(11_000);
    void r.service.disconnect(id);
    socket.ends(1000);
    await r.settle();
    expect([r.state(), r.clock.pending()]).toEqual(['closed', 0]);
  });
});

describe('the probe', () => {
  test('may be a message of the application’s own, made for each one', async () => {
    let asked = 0;
    const r = rig({ terminal: { heartbeat: { ...TIMES, ping: () => ({ type: 'ping', n: ++asked }) } } });
    const { socket } = await r.open();
    await r.clock.advanceAsync(10_000);
    socket.says('pong');
    await r.clock.advanceAsync(10_000);
    expect(socket.sent).toEqual(['{"type":"ping","n":1}', '{"type":"ping","n":2}']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('ping');
      },
    ],
    ['gives nothing that can be sent', () => undefined],
  ])('that %s is reported, and no doubt: a question that was not asked proves nothing', async (_how, ping) => {
    const r = rig({ terminal: { heartbeat: { ...TIMES, ping } } });
    await r.open();
    await r.clock.advanceAsync(14_000);
    expect([r.bugs.map(({ code }) => code), r.state()]).toEqual([['LISTENER_THREW'], 'open']);
  });

  test('overtakes no message, and is no message of the queue', async () => {
    const r = rig({ terminal: { heartbeat: { ...TIMES, ping: () => 'ping' } } });
    await r.open();
    await r.clock.advanceAsync(10_000);
    expect(r.status().messages).toMatchObject({ accepted: 0, sent: 0 });
  });

  test('does not exist for a browser’s socket by default: silence proves nothing there, and is left alone', async () => {
    const r = rig({ terminal: { heartbeat: TIMES } });
    await r.open();
    await r.clock.advanceAsync(600_000);
    expect([states(r), r.sockets.last.sent]).toEqual([['connecting', 'open'], []]);
    expect(r.clock.pending()).toBe(0);
  });

  test.each<[what: string, options: RigOptions]>([
    ['heartbeat: false', { terminal: { heartbeat: false } }],
    ['enableHealthMonitoring: false', { enableHealthMonitoring: false, terminal: { heartbeat: TIMES } }],
  ])('is never sent with %s, and no timer runs', async (_what, options) => {
    const r = new Rig(nodeSockets(), options);
    const { socket } = await r.open();
    await r.clock.advanceAsync(600_000);
    expect([socket.pings, r.clock.pending(), r.state()]).toEqual([0, 0, 'open']);
  });

  test('changes with updateConfig from the next link', async () => {
    const r = nodeRig();
    await r.open();
    r.service.updateConfig({ services: { terminal: { heartbeat: { intervalMs: 100 } } } });
    await r.clock.advanceAsync(9_999);
    expect(r.sockets.last.pings).toBe(0);
    r.sockets.last.ends(1006);
    await r.settle();
    const next = await r.reopen();
    await r.clock.advanceAsync(100);
    expect(next.pings).toBe(1);
  });
});

describe('a peer that is known to speak', () => {
  const SILENCE = { ...TIMES, ping: 'silence' as const };

  test('is sent nothing, and raises no false alarm while it speaks once per interval', async () => {
    const r = rig({ terminal: { heartbeat: SILENCE } });
    const { socket } = await r.open();
    for (let interval = 1; interval <= 30; interval++) {
      // early in one interval, late in the next: never twice in the same
      await r.clock.advanceAsync(interval % 2 === 0 ? 1_000 : 9_000);
      socket.says('tick');
      await r.clock.advanceAsync(interval % 2 === 0 ? 9_000 : 1_000);
    }
    expect([states(r), socket.sent]).toEqual([['connecting', 'open'], []]);
  });

  test('is given up when it said nothing since the last time and keeps silent', async () => {
    const r = rig({ terminal: { heartbeat: SILENCE } });
    const { socket } = await r.open();
    await r.clock.advanceAsync(5_000);
    socket.says('tick');
    await r.clock.advanceAsync(5_000 + 10_000 + 3_999);
    expect(r.state()).toBe('degraded');
    await r.clock.advanceAsync(1);
    expect(r.state()).toBe('backoff');
  });

  test('that never speaks is given up after the first interval', async () => {
    const r = rig({ terminal: { heartbeat: SILENCE } });
    await r.open();
    await r.clock.advanceAsync(14_000);
    expect(r.of('error')).toMatchObject([{ code: 'LINK_DEAD' }]);
  });

  test('that speaks in the time of doubt is believed', async () => {
    const r = rig({ terminal: { heartbeat: SILENCE } });
    const { socket } = await r.open();
    await r.clock.advanceAsync(13_000);
    expect(r.state()).toBe('degraded');
    socket.says('tick');
    expect(r.state()).toBe('open');
  });
});

describe('a doubt from outside', () => {
  test.each(['system.woke', 'network.online', 'network.offline', 'page.visible'] as const)(
    '%s probes an open link at once, whatever its readyState says (pain 4) (pain 36)',
    async (signal) => {
      const r = nodeRig();
      const { socket } = await r.open();
      await r.clock.advanceAsync(2_000);
      r.signals.send(signal);
      expect([socket.pings, r.state()]).toEqual([1, 'open']);
      await r.clock.advanceAsync(4_000);
      expect(r.state()).toBe('backoff');
    },
  );

  test('is settled by an answer, and costs the link nothing', async () => {
    const r = nodeRig();
    const { socket } = await r.open();
    r.signals.send('system.woke');
    socket.controls('pong');
    await r.clock.advanceAsync(9_000);
    expect(states(r)).toEqual(['connecting', 'open']);
  });

  test('wakes the retry of a lost connection up', async () => {
    const r = nodeRig(TIMES, { terminal: { retry: { baseMs: 30_000 } } });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    r.signals.send('system.woke');
    await r.clock.advanceAsync(200);
    expect([r.sockets.constructions, r.state()]).toEqual([2, 'connecting']);
  });

  test('hidden pages are left to their heartbeat', async () => {
    const r = nodeRig();
    const { socket } = await r.open();
    r.signals.send('page.hidden');
    expect([socket.pings, r.state()]).toEqual([0, 'open']);
  });
});
