import { describe, expect, test } from 'vitest';

import { GROUP_SIZE } from '../machines/supervisor.ts';
import { NOTHING_LEFT, rig, type Rig } from './support/service.ts';

const COUNT = 2 * GROUP_SIZE + 1;

/** More connections than two groups hold, all of them open. */
async function crowd(): Promise<{ r: Rig; groups: Set<unknown> }> {
  const groups = new Set<unknown>();
  const inspect = ({ actorRef }: { actorRef: unknown }): unknown =>
    (actorRef as { id: string }).id.startsWith('group:') && groups.add(actorRef);
  const r = rig({ inspect, maxDials: COUNT });
  for (let index = 0; index < COUNT; index++) void r.service.connect({ serviceType: 'chat', key: `${index}` });
  await r.settle();
  for (const socket of r.sockets.all) socket.opens();
  await r.settle();
  return { r, groups };
}

describe('many connections', () => {
  test('hang in groups, and are reached, told and closed like few', async () => {
    const { r, groups } = await crowd();
    expect(groups.size).toBe(3);
    expect(new Set(r.service.getConnections().map(({ state }) => state))).toEqual(new Set(['open']));
    await r.service.sendMessage('chat:key=0', 'hello');
    expect(r.sockets.all[0]?.sent).toEqual(['hello']);
    r.signals.send('network.offline');
    for (const socket of r.sockets.all) socket.ends(1006);
    await r.settle();
    expect(r.of('retrying').filter(({ waitingFor }) => waitingFor === 'network')).toHaveLength(COUNT);
  });

  test('say goodbye within the deadline of a destroy, and are cut then', async () => {
    const { r } = await crowd();
    const destroyed = r.service.destroy({ deadlineMs: 500 });
    await r.settle();
    const [first, ...others] = r.sockets.all;
    for (const socket of others) socket.ends(1000);
    await r.settle();
    expect(first?.isLive).toBe(false);
    await r.clock.advanceAsync(500);
    await destroyed;
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('leave room for others when they are forgotten', async () => {
    const { r, groups } = await crowd();
    const few = GROUP_SIZE - 1;
    r.service.updateConfig({ maxInactive: 0 });
    for (let index = 0; index < few; index++) void r.service.disconnect(`chat:key=${index}`);
    await r.clock.advanceAsync(10_000);
    expect(r.service.getConnections()).toHaveLength(COUNT - few);
    for (let index = 0; index < few; index++) void r.service.connect({ serviceType: 'chat', key: `new ${index}` });
    await r.settle();
    expect(groups.size).toBe(3);
  });
});
