import { describe, expect, test, vi } from 'vitest';

import { ERRORS, HoldfastError } from '../src/errors.ts';
import { MessageIteration } from '../src/iteration.ts';
import { SimulatedClock } from './support/clock.ts';
import { deferred, fateOf, microtasks, NOTHING_LEFT, rig, TERMINAL, type Fate } from './support/service.ts';

describe('inside a listener', () => {
  test.each(['status', 'closed', 'error'] as const)(
    'of %s, connect on a connection that just failed is not answered with the old failure',
    async (type) => {
      const r = rig();
      await r.open();
      const fates: Fate<string>[] = [];
      r.service.on(type, () => {
        if (r.state() === 'failed') fates.push(fateOf(r.service.connect(TERMINAL)));
      });
      r.sockets.last.ends(4403);
      await r.settle();
      r.sockets.last.opens();
      await r.settle();
      expect([r.state(), fates]).toEqual(['open', [{ kind: 'resolved', value: 'terminal:one' }]]);
    },
  );

  test('of status, connect on a connection that just closed is not answered with its close', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    const fates: Fate<string>[] = [];
    r.service.on('status', ({ current }) => {
      if (current === 'closed') fates.push(fateOf(r.service.connect(TERMINAL)));
    });
    void r.service.disconnect(id);
    socket.ends(1000);
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), fates]).toEqual(['open', [{ kind: 'resolved', value: 'terminal:one' }]]);
  });

  test('of status, what is sent while it connects again is taken, as it is a moment later', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    void r.service.disconnect(id);
    socket.ends(1000);
    await r.settle();
    const fates: Fate<unknown>[] = [];
    r.service.on('status', ({ current }) => {
      if (current === 'connecting') fates.push(fateOf(r.service.sendMessage(id, 'x')));
    });
    await r.open();
    expect(fates).toMatchObject([{ kind: 'resolved' }]);
  });

  test.each(['opened', 'status'] as const)(
    'of %s, an open connection takes a message although enableMessageQueue is off',
    async (type) => {
      const r = rig({ enableMessageQueue: false });
      const fates: Fate<unknown>[] = [];
      r.service.on(type, () => {
        if (r.state() === 'open') fates.push(fateOf(r.service.sendMessage('terminal:one', 'hello')));
      });
      const { socket } = await r.open();
      expect([fates[0]?.kind, socket.sent]).toEqual(['resolved', ['hello']]);
    },
  );

  test('of opened, what is sent before disconnect is handed over first', async () => {
    const r = rig();
    const fates: Fate<unknown>[] = [];
    r.service.on('opened', ({ connectionId }) => {
      fates.push(fateOf(r.service.sendMessage(connectionId, 'hello and goodbye')));
      void r.service.disconnect(connectionId);
    });
    const { socket } = await r.open();
    expect([fates[0]?.kind, socket.sent]).toEqual(['resolved', ['hello and goodbye']]);
  });
});

describe('a connect that is given up', () => {
  test('before it began, by a signal aborted already, leaves no connection behind', async () => {
    const r = rig({ maxInactive: 1 });
    for (const key of ['a', 'b', 'c']) {
      await r.service.connect({ serviceType: 'chat', key, signal: AbortSignal.abort() }).catch(() => undefined);
    }
    expect(r.service.getConnections().length).toBeLessThanOrEqual(1);
  });

  test('on a connection that was open once and failed leaves nothing that goes on trying', async () => {
    const r = rig();
    await r.open();
    r.sockets.last.ends(4403);
    await r.settle();
    const fate = fateOf(r.service.connect({ ...TERMINAL, timeoutMs: 100 }));
    await r.clock.advanceAsync(100);
    expect([fate.kind, r.state()]).toEqual(['rejected', 'closed']);
    expect(r.leftovers()).toMatchObject({ timers: 0, sockets: 0 });
  });
});

describe('disconnect', () => {
  test('of a connection that was never asked to connect answers what waits for it', async () => {
    const r = rig();
    await r.service.connect({ ...TERMINAL, signal: AbortSignal.abort() }).catch(() => undefined);
    const message = fateOf(r.service.sendMessage('terminal:one', 'x'));
    await r.service.disconnect('terminal:one').catch(() => undefined);
    await r.settle();
    expect(message.kind).toBe('rejected');
  });
});

describe('the bounds of what waits', () => {
  test('are none on an open line: a burst of one turn passes, and so does one large message', async () => {
    const r = rig({ terminal: { queue: { maxMessages: 2, maxBytes: 10 } } });
    const { connection, socket } = await r.open();
    const fates = ['1', '2', '3', '4'].map((text) => fateOf(connection.send(text).settled));
    await r.settle();
    const large = fateOf(connection.send('x'.repeat(11)).settled);
    await r.settle();
    expect([...fates, large].map(({ kind }) => kind)).toEqual(Array<string>(5).fill('resolved'));
    expect(socket.sent).toHaveLength(5);
  });

  test('of 0 let nothing wait, and an open connection send', async () => {
    const r = rig({ terminal: { queue: { maxMessages: 0 } } });
    const { id } = await r.open();
    const fate = fateOf(r.service.sendMessage(id, 'x'));
    await r.settle();
    expect(fate.kind).toBe('resolved');
  });
});

describe('updateConfig', () => {
  test.each([
    { present: { retry: { capMs: 120_000 } }, change: { retry: { baseMs: 60_000 } } },
    { present: { heartbeat: { timeoutMs: 60_000 } }, change: { heartbeat: { lateMs: 20_000 } } },
  ])('holds the merged whole to the rules, not the patch to the defaults: case %#', ({ present, change }) => {
    const r = rig({ terminal: present });
    expect(() => {
      r.service.updateConfig({ services: { terminal: change } });
    }).not.toThrow();
  });
});

describe('a frame held back for a listener that is about to come', () => {
  test('is read by it, although the connection is closed in the same turn', async () => {
    const r = rig();
    const read: unknown[] = [];
    void (async () => {
      const id = await r.service.connect(TERMINAL);
      for await (const message of r.service.connection(id)) read.push(message);
    })().catch(() => undefined);
    await r.settle();
    r.sockets.last.opens();
    r.sockets.last.says('why you are refused');
    await microtasks();
    r.sockets.last.ends(4403);
    await r.settle();
    expect(read).toEqual(['why you are refused']);
  });

  test('is told before the end of the connection it came by', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.opens();
    r.sockets.last.says('why you are refused');
    r.sockets.last.ends(4403);
    await r.settle();
    const types = r.events.map(({ type }) => type);
    expect(types.indexOf('message')).toBeLessThan(types.indexOf('closed'));
  });
});

describe('an error', () => {
  test('says that a retry follows only where one does', async () => {
    const r = rig({ enableAutoRecovery: false });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    expect([r.state(), r.of('error')[0]?.retryable]).toEqual(['failed', false]);
  });

  test('of a URL provider that gives a token by mistake does not quote it', async () => {
    const r = rig({ terminal: { url: () => 'c4n4ry:token' } });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    expect((fate.error as Error).message).not.toContain('c4n4ry');
  });

  test('about a message that cannot be encoded says which connection it was for', async () => {
    const r = rig();
    const { id } = await r.open();
    await expect(r.service.sendMessage(id, undefined)).rejects.toMatchObject({
      code: 'NOT_ENCODABLE',
      connectionId: id,
      serviceType: 'terminal',
    });
  });
});

describe('a connection as an object', () => {
  test.each([{ timeoutMs: Number.NaN }, { timeoutMs: -1 }, { signal: {} }, { timeout: 5 }])(
    'refuses the connect options %o as the service does',
    async (options) => {
      const r = rig();
      const { connection } = await r.open();
      r.sockets.last.ends(4403);
      await r.settle();
      const fate = fateOf(connection.connect(options as never));
      await r.settle();
      expect(fate.error).toMatchObject({ code: 'INVALID_OPTIONS' });
    },
  );

  test('that has failed ends an iteration begun then, as it ends one begun before', async () => {
    const r = rig();
    const { connection } = await r.open();
    r.sockets.last.ends(4403);
    await r.settle();
    const next = fateOf(connection.messages().next());
    await r.destroy();
    expect(next.kind).not.toBe('pending');
    const late = fateOf(connection.messages().next());
    await r.settle();
    expect(late.kind).not.toBe('pending');
  });
});

describe('an iteration', () => {
  test('that is over takes no further message', async () => {
    const iteration = new MessageIteration(10, () => undefined);
    await iteration.return();
    iteration.push('late');
    expect(await iteration.next()).toEqual({ done: true, value: undefined });
  });
});

describe('destroy', () => {
  test('tells the end of a connection that it had to cut at its deadline', async () => {
    const r = rig();
    await r.open();
    await r.destroy();
    expect(r.of('status').at(-1)?.current).toBe('closed');
    expect(r.of('closed')).toHaveLength(1);
  });
});

describe('destroy of many connections', () => {
  test('writes nothing to the console when more of them end than are remembered', async () => {
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
});

describe('a random that throws', () => {
  test('is told as a fault of its own kind, and leaves no connection behind', async () => {
    const r = rig({
      random: () => {
        throw new Error('no entropy');
      },
    });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    expect(fate.error).toBeInstanceOf(HoldfastError);
    expect(r.service.getConnections().filter(({ state }) => state === 'idle')).toEqual([]);
  });
});

describe('a provider', () => {
  test('that asks for the status of its connection is told the state that asked it', async () => {
    const answer = deferred<string>();
    const states: string[] = [];
    const r = rig({
      terminal: {
        url: () => {
          states.push(r.status().detail);
          return answer.promise;
        },
      },
    });
    void r.service.connect(TERMINAL);
    await r.settle();
    expect(states).toEqual(['locating']);
  });
});

describe('a close rule', () => {
  test('with a category that is none is refused', () => {
    const closeRules = [{ codes: 4000, verdict: 'stop', category: 'banana' as never }] as const;
    expect(Object.values(ERRORS).some(([category]) => (category as string) === 'banana')).toBe(false);
    expect(() => rig({ terminal: { closeRules } })).toThrow(/category/);
  });
});
