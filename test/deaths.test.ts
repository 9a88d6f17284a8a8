import { describe, expect, test } from 'vitest';

import { fateOf, NOTHING_LEFT, rig, TERMINAL, type Rig, type RigOptions } from './support/service.ts';

interface SeenActor {
  id: string;
  send(event: object): void;
}

/** A service, one of whose connections can be made to die: of a policy without a backoff, at its next loss. */
function mortal(options: RigOptions = {}): { r: Rig; die: (id?: string) => Promise<void> } {
  const actors: SeenActor[] = [];
  const inspect = ({ type, actorRef }: { type: string; actorRef: unknown }): unknown =>
    type === '@xstate.actor' && actors.push(actorRef as SeenActor);
  const r = rig({ ...options, inspect });
  const die = async (id = 'terminal:one'): Promise<void> => {
    const actor = actors.findLast((seen) => seen.id === `connection:${id}`);
    actor?.send({ type: 'policy.changed', policy: { maxRetries: null } });
    r.sockets.last.ends(1006);
    await r.settle();
  };
  return { r, die };
}

describe('a connection whose actor dies', () => {
  test('gets another, which connects again and keeps what waits', async () => {
    const { r, die } = mortal();
    const { id, connection } = await r.open();
    await die();
    const message = fateOf(r.service.sendMessage(id, 'kept'));
    expect([r.state(), r.sockets.live.length, r.of('gaveUp')]).toEqual(['connecting', 1, []]);
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), message.kind, r.sockets.last.sent]).toEqual(['open', 'resolved', ['kept']]);
    expect(r.service.connection(id)).toBe(connection);
    expect(r.of('opened')).toMatchObject([
      { isReconnect: false, generation: 1 },
      { isReconnect: true, generation: 2 },
    ]);
    expect(r.of('closed')).toMatchObject([{ code: 1006, error: { code: 'INTERNAL_FAULT' } }]);
    expect(r.bugs).toMatchObject([{ code: 'INTERNAL_FAULT', connectionId: id }]);
  });

  test('is in doubt about what its socket had when it died', async () => {
    const { r, die } = mortal();
    const { connection } = await r.open();
    r.sockets.last.holds = true;
    connection.send('handed over');
    await r.settle();
    await die();
    expect(r.of('closed')).toMatchObject([{ inDoubt: 1 }]);
  });

  test('opens for those who have waited since before', async () => {
    const { r, die } = mortal();
    const opened = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    await die();
    expect([opened.kind, r.state()]).toEqual(['pending', 'connecting']);
    r.sockets.last.opens();
    await r.settle();
    expect(opened.kind).toBe('resolved');
  });

  test('lives by the policy of now', async () => {
    const { r, die } = mortal();
    await r.open();
    r.service.updateConfig({ services: { terminal: { retry: { maxRetries: 0 } } } });
    await die();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.state()).toBe('failed');
  });

  test('is failed when it dies too often, which is escalated', async () => {
    const { r, die } = mortal({ restarts: { most: 2, withinMs: 1_000 } });
    const opened = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    for (let time = 0; time < 3; time++) await die();
    expect([r.state(), opened.error]).toMatchObject(['failed', { code: 'INTERNAL_FAULT' }]);
    expect(r.of('gaveUp')).toMatchObject([{ connectionId: 'terminal:one', because: 'fault' }]);
    expect(r.of('escalated')).toMatchObject([
      {
        connectionId: 'terminal:one',
        serviceType: 'terminal',
        restarts: 2,
        withinMs: 1_000,
        error: { code: 'INTERNAL_FAULT' },
      },
    ]);
    await r.open();
    expect(r.state()).toBe('open');
  });

  test('is forgiven what it died of long ago', async () => {
    const { r, die } = mortal({ restarts: { most: 1, withinMs: 1_000 } });
    void r.service.connect(TERMINAL);
    await r.settle();
    for (let time = 0; time < 3; time++) {
      await die();
      await r.clock.advanceAsync(1_000);
    }
    expect([r.state(), r.of('escalated')]).toEqual(['connecting', []]);
  });

  test('is closed when it dies of its close', async () => {
    const { r, die } = mortal();
    const { id } = await r.open();
    r.sockets.last.bufferedAmount = 1;
    const closing = fateOf(r.service.disconnect(id));
    await r.settle();
    expect(r.state()).toBe('closing');
    await die();
    await r.clock.advanceAsync(10_000);
    expect([r.state(), closing.kind, r.sockets.live]).toEqual(['closed', 'resolved', []]);
  });

  test('leaves nothing that watches the link of the next', async () => {
    const heartbeat = { intervalMs: 1_000, timeoutMs: 500, ping: (): string => 'ping' };
    const { r, die } = mortal({ terminal: { heartbeat } });
    await r.open();
    await die();
    r.sockets.last.opens();
    await r.settle();
    await r.clock.advanceAsync(1_001);
    expect(r.sockets.last.sent).toEqual(['ping']);
  });

  test('leaves a service that can be destroyed, with nothing left', async () => {
    const { r, die } = mortal();
    await r.open();
    await die();
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });
});
