import { describe, expect, test, vi } from 'vitest';

import { MemoryStore } from '../../src/server/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import { Stage } from '../../src/testing/stage.ts';
import { Watch } from '../../src/testing/watch.ts';
import type { ServiceOptions } from '../../src/index.ts';

async function watched(service: Partial<ServiceOptions>): Promise<{ stage: Stage; watch: Watch }> {
  const stage = new Stage(new Chance(1), { traits: new Set(), service: { wire: 'required', ...service } });
  const watch = new Watch(stage);
  stage.start();
  await stage.pass(2_000);
  return { stage, watch };
}

async function looks(stage: Stage, watch: Watch, ms: number): Promise<string | undefined> {
  for (let passed = 0; passed < ms; passed += 500) {
    await stage.pass(500);
    watch.look();
  }
  return stage.history.breach;
}

describe('a watch', () => {
  test('sees a hot loop: more dials within a minute than the backoff allows', async () => {
    const { stage, watch } = await watched({ retry: { baseMs: 500, capMs: 10_000 } });
    expect(await looks(stage, watch, 60_000)).toBeUndefined();
    const { WebSocket } = stage.network;
    for (let dial = 0; dial < 200; dial++) new WebSocket('ws://simulated/');
    expect(await looks(stage, watch, 1_000)).toMatch(/^200 dials within a minute, and 0 reasons for hope$/);
  });

  test('bears the dials of a connection that is refused for a minute', async () => {
    const { stage, watch } = await watched({ retry: { capMs: 2_000 } });
    stage.network.refusals = 1;
    for (const line of stage.network.live) line.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 0, serverNoticesMs: 0 });
    expect(await looks(stage, watch, 120_000)).toBeUndefined();
    expect(stage.network.sockets.length).toBeGreaterThan(40);
  });

  test('sees a dead link that is taken for a living one', async () => {
    const { stage, watch } = await watched({ wire: 'plain', heartbeat: false });
    const [line] = stage.network.live;
    line?.silence(['down']);
    expect(await looks(stage, watch, 60_000)).toMatch(
      /^#1 plain lets nothing through for \d+ ms, and nobody has noticed$/,
    );
  });

  test('sees that a dead link is noticed in time', async () => {
    const { stage, watch } = await watched({ heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 } });
    for (const line of stage.network.live) line.silence();
    expect(await looks(stage, watch, 60_000)).toBeUndefined();
    expect(stage.network.sockets.length).toBeGreaterThan(1);
  });

  test('sees a request whose time is over, once its device has run for a while', async () => {
    const { stage, watch } = await watched({});
    const [app] = stage.apps;
    if (app) app.connection.request = () => new Promise(() => undefined);
    for (let seed = 0; seed < 40; seed++) app?.send(new Chance(seed));
    expect(await looks(stage, watch, 5_000)).toBeUndefined();
    stage.device.sleep();
    expect(await looks(stage, watch, 1_000)).toBeUndefined();
    stage.device.wake();
    // it may not have come to it yet
    watch.look();
    expect(stage.history.breach).toBeUndefined();
    expect(await looks(stage, watch, 500)).toMatch(/^r\d+ has no answer, and its time is over$/);
  });

  test.each([
    ['gap', /^simulated:t1 lost its session: gap$/],
    ['expired', /^$/],
  ])('sees a session that is lost though both ends keep the protocol: %s', async (why, breach) => {
    const { stage, watch } = await watched({});
    const [node] = stage.nodes;
    vi.spyOn(MemoryStore.prototype, 'attach').mockResolvedValue({ ok: false, why: why as 'gap' });
    for (const line of stage.network.live) line.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 0, serverNoticesMs: 0 });
    expect((await looks(stage, watch, 30_000)) ?? '').toMatch(breach);
    expect(node?.isUp).toBe(true);
    vi.restoreAllMocks();
  });

  test.each<[string, Partial<ServiceOptions>, (stage: Stage) => void, RegExp]>([
    ['nothing', {}, () => undefined, /^simulated:t1 has failed, and had no reason$/],
    ['its retries are counted', { retry: { maxRetries: 3 } }, () => undefined, /^$/],
    ['somebody broke the protocol', {}, (stage) => (stage.isHijacked = true), /^$/],
    ['its credentials were in doubt', {}, (stage) => (stage.credentials = 'refused'), /^$/],
  ])('sees a connection that fails, and bears it where %s explains it', async (_, options, begin, breach) => {
    const { stage, watch } = await watched({ retry: {}, ...options });
    begin(stage);
    watch.look();
    // as wrong as can be: nothing that the simulation does has this code
    for (const line of stage.network.live) line.dismiss(1008, 'no');
    expect((await looks(stage, watch, 500)) ?? '').toMatch(breach);
  });

  test('lets go of what it listens to', async () => {
    const { stage, watch } = await watched({});
    const before = stage.device.listenersLeft;
    watch.end();
    expect(stage.device.listenersLeft).toBe(before - 1);
  });

  test('knows how long it may take until everything is open again', async () => {
    const { watch } = await watched({
      retry: { capMs: 1_000, promptMs: 100 },
      connectTimeoutMs: 3_000,
      heartbeat: { intervalMs: 30_000, timeoutMs: 5_000 },
    });
    // interval, timeout and 2 s, and twice a delay and a dial
    expect(watch.longestMs).toBe(37_000 + 2 * 4_000);
  });
});
