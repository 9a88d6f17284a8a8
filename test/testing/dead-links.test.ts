import { describe, expect, test } from 'vitest';

import type { ServiceOptions } from '../../src/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import { DeadLinks, probeOf } from '../../src/testing/dead-links.ts';
import { Stage } from '../../src/testing/stage.ts';

const LOOK_MS = 500;

/** An open connection, and looks for dead links of it. */
async function linked(service: Partial<ServiceOptions>) {
  const stage = new Stage(new Chance(1), { traits: new Set(), service });
  const dead = new DeadLinks(stage);
  stage.start();
  await stage.pass(2_000);
  dead.look(2_000);
  const looks = async (ms: number): Promise<string | undefined> => {
    for (let passed = 0; passed < ms; passed += LOOK_MS) {
      await stage.pass(LOOK_MS);
      dead.look(LOOK_MS);
    }
    return stage.history.breach;
  };
  return { stage, looks };
}

const PLAIN = { wire: 'plain' } as const;
const SLOW = { intervalMs: 15_000, timeoutMs: 1_000 };
const SET = { intervalMs: 4_000, timeoutMs: 1_000 };

describe('a dead link', () => {
  test('that is never noticed is seen after the time of the heartbeat that was set when it opened', async () => {
    const { stage, looks } = await linked({ ...PLAIN, heartbeat: false });
    const [line] = stage.network.live;
    line?.silence(['down']);
    // interval, timeout, slack, and the last look
    expect(await looks(37_500)).toBeUndefined();
    expect(await looks(LOOK_MS * 2)).toMatch(/^#1 plain lets nothing through for 3\d{4} ms, and nobody has noticed$/);
  });

  test('is held to the heartbeat of its own time, not to one that is set later', async () => {
    const { stage, looks } = await linked({ ...PLAIN, heartbeat: {} });
    stage.service.updateConfig({ services: { simulated: { heartbeat: SLOW } } });
    stage.heartbeat = SLOW;
    stage.network.live[0]?.silence();
    expect(await looks(60_000)).toBeUndefined();
    // the next one goes by what is set
    expect(stage.network.sockets.length).toBeGreaterThan(1);
    stage.heartbeat = { intervalMs: 1_000, timeoutMs: 100 };
    await looks(LOOK_MS);
    stage.network.live[0]?.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 0, serverNoticesMs: 0 });
    await looks(5_000);
    // what was told to the client is slower
    stage.network.live[0]?.silence();
    expect(await looks(20_000)).toMatch(/nobody has noticed$/);
  });

  test('may take longer to be noticed while the page is hidden', async () => {
    const { stage, looks } = await linked({ ...PLAIN, heartbeat: SET });
    stage.device.hide();
    await looks(10_000);
    stage.network.live[0]?.silence();
    expect(await looks(60_000)).toBeUndefined();
    expect(stage.network.sockets.length).toBeGreaterThan(1);
  });

  test('is dead from when the last of what was on its way has come', async () => {
    const { stage, looks } = await linked({ ...PLAIN, heartbeat: false });
    const [line] = stage.network.live;
    line?.silence(['down']);
    await looks(20_000);
    if (line) stage.heardAt.set(line, stage.history.at);
    expect(await looks(37_000)).toBeUndefined();
    expect(await looks(2_000)).toMatch(/nobody has noticed$/);
  });

  test('is nobody’s concern while the device does not run', async () => {
    const { stage, looks } = await linked({ ...PLAIN, heartbeat: SET });
    stage.network.live[0]?.silence();
    stage.device.freeze();
    expect(await looks(60_000)).toBeUndefined();
    // nobody has looked for long when it runs again
    await stage.pass(60_000);
    stage.device.thaw();
    expect(await looks(60_000)).toBeUndefined();
    expect(stage.network.sockets.length).toBeGreaterThan(1);
  });

  test('that nothing of the client comes through is noticed by a server that watches', async () => {
    const { stage, looks } = await linked({ wire: 'required' });
    stage.network.live[0]?.silence(['up']);
    for (const app of stage.apps) app.connection.pause();
    await looks(30_000);
    // from then on it is dead in another way
    stage.network.live[0]?.silence(['down']);
    expect(await looks(60_000)).toBeUndefined();
    expect(stage.network.sockets.length).toBeGreaterThan(1);
    // as if nobody watched
    const client = { isLive: true, hasOpened: true };
    const unwatched = { name: '#9 n1', client, host: stage.nodes[0], isDeaf: false, isDead: true };
    stage.network.lines.push(unwatched as never);
    expect(await looks(60_000)).toMatch(/nobody has noticed$/);
  });
});

test('the time of a probe is that of the options, or of their defaults', () => {
  expect([probeOf(), probeOf(SET), probeOf(SET, 30_000), probeOf({ intervalMs: 1_000 })]).toEqual([
    35_000, 5_000, 31_000, 11_000,
  ]);
});
