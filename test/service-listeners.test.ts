import { afterEach, describe, expect, test, vi } from 'vitest';

import type { ServiceEvents } from '../src/events.ts';
import type { FakeSocket } from './support/fake-socket.ts';
import { fateOf, NOTHING_LEFT, rig, TERMINAL, type Fate, type Rig } from './support/service.ts';

const TYPES = ['status', 'opened', 'message', 'closed', 'error', 'retrying', 'gaveUp'] as const;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A connection that opens, hears a message, is lost, comes back, and is refused for good: every type of event. */
async function live(r: Rig): Promise<void> {
  void r.service.connect(TERMINAL);
  await r.settle();
  const deeds: ((socket: FakeSocket) => void)[] = [
    (socket) => socket.opens(),
    (socket) => socket.says('hello'),
    (socket) => socket.ends(1006),
    (socket) => socket.opens(),
    (socket) => socket.ends(4403),
  ];
  for (const deed of deeds) {
    if (r.service.getConnectionStatus('terminal:one')?.state === 'backoff') await r.passBackoff();
    // a listener may have let go of the connection: then nothing of all that happens to it
    for (const socket of r.sockets.live) if (socket.url === 'wss://host/terminal') deed(socket);
    await r.settle();
  }
}

/** Runs once, inside the first event of a type. */
function within(r: Rig, type: keyof ServiceEvents, act: () => void): void {
  const end = r.service.on(type, () => {
    end();
    act();
  });
}

describe('a listener that throws', () => {
  test.each(TYPES)('of %s stops nothing, and is reported', async (type) => {
    const [quiet, loud] = [rig(), rig()];
    const thrown = new Error('thrown');
    loud.service.on(type, () => {
      throw thrown;
    });
    await live(quiet);
    await live(loud);
    const types = (r: Rig): string[] => r.events.map((entry) => entry.type);
    expect(types(loud)).toEqual(types(quiet));
    const count = quiet.of(type).length;
    expect(loud.bugs.map(({ code, cause }) => [code, cause])).toEqual(Array(count).fill(['LISTENER_THREW', thrown]));
    expect(count).toBeGreaterThan(0);
  });

  test.each(TYPES)('or rejects, of %s, is reported as well, and nothing is unhandled (pain 46)', async (type) => {
    const r = rig();
    r.service.on(type, () => Promise.reject(new Error('rejected')));
    await live(r);
    expect(r.bugs).toHaveLength(r.of(type).length);
    expect(r.bugs[0]).toMatchObject({ name: 'FaultError', code: 'LISTENER_THREW', cause: { message: 'rejected' } });
  });

  test('does not keep the others from hearing', async () => {
    const r = rig();
    const heard: string[] = [];
    r.service.on('opened', () => {
      throw new Error('first');
    });
    r.service.on('opened', () => heard.push('second'));
    const { connection, socket } = await r.open();
    connection.subscribe(() => {
      throw new Error('subscriber');
    });
    connection.subscribe((data) => heard.push(data as string));
    socket.says('hello');
    await r.settle();
    expect(heard).toEqual(['second', 'hello']);
    expect(r.bugs.map(({ cause }) => (cause as Error).message)).toEqual(['first', 'subscriber']);
  });

  test('is an error event where there is no onError', async () => {
    const r = rig({ onError: null });
    r.service.on('opened', () => {
      throw new Error('thrown');
    });
    await r.open();
    await r.settle();
    expect(r.of('error')).toMatchObject([{ code: 'LISTENER_THREW', cause: { message: 'thrown' } }]);
  });

  test('of error, without an onError, does not go on for ever', async () => {
    const r = rig({ onError: null });
    let calls = 0;
    r.service.on('error', () => {
      calls += 1;
      throw new Error('again');
    });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    // once for the lost connection, and once for the report of its own throw
    expect(calls).toBe(2);
    expect(r.state()).toBe('backoff');
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('onError');
      },
    ],
    ['rejects', () => Promise.reject(new Error('onError'))],
  ])('is reported once to an onError that %s, and that is swallowed', async (_how, fail) => {
    let calls = 0;
    const r = rig({
      onError: () => {
        calls += 1;
        return fail() as never;
      },
    });
    r.service.on('opened', () => {
      throw new Error('thrown');
    });
    await r.open();
    await r.settle();
    expect([calls, r.of('error'), r.state()]).toEqual([1, [], 'open']);
  });

  test('is reported outside the turn it threw in', async () => {
    const order: string[] = [];
    const r = rig({ onError: () => void order.push('onError') });
    r.service.on('opened', () => {
      throw new Error('thrown');
    });
    r.service.on('opened', () => order.push('the next listener'));
    await r.open();
    await r.settle();
    expect(order).toEqual(['the next listener', 'onError']);
  });

  test('writes nothing to the console, whatever happens', async () => {
    const methods = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => undefined),
    );
    const r = rig({ onError: null, maxInactive: 1 });
    r.service.on('status', () => {
      throw new Error('thrown');
    });
    await live(r);
    await r.open({ serviceType: 'chat' });
    const { connection } = await r.open();
    await r.destroy();
    await connection.close();
    connection.send('late');
    r.sockets.finish();
    await r.settle();
    for (const method of methods) expect(method).not.toHaveBeenCalled();
  });
});

describe('inside a listener', () => {
  test.each(TYPES)('of %s, disconnect closes the connection, and nothing is left running', async (type) => {
    const r = rig();
    within(r, type, () => void r.service.disconnect('terminal:one'));
    await live(r);
    await r.clock.advanceAsync(60_000);
    expect([r.state(), r.bugs]).toEqual(['closed', []]);
    expect(r.leftovers()).toMatchObject({ timers: 0, sockets: 0, listeners: 0 });
  });

  test.each(TYPES)('of %s, destroy ends everything', async (type) => {
    const r = rig();
    let destroyed: Promise<void> | undefined;
    within(r, type, () => {
      destroyed = r.service.destroy({ deadlineMs: 0 });
    });
    await live(r);
    await destroyed;
    expect(destroyed).toBeDefined();
    expect([r.leftovers(), r.bugs]).toEqual([NOTHING_LEFT, []]);
    await expect(r.service.connect(TERMINAL)).rejects.toMatchObject({ code: 'SERVICE_DESTROYED' });
  });

  test.each(TYPES)('of %s, updateConfig holds from the next time it is asked about', async (type) => {
    const r = rig();
    within(r, type, () => r.service.updateConfig({ services: { terminal: { retry: { maxRetries: 77 } } } }));
    await live(r);
    expect(r.bugs).toEqual([]);
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect([fate.kind, r.of('retrying').at(-1)?.maxRetries]).toEqual(['pending', 77]);
  });

  test.each(TYPES)('of %s, another connection can be made', async (type) => {
    const r = rig();
    const fates: ReturnType<typeof fateOf>[] = [];
    within(r, type, () => fates.push(fateOf(r.service.connect({ serviceType: 'chat' }))));
    await live(r);
    r.sockets.all.find(({ url }) => url === 'wss://host/chat')?.opens();
    await r.settle();
    expect([fates, r.bugs]).toEqual([[{ kind: 'resolved', value: 'chat' }], []]);
  });

  test.each(TYPES)('of %s, on and off hold from the next event', async (type) => {
    const r = rig();
    const heard: string[] = [];
    const note = (name: string) => (): void => void heard.push(name);
    const ends: (() => void)[] = [];
    ends.push(
      r.service.on(type, () => {
        heard.push('first');
        for (const end of ends.splice(0)) end();
        r.service.on(type, note('added'));
      }),
      r.service.on(type, note('removed')),
    );
    await live(r);
    // whoever listened when the event began hears it to its end
    const later = r.of(type).length - 1;
    expect(heard).toEqual(['first', 'removed', ...Array<string>(later).fill('added')]);
  });

  test('of message, what is sent leaves in order', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    connection.subscribe((data) => connection.send(`re: ${data as string}`));
    socket.says('one');
    socket.says('two');
    await r.settle();
    expect(socket.sent).toEqual(['re: one', 're: two']);
  });

  test('of opened, what is sent is the first thing to leave (original fault 4)', async () => {
    const r = rig();
    r.service.on('opened', ({ connectionId, generation }) =>
      r.service.sendMessage(connectionId, `subscribe ${generation}`),
    );
    const { id, socket } = await r.open();
    await r.service.sendMessage(id, 'after');
    expect(socket.sent).toEqual(['subscribe 1', 'after']);
    socket.ends(1006);
    await r.settle();
    expect((await r.reopen(id)).sent).toEqual(['subscribe 2']);
    expect(r.status().messages).toMatchObject({ accepted: 3, sent: 3, refused: 0 });
  });

  test.each(['retrying', 'error', 'closed'] as const)('of %s, connect does not wait for the retry', async (type) => {
    const r = rig();
    await r.open();
    const fates: ReturnType<typeof fateOf>[] = [];
    within(r, type, () => fates.push(fateOf(r.service.connect(TERMINAL))));
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.state()).toBe('connecting');
    r.sockets.last.opens();
    await r.settle();
    expect(fates).toEqual([{ kind: 'resolved', value: 'terminal:one' }]);
  });

  test('of gaveUp, connect begins anew', async () => {
    const r = rig();
    await r.open();
    const fates: ReturnType<typeof fateOf>[] = [];
    within(r, 'gaveUp', () => fates.push(fateOf(r.service.connect(TERMINAL))));
    r.sockets.last.ends(4403);
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), fates]).toEqual(['open', [{ kind: 'resolved', value: 'terminal:one' }]]);
  });

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

  test('of closed, disconnect after connect ends what connect began', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    const fates: Fate<unknown>[] = [];
    r.service.on('status', ({ current }) => {
      if (current !== 'closed' || fates.length > 0) return;
      fates.push(fateOf(r.service.connect(TERMINAL)), fateOf(r.service.disconnect(id)));
    });
    void r.service.disconnect(id);
    socket.ends(1000);
    await r.settle();
    expect([r.state(), fates.map(({ kind }) => kind)]).toEqual(['closed', ['rejected', 'resolved']]);
    expect(r.leftovers()).toMatchObject({ timers: 0, sockets: 0 });
  });

  test.each([
    ['openned', () => undefined],
    ['connection_status_changed', () => undefined],
    ['opened', 'no function'],
  ])('on refuses %j with %j, and says so (original fault 32)', (type, listener) => {
    const r = rig();
    expect(() => r.service.on(type as 'opened', listener as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error,
    );
  });

  test('subscribe refuses what is no function', async () => {
    const r = rig();
    const { connection } = await r.open();
    expect(() => connection.subscribe('no function' as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error,
    );
  });
});
