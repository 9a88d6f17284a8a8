import { describe, expect, test, vi } from 'vitest';

import { SimulatedClock } from '../src/testing/clock.ts';
import { fateOf, microtasks, NOTHING_LEFT, rig, Rig, TERMINAL } from './support/service.ts';
import { nodeSockets } from './support/fake-socket.ts';

const WAYS: [state: string, reach: (r: Rig) => Promise<unknown>][] = [
  ['idle', () => Promise.resolve()],
  [
    'connecting',
    async (r) => {
      void r.service.connect(TERMINAL);
      await r.settle();
    },
  ],
  ['open', (r) => r.open()],
  [
    'degraded',
    async (r) => {
      await r.open();
      await r.clock.advanceAsync(27_500);
    },
  ],
  [
    'backoff',
    async (r) => {
      await r.open();
      r.sockets.last.ends(1006);
      await r.settle();
    },
  ],
  [
    'closing',
    async (r) => {
      await r.open();
      void r.service.disconnect('terminal:one');
      await r.settle();
    },
  ],
  [
    'closed',
    async (r) => {
      void r.service.connect(TERMINAL);
      await r.settle();
      await r.service.disconnect('terminal:one');
    },
  ],
  [
    'failed',
    async (r) => {
      await r.open();
      r.sockets.last.ends(4403);
      await r.settle();
    },
  ],
];

function silentRig(): Rig {
  return rig({ terminal: { heartbeat: { ping: 'silence' } } });
}

describe('destroy', () => {
  test('resolves as well when the application destroys in the middle of what it is told of that', async () => {
    const r = rig();
    await r.open();
    const inside: ReturnType<typeof fateOf>[] = [];
    r.service.on('status', () => {
      inside.push(fateOf(r.service.destroy()));
    });
    const outside = fateOf(r.service.destroy());
    await r.clock.advanceAsync(5_000);
    expect([outside.kind, ...inside.map(({ kind }) => kind)]).toEqual(['resolved', 'resolved', 'resolved']);
  });

  test.each(WAYS)('from %s leaves no timer, socket or listener (original fault 30) (pain 62)', async (state, reach) => {
    const r = silentRig();
    await reach(r);
    if (state !== 'idle') expect(r.state()).toBe(state);
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
    const { constructions } = r.sockets;
    await r.clock.advanceAsync(600_000);
    expect(r.sockets.constructions).toBe(constructions);
  });

  test.each(WAYS.slice(1))('from %s settles every promise', async (_state, reach) => {
    const r = silentRig();
    await reach(r);
    const connection = r.service.connection('terminal:one');
    const fates: Record<string, ReturnType<typeof fateOf>> = {
      connect: fateOf(r.service.connect(TERMINAL)),
      message: fateOf(r.service.sendMessage('terminal:one', 'x')),
      disconnect: fateOf(r.service.disconnect('terminal:one')),
      next: fateOf(connection.messages().next()),
      destroy: fateOf(r.service.destroy({ deadlineMs: 0 })),
    };
    await r.settle();
    expect(Object.entries(fates).filter(([, { kind }]) => kind === 'pending')).toEqual([]);
  });

  test('of a service with many connections leaves nothing of any of them', async () => {
    const r = new Rig(nodeSockets(), {});
    for (let n = 0; n < 20; n++) {
      void r.service.connect({ serviceType: 'chat', key: `${n}` });
      await r.settle();
      if (n % 2 === 0) r.sockets.last.opens();
      if (n % 3 === 0) r.sockets.last.ends(1006);
    }
    await r.settle();
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('says goodbye to open connections, and waits for the peers within its deadline', async () => {
    const r = rig();
    await r.open();
    await r.open({ serviceType: 'chat' });
    const destroyed = fateOf(r.service.destroy());
    await r.settle();
    const [terminal, chat] = r.sockets.all;
    expect([terminal?.closeCalls, chat?.closeCalls]).toEqual([
      [{ code: 1000, reason: 'service destroyed' }],
      [{ code: 1000, reason: 'service destroyed' }],
    ]);
    terminal?.ends(1000);
    await r.clock.advanceAsync(1_999);
    expect(destroyed.kind).toBe('pending');
    await r.clock.advanceAsync(1);
    expect([destroyed.kind, r.leftovers()]).toEqual(['resolved', NOTHING_LEFT]);
  });

  test('resolves as soon as the last peer has agreed', async () => {
    const r = rig();
    const { socket } = await r.open();
    const destroyed = fateOf(r.service.destroy());
    await r.settle();
    socket.ends(1000);
    await microtasks();
    expect(destroyed.kind).toBe('resolved');
    expect(r.of('closed')).toMatchObject([{ code: 1000, initiator: 'local', error: null }]);
  });

  test('hands over what was sent before it on an open connection', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    const sent = fateOf(r.service.sendMessage(id, 'last words'));
    await r.destroy();
    expect([sent.kind, socket.sent]).toEqual(['resolved', ['last words']]);
  });

  test('tells who waits why: the service is gone', async () => {
    const r = rig();
    const connecting = fateOf(r.service.connect(TERMINAL));
    const message = fateOf(r.service.sendMessage('terminal:one', 'x'));
    await r.settle();
    await r.destroy();
    expect(connecting.error).toMatchObject({ code: 'SERVICE_DESTROYED', connectionId: 'terminal:one' });
    expect(message.error).toMatchObject({ name: 'MessageError', code: 'SERVICE_DESTROYED', outcome: 'not_sent' });
  });

  test('ends iterations, and no URL provider is listened to any more', async () => {
    const signals: AbortSignal[] = [];
    const r = rig({
      terminal: {
        url: ({ signal }) => {
          signals.push(signal);
          return new Promise<string>(() => undefined);
        },
      },
    });
    void r.service.connect(TERMINAL);
    await r.settle();
    const next = fateOf(r.service.connection('terminal:one').messages().next());
    await r.destroy();
    expect([next.value, signals[0]?.aborted]).toEqual([{ done: true, value: undefined }, true]);
  });

  test('tells the end of a connection that it had to cut at its deadline', async () => {
    const r = rig();
    await r.open();
    await r.destroy();
    expect(r.of('status').at(-1)?.current).toBe('closed');
    expect(r.of('closed')).toHaveLength(1);
  });

  test('tells the end of each message, in doubt or still waiting, before it falls silent', async () => {
    const r = rig();
    const { connection } = await r.open();
    const settled: unknown[] = [];
    r.service.on('settled', ({ messageId, fate }) => settled.push([messageId, fate]));
    r.sockets.last.holds = true;
    const [handed, waiting] = [connection.send('handed'), connection.send('x'.repeat(600_000))];
    await r.settle();
    connection.pause();
    const held = connection.send('held');
    await r.destroy();
    expect([handed.fate, held.fate]).toEqual(['unknown', 'dropped']);
    expect(settled).toHaveLength(3);
    expect(settled).toEqual(
      expect.arrayContaining([handed, waiting, held].map(({ id, fate }) => [id, fate])) as unknown,
    );
    expect(r.of('undelivered').map(({ messageId }) => messageId)).toEqual(
      expect.arrayContaining([handed.id, waiting.id, held.id]),
    );
  });

  test('writes nothing to the console when more connections end than are remembered', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const r = rig({ maxInactive: 0 });
    await r.open();
    const destroyed = fateOf(r.service.destroy());
    await r.settle();
    r.sockets.finish();
    await r.settle();
    expect(destroyed.kind).toBe('resolved');
    expect(warn.mock.calls).toEqual([]);
    warn.mockRestore();
  });

  test('leaves no timer although the root itself died of a fault', async () => {
    const clock = new SimulatedClock();
    const setTimeout = clock.setTimeout.bind(clock);
    clock.setTimeout = (fire, ms) => {
      if (ms === 7_777) throw new Error('the clock broke');
      return setTimeout(fire, ms);
    };
    const r = rig({ clock });
    await r.open();
    void r.service.connect({ serviceType: 'chat' });
    await r.settle();
    const destroyed = fateOf(r.service.destroy({ deadlineMs: 7_777 }));
    await r.settle();
    expect([destroyed.kind, r.leftovers()]).toEqual(['resolved', NOTHING_LEFT]);
  });

  test('asked for twice is one', async () => {
    const r = rig();
    await r.open();
    const [one, other] = [r.service.destroy({ deadlineMs: 0 }), r.service.destroy()];
    await r.settle();
    await Promise.all([one, other]);
    expect(r.sockets.last.closeCalls[0]).toEqual({ code: 1000, reason: 'service destroyed' });
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test.each([-1, 1.5, Number.NaN, Infinity, '5', null])(
    'refuses the deadline %j, and the service lives',
    async (deadlineMs) => {
      const r = rig();
      await r.open();
      await expect(r.service.destroy({ deadlineMs } as never)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
      await r.settle();
      expect(r.state()).toBe('open');
    },
  );
});

describe('a destroyed service', () => {
  test('refuses every call, and makes nothing', async () => {
    const r = rig();
    const { id, connection } = await r.open();
    await r.destroy();
    const before = r.sockets.constructions;
    const refusal = { code: 'SERVICE_DESTROYED', category: 'lifecycle' };
    await expect(r.service.connect(TERMINAL)).rejects.toMatchObject(refusal);
    await expect(r.service.disconnect(id)).rejects.toMatchObject(refusal);
    await expect(r.service.sendMessage(id, 'x')).rejects.toMatchObject(refusal);
    await expect(connection.connect()).rejects.toMatchObject(refusal);
    await expect(connection.send('x').settled).rejects.toMatchObject(refusal);
    expect(() => r.service.connection(id)).toThrow(expect.objectContaining(refusal));
    expect(() => r.service.updateConfig({})).toThrow(expect.objectContaining(refusal));
    expect([r.service.getConnections(), r.service.getConnectionStatus(id)]).toEqual([[], null]);
    await connection.close();
    expect(connection.status.state).toBe('closed');
    await r.clock.advanceAsync(60_000);
    expect([r.sockets.constructions, r.leftovers()]).toEqual([before, NOTHING_LEFT]);
  });

  test('refuses from the moment it was asked to end', async () => {
    const r = rig();
    const { id } = await r.open();
    const destroyed = r.service.destroy();
    await expect(r.service.connect({ serviceType: 'chat' })).rejects.toMatchObject({ code: 'SERVICE_DESTROYED' });
    await expect(r.service.sendMessage(id, 'x')).rejects.toMatchObject({ code: 'SERVICE_DESTROYED' });
    await r.clock.advanceAsync(2_000);
    await destroyed;
    expect(r.sockets.constructions).toBe(1);
  });

  test('hears nothing of its sockets any more', async () => {
    const r = rig();
    const { socket } = await r.open();
    await r.destroy();
    const told = r.events.length;
    socket.says('late');
    socket.errs('late');
    socket.ends(1006);
    await r.settle();
    expect([r.events.length, r.bugs]).toEqual([told, []]);
  });
});
