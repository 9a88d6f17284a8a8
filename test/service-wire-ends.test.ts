import { describe, expect, test } from 'vitest';

import { deferred, fateOf, NOTHING_LEFT } from './support/service.ts';
import { WireRig } from './support/server-script.ts';

describe('closing a session', () => {
  test('in the middle of a frame ends what is heard of it with the connection', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const heard: unknown[] = [];
    connection.subscribe((message) => {
      heard.push(message, connection.status.state);
      // called back, and closed again: the second time there is nothing to wait for
      if (message === 'a' || message === 'b') void connection.close();
      if (message === 'a') connection.connect().catch(() => undefined);
    });
    server.says({ t: 'm', s: 1, b: ['a', 'b', 'c', 'd'].map((d) => ({ d })) });
    await r.settle();
    expect(heard).not.toContain('closed');
    expect(r.state()).toBe('closed');
  });

  test('waits for what was sent to be acknowledged, says goodbye for good, and closes', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const receipts = [connection.send('a'), connection.send('b')];
    const closed = fateOf(connection.close());
    await r.settle();
    expect([server.messages.length, r.status().detail, server.of('bye')]).toEqual([2, 'draining', []]);
    server.acks(1);
    await r.settle();
    expect(r.status().detail).toBe('draining');
    server.sends(1, 'last');
    server.acks(2);
    await r.settle();
    expect(server.frames.slice(-2)).toEqual([
      { t: 'ack', a: 1 },
      { t: 'bye', keep: false },
    ]);
    expect([server.socket.closeCalls[0]?.code, r.state()]).toEqual([1000, 'closing']);
    server.socket.ends(1000);
    await r.settle();
    expect([closed.kind, receipts.map(({ fate }) => fate)]).toEqual(['resolved', ['acknowledged', 'acknowledged']]);
    expect(r.of('undelivered')).toEqual([]);
  });

  test('waits no longer than its deadline; what is not acknowledged then is in doubt', async () => {
    const r = new WireRig({ terminal: { drainTimeoutMs: 500 } });
    const { connection, server } = await r.join();
    const receipt = connection.send('a');
    void connection.close();
    await r.clock.advanceAsync(500);
    expect(server.of('bye')).toEqual([{ t: 'bye', keep: false }]);
    server.socket.ends(1000);
    await r.settle();
    expect([receipt.fate, r.of('undelivered')]).toMatchObject(['unknown', [{ error: { outcome: 'unknown' } }]]);
  });

  test('ends it: connecting again begins a new one, and nothing is told as lost', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    void connection.close();
    await r.settle();
    server.socket.ends(1000);
    await r.settle();
    void connection.connect();
    await r.settle();
    const next = await r.opens();
    next.srv();
    await r.settle();
    expect([next.hello.resume, next.hello.nonce === server.hello.nonce]).toEqual([undefined, false]);
    next.welcome({ sid: 's2' });
    await r.settle();
    expect([r.state(), r.of('discontinuity')]).toEqual(['open', []]);
  });

  test('and connecting while it waits swaps the socket and keeps the session: nothing is lost (pain 20)', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const asked = fateOf(connection.request('x'));
    const receipt = connection.send('a');
    void connection.close();
    await r.settle();
    void connection.connect();
    await r.settle();
    const next = await r.opens();
    next.srv();
    await r.settle();
    expect([server.of('bye'), next.hello.resume]).toMatchObject([[], { sid: 's1', lo: 1, hi: 2 }]);
    next.welcome({ gen: 2, resumed: true, rx: 2 });
    next.says({ t: 'm', s: 1, b: [{ d: 'y', re: 'r1' }] });
    await r.settle();
    expect([receipt.fate, asked.value]).toEqual(['acknowledged', 'y']);
  });

  test('and connecting once the goodbye is said begins a new one: what was asked is answered (pain 20)', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const asked = fateOf(connection.request('x'));
    await r.settle();
    server.acks(1);
    void connection.close();
    await r.settle();
    expect(server.of('bye')).toHaveLength(1);
    void connection.connect();
    await r.settle();
    expect(asked.error).toMatchObject({ code: 'REPLY_LOST', outcome: 'unknown' });
    const next = await r.opens();
    next.srv();
    await r.settle();
    expect(next.hello).not.toHaveProperty('resume');
  });

  test('in backoff leaves nothing to resume, and what was in doubt stays so', async () => {
    const r = new WireRig();
    const { connection } = await r.join();
    const receipt = connection.send('a');
    await r.settle();
    await r.drops();
    await connection.close();
    expect([r.state(), receipt.fate, r.status().messages.waiting]).toEqual(['closed', 'unknown', 0]);
    void connection.connect();
    await r.settle();
    const next = await r.opens();
    next.srv();
    await r.settle();
    expect(next.hello).not.toHaveProperty('resume');
  });
});

describe('waiting for a queue to drain', () => {
  test('takes as long as the acknowledgements do', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    connection.send('a');
    const drained = fateOf(connection.drainQueue());
    await r.clock.advanceAsync(1_000);
    expect(drained.kind).toBe('pending');
    await r.drops();
    expect(drained.kind).toBe('pending');
    await r.resume();
    expect([drained.kind, server.messages.length]).toEqual(['resolved', 1]);
  });
});

const WAYS: [detail: string, reach: (r: WireRig) => Promise<unknown>][] = [
  ['awaiting', (r) => r.dial()],
  [
    'introducing',
    async (r) => {
      (await r.dial()).srv();
      await r.settle();
    },
  ],
  ['greeting', (r) => r.join()],
  ['open', (r) => r.join()],
  [
    'congested',
    async (r) => {
      const { connection, server } = await r.join();
      server.says({ t: 'flow', w: { m: 0, b: 0 } });
      connection.send('a');
      await r.settle();
    },
  ],
  [
    'renewing',
    async (r) => {
      (await r.join()).server.says({ t: 'auth', need: true, in: 30_000 });
      await r.settle();
    },
  ],
  [
    'leaving',
    async (r) => {
      (await r.join()).server.says({ t: 'away', in: 60_000, spread: 60_000 });
      await r.settle();
    },
  ],
  [
    'moving',
    async (r) => {
      (await r.join()).server.says({ t: 'away', in: 0, spread: 0 });
      await r.clock.advanceAsync(1);
      (await r.opens()).srv();
      await r.settle();
    },
  ],
  [
    'waiting',
    async (r) => {
      await r.join();
      await r.drops();
    },
  ],
  [
    'draining',
    async (r) => {
      const { connection } = await r.join();
      connection.send('a');
      void connection.close();
      await r.settle();
    },
  ],
  [
    'closing',
    async (r) => {
      void (await r.join()).connection.close();
      await r.settle();
    },
  ],
];

/** Where everything that may be under way is: timers of acknowledgements, messages, requests. */
async function busy(detail: string, reach: (r: WireRig) => Promise<unknown>): Promise<WireRig> {
  const renewal = deferred<string>();
  let asked = 0;
  const r = new WireRig({
    terminal: {
      credentials: () => (detail === 'renewing' && ++asked > 1 ? renewal.promise : 't'),
      ...(detail === 'greeting' && {
        profile: { codec: 'plain', onOpen: () => deferred<string[]>().promise },
      }),
    },
  });
  await reach(r);
  expect(r.status().detail).toBe(detail);
  return r;
}

describe('destroying a service', () => {
  test.each(WAYS)('whose connection is %s leaves no timer, socket or listener (pain 62)', async (detail, reach) => {
    const r = await busy(detail, reach);
    if (r.state() === 'open') r.sockets.all[0]?.says('1["unacknowledged"]');
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
    const { constructions } = r.sockets;
    await r.clock.advanceAsync(600_000);
    expect([r.sockets.constructions, r.clock.pending()]).toEqual([constructions, 0]);
  });

  test.each(WAYS)('whose connection is %s settles every promise', async (detail, reach) => {
    const r = await busy(detail, reach);
    const connection = r.service.connection('terminal:one');
    const fates = [connection.send('x').settled, connection.request('y'), connection.drainQueue()].map((promise) =>
      fateOf<unknown>(promise),
    );
    await r.settle();
    await r.destroy();
    expect(fates.map(({ kind }) => kind)).toEqual(['rejected', 'rejected', 'resolved']);
    const { accepted, sent, acknowledged, dropped, unknown, waiting } = connection.status.messages;
    expect([waiting, accepted]).toEqual([0, sent + acknowledged + dropped + unknown]);
  });
});

test('a listener that ends everything in the middle of a batch leaves nothing behind', async () => {
  const r = new WireRig();
  const { connection, server } = await r.join();
  connection.subscribe(() => {
    void connection.close();
    void connection.connect();
  });
  server.sends(1, 'a', 'b');
  await r.settle();
  await r.destroy();
  expect(r.leftovers()).toEqual(NOTHING_LEFT);
});
