import { afterEach, describe, expect, test, vi } from 'vitest';

import { platformSignals } from '../src/transport/signals.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { nodeSockets } from './support/fake-socket.ts';
import { stubPage, type Page } from './support/page.ts';
import { PoolRig } from './support/pool.ts';
import { WireRig } from './support/server-script.ts';
import { fateOf, NOTHING_LEFT, Rig, rig, type RigOptions } from './support/service.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** What a service in a page is given. */
function inPage(): { page: Page; options: RigOptions } {
  const clock = new SimulatedClock();
  return { page: stubPage(), options: { clock, signals: platformSignals(clock) } };
}

describe('a page in the back/forward cache', () => {
  test('holds no socket; what is sent waits, and leaves once the page is back (pain 37)', async () => {
    const { page, options } = inPage();
    const r = rig(options);
    const { connection, socket } = await r.open();
    page.leaves(true);
    await r.settle();
    expect([socket.isLive, r.sockets.live.length]).toEqual([false, 0]);
    expect(r.status()).toMatchObject({ state: 'backoff', detail: 'suspended', retryAt: null, attempt: 0 });
    expect(r.of('retrying')).toMatchObject([{ delayMs: Infinity, attempt: 0, waitingFor: 'page' }]);
    expect(r.of('closed')).toMatchObject([{ initiator: 'local', error: { code: 'PAGE_FROZEN', retryable: true } }]);
    const receipt = connection.send('later');
    await r.clock.advanceAsync(3_600_000);
    expect([r.sockets.constructions, receipt.fate]).toEqual([1, 'waiting']);

    page.returns();
    await r.clock.advanceAsync(200);
    expect(r.sockets.constructions).toBe(2);
    r.sockets.last.opens();
    await r.settle();
    await r.settle();
    expect([r.sockets.last.sent, receipt.fate]).toEqual([['later'], 'sent']);
  });

  test('leaves in doubt what was in the socket, as any loss does', async () => {
    const { page, options } = inPage();
    const r = rig(options);
    const { connection, socket } = await r.open();
    socket.bufferedAmount = 100;
    const receipt = connection.send('perhaps');
    await r.settle();
    page.leaves(true);
    await r.settle();
    expect([receipt.fate, r.of('closed')]).toMatchObject(['unknown', [{ inDoubt: 1 }]]);
  });

  test('goes on with its session on holdfast.v1', async () => {
    const { page, options } = inPage();
    const r = new WireRig(options);
    const { id } = await r.join();
    const fate = fateOf(r.service.sendMessage(id, 'a'));
    await r.settle();
    page.leaves(true);
    await r.settle();
    page.returns();
    const server = await r.resume({ rx: 0 });
    expect([server.hello.resume?.hi, server.messages]).toEqual([1, [[1, 'a']]]);
    server.acks(1);
    await r.settle();
    expect(fate).toMatchObject({ kind: 'resolved', value: { outcome: 'acknowledged' } });
    expect(r.of('opened').at(-1)).toMatchObject({ isResumed: true, attempt: 0 });
  });

  test('brings a pool back, with its session and all its members', async () => {
    const { page, options } = inPage();
    const r = new PoolRig(options);
    await r.joins('chat', 'log');
    page.leaves(true);
    await r.settle();
    await r.clock.advanceAsync(60_000);
    expect([r.sockets.live.length, r.sockets.constructions]).toEqual([0, 1]);
    expect(r.service.getConnections().map(({ detail }) => detail)).toEqual(Array(3).fill('suspended'));
    page.returns();
    await r.clock.advanceAsync(200);
    const server = await r.resumes();
    await r.clock.advanceAsync(200);
    expect([r.states('chat', 'log'), server.of('open').length]).toEqual([['open', 'open'], 2]);
    expect(r.of('discontinuity')).toEqual([]);
  });

  test('leaves nothing behind when the service is destroyed in it', async () => {
    const { page, options } = inPage();
    const r = rig(options);
    await r.open();
    page.leaves(true);
    await r.settle();
    await r.destroy();
    expect([r.leftovers(), page.listeners()]).toEqual([NOTHING_LEFT, 0]);
  });
});

describe('a page that nobody looks at', () => {
  const TIMES = { intervalMs: 10_000, lateMs: 1_000, timeoutMs: 4_000 };

  test('asks for signs of life less often, and at once when somebody looks again (pain 8)', async () => {
    const { page, options } = inPage();
    const r = new Rig(nodeSockets(), { ...options, terminal: { heartbeat: TIMES, retry: { hiddenMs: 60_000 } } });
    const { socket } = await r.open();
    page.turns('hidden');
    await r.clock.advanceAsync(59_999);
    expect(socket.pings).toBe(0);
    await r.clock.advanceAsync(1);
    expect(socket.pings).toBe(1);
    socket.controls('pong');
    await r.clock.advanceAsync(30_000);
    page.turns('visible');
    await r.settle();
    expect(socket.pings).toBe(2);
    socket.controls('pong');
    await r.clock.advanceAsync(10_000);
    expect([socket.pings, r.state()]).toEqual([3, 'open']);
  });

  test('does not put off the deadline of a question that is out', async () => {
    const { page, options } = inPage();
    const r = new Rig(nodeSockets(), { ...options, terminal: { heartbeat: TIMES } });
    await r.open();
    await r.clock.advanceAsync(10_500);
    page.turns('hidden');
    await r.clock.advanceAsync(500);
    expect(r.state()).toBe('degraded');
    await r.clock.advanceAsync(3_000);
    expect(r.state()).toBe('backoff');
  });
});

describe('an offline report', () => {
  test('is not trusted alone: the open link is asked, and stays if it answers (pain 36)', async () => {
    const { page, options } = inPage();
    const r = new Rig(nodeSockets(), options);
    const { socket } = await r.open();
    page.goes('offline');
    await r.settle();
    expect([socket.pings, r.state()]).toEqual([1, 'open']);
    socket.controls('pong');
    await r.clock.advanceAsync(20_000);
    expect(r.of('status').map(({ current }) => current)).toEqual(['connecting', 'open']);
  });
});

describe('a machine that slept', () => {
  test('asks before its timers would, and loses nothing that was sent into the dead link meanwhile (pain 6)', async () => {
    const { options } = inPage();
    const r = new WireRig({
      ...options,
      terminal: { heartbeat: { intervalMs: 600_000, lateMs: 1_000, timeoutMs: 4_000 } },
    });
    const { id, server } = await r.join({ ping: { iv: 600_000, to: 60_000 } });
    const { clock } = r;
    clock.sleep(300_000);
    // the socket says that it is open, and takes what it is given
    const fate = fateOf(r.service.sendMessage(id, 'into the void'));
    await r.settle();
    expect([server.of('ping').length, fate.kind]).toEqual([1, 'pending']);
    // the answer to the ping is late, and one to the message is owed as well
    await clock.advanceAsync(1_800);
    expect(r.status()).toMatchObject({ state: 'backoff', lastError: { code: 'LINK_DEAD' } });
    const next = await r.resume({ rx: 0 });
    next.acks(1);
    await r.settle();
    expect([next.messages, fate.kind]).toEqual([[[1, 'into the void']], 'resolved']);
  });
});
