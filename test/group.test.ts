import { describe, expect, test } from 'vitest';

import { GROUP_SIZE } from '../machines/supervisor.ts';
import { fateOf, NOTHING_LEFT, rig, type Fate, type Rig } from './support/service.ts';

const COUNT = 2 * GROUP_SIZE + 1;

/** More connections than two groups hold, all of them open. */
async function crowd(): Promise<{ r: Rig; groups: Set<unknown> }> {
  const groups = new Set<unknown>();
  const inspect = ({ actorRef }: { actorRef: unknown }): unknown =>
    (actorRef as { id: string }).id.startsWith('group:') && groups.add(actorRef);
  // a service has no more than its part of the turns
  const r = rig({ inspect, maxDials: 2 * COUNT });
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

/** Lets a listener act within the supervisor's own turn: that of a signal, which closes what is open. */
async function withinTurn(r: Rig, act: () => unknown): Promise<void> {
  await r.open();
  let hasActed = false;
  r.service.on('closed', () => {
    if (hasActed) return;
    hasActed = true;
    act();
  });
  r.signals.send('page.frozen');
  await r.settle();
  r.signals.send('page.visible');
  await r.clock.advanceAsync(1_000);
  for (const socket of r.sockets.all) if (socket.readyState === 0) socket.opens();
  await r.settle();
}

const wish = (key: string): { serviceType: string; key: string } => ({ serviceType: 'chat', key });

describe('a listener within the turn of the supervisor', () => {
  test('that connects twice makes one actor, where one group is about to be full as well', async () => {
    const actors: string[] = [];
    const inspect = ({ type, actorRef }: { type: string; actorRef: unknown }): unknown =>
      type === '@xstate.actor' && actors.push((actorRef as { id: string }).id);
    const r = rig({ inspect, maxDials: COUNT });
    for (let index = 0; index < GROUP_SIZE - 2; index++) void r.service.connect(wish(`${index}`));
    await withinTurn(r, () => {
      void r.service.connect(wish('new'));
      void r.service.connect(wish('new'));
    });
    expect(actors.filter((id) => id === 'connection:chat:key=new')).toHaveLength(1);
    expect(actors.filter((id) => id.startsWith('group:'))).toHaveLength(1);
    expect(r.state('chat:key=new')).toBe('open');
  });

  test('is held to as many connections as there may be', async () => {
    const r = rig({ services: { terminal: { url: 'wss://host/' }, chat: { url: 'wss://host/', maxConnections: 2 } } });
    const fates: Fate<string>[] = [];
    await withinTurn(r, () => {
      for (const key of ['a', 'b', 'c', 'b']) fates.push(fateOf(r.service.connect(wish(key))));
    });
    const [fine, refused] = [{ kind: 'resolved' }, { error: { code: 'CONNECTION_LIMIT' } }];
    expect(fates).toMatchObject([fine, fine, refused, fine]);
  });

  test('gives a connection that it has forgotten and made again an actor of its own', async () => {
    const r = rig();
    const { id } = await r.open(wish('a'));
    void r.service.disconnect(id);
    await r.clock.advanceAsync(10_000);
    let opened: Fate<string> | undefined;
    await withinTurn(r, () => {
      r.service.updateConfig({ maxInactive: 0 });
      opened = fateOf(r.service.connect(wish('a')));
    });
    expect([opened?.kind, r.state(id)]).toEqual(['resolved', 'open']);
    const closed = fateOf(r.service.disconnect(id));
    await r.clock.advanceAsync(10_000);
    expect(closed.kind).toBe('resolved');
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('that holds messages back, sends one and lets nothing leave', async () => {
    const r = rig();
    await withinTurn(r, () => {
      void r.service.connect(wish('a'));
      const connection = r.service.connection('chat:key=a');
      connection.pause();
      connection.send('held');
    });
    const connection = r.service.connection('chat:key=a');
    const sent = (): unknown[] => r.sockets.all.flatMap((socket) => socket.sent);
    expect([connection.status.state, connection.status.flow, sent()]).toEqual(['open', 'paused', []]);
    connection.resume();
    await r.settle();
    expect(sent()).toEqual(['held']);
  });

  test.each<[string, (r: Rig) => unknown]>([
    ['is new', () => undefined],
    ['was closed unused', (r) => r.service.disconnect('chat:key=a')],
  ])('that connects and closes one that %s has it closed', async (_what, before) => {
    const r = rig();
    const fates: Fate<unknown>[] = [];
    await withinTurn(r, () => {
      fates.push(fateOf(r.service.connect(wish('a'))));
      before(r);
      fates.push(fateOf(r.service.connect(wish('a'))), fateOf(r.service.disconnect('chat:key=a')));
    });
    const closed = { error: { code: 'CLOSED_LOCALLY' } };
    expect(fates).toMatchObject([closed, closed, { kind: 'resolved' }]);
    expect(r.state('chat:key=a')).toBe('closed');
    void r.service.connect(wish('a'));
    await r.settle();
    expect(r.state('chat:key=a')).toBe('connecting');
  });

  test('that connects and ends the service is answered, and leaves nothing', async () => {
    const r = rig();
    const fates: Fate<unknown>[] = [];
    await withinTurn(r, () => {
      fates.push(fateOf(r.service.connect({ ...wish('a'), timeoutMs: 1_000 })), fateOf(r.service.destroy()));
    });
    expect(fates).toMatchObject([{ error: { code: 'SERVICE_DESTROYED' } }, { kind: 'resolved' }]);
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });
});
