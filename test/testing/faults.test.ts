import { expect, test } from 'vitest';

import { Chance } from '../../src/testing/chance.ts';
import { FAULTS, strike, strikesIn, STRIKING } from '../../src/testing/faults.ts';
import { Stage, TRAITS } from '../../src/testing/stage.ts';

type Look = (stage: Stage) => unknown;

async function open(wire: 'required' | 'plain' = 'required'): Promise<Stage> {
  const stage = new Stage(new Chance(1), { traits: new Set(), service: { wire } });
  stage.start();
  await stage.pass(2_000);
  return stage;
}

const state: Look = ({ apps }) => apps[0]?.connection.status.state;
const lines: Look = ({ network }) => network.live.length;

test('everything that may go wrong is a strike or lasts', () => {
  expect([...STRIKING, ...TRAITS]).toEqual(FAULTS);
});

test.each<[(typeof STRIKING)[number], Look]>([
  ['cuts', lines],
  ['resets', lines],
  ['half-open links', ({ network }) => network.lines.some(({ isDeaf }) => isDeaf)],
  ['refusals', ({ network }) => network.refusals > 0],
  ['slow handshakes', ({ network }) => network.slowHandshakes > 0],
  ['crashes', ({ nodes }) => nodes.filter(({ isUp }) => isUp).length],
  ['dismissals', lines],
  ['hostile servers', ({ isHijacked }) => isHijacked],
  ['offline', ({ device }) => device.isOnline],
  ['hidden pages', ({ device }) => device.isHidden],
  ['freezes', ({ device }) => device.isStill],
  ['sleeps', ({ device }) => device.isStill],
  ['clock jumps', ({ device, clock }) => device.clock.now() === clock.now()],
  ['bad credentials', ({ credentials }) => credentials === 'fine'],
  ['closings', state],
])('%s change something, and calm sets it right', async (kind, look) => {
  const stage = await open();
  const before = look(stage);
  expect(state(stage)).toBe('open');
  strike(kind, stage, new Chance(3));
  expect(look(stage)).not.toEqual(before);
  stage.calm();
  await stage.pass(120_000);
  expect([state(stage), stage.history.breach]).toEqual(['open', undefined]);
});

test.each(STRIKING)('%s may strike whatever there is: no connection, no server, a plain wire', async (kind) => {
  for (const wire of ['required', 'plain'] as const) {
    const stage = await open(wire);
    for (const line of stage.network.live) line.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 0, serverNoticesMs: 0 });
    for (const node of stage.nodes) node.crash();
    for (let seed = 1; seed < 6; seed++) strike(kind, stage, new Chance(seed));
    await stage.pass(60_000);
    stage.calm();
    await stage.pass(120_000);
    expect([state(stage), stage.history.breach]).toEqual(['open', undefined]);
  }
});

test('what lasts for a while ends by itself', async () => {
  const stage = await open();
  for (const kind of ['offline', 'freezes', 'sleeps', 'hidden pages', 'refusals', 'bad credentials'] as const)
    strike(kind, stage, new Chance(3));
  await stage.pass(60_001);
  const { device, network, credentials } = stage;
  expect([device.isOnline, device.isStill, device.isHidden, network.refusals, credentials]).toEqual([
    true,
    false,
    false,
    0,
    'fine',
  ]);
});

test('a history says how often what struck, and where there was nothing to strike', async () => {
  const stage = await open();
  strike('resets', stage, new Chance(1));
  strike('offline', stage, new Chance(1));
  await stage.pass(0);
  for (const line of stage.network.live) line.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 0, serverNoticesMs: 0 });
  strike('resets', stage, new Chance(1));
  strike('resets', stage, new Chance(1));
  expect(strikesIn(stage.history.tail(Infinity))).toEqual({ resets: 1, offline: 1 });
});
