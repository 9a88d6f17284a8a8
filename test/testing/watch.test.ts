import { describe, expect, test } from 'vitest';

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
