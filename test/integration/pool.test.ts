import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { EnhancedWebSocketService, type Connection, type ServiceOptions } from '../../src/index.ts';
import { MemoryStore, type Channel, type Session } from '../../src/server/index.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { pause, until } from '../support/deadline.ts';
import { startNode, type TestNode } from '../support/nodes.ts';
import { startProxy } from '../support/proxy.ts';
import { audited } from '../support/audited.ts';

type Read = (channel: Channel, take: (data: unknown) => void) => void;

/** What the channels of a node were sent, by what they are for, and the channels themselves. */
class Rooms {
  readonly received = new Map<string, unknown[]>();
  readonly channels: Channel[] = [];
  readonly #read: Read;

  constructor(
    read: Read = (channel, take) => {
      channel.onMessage(({ data }) => {
        take(data);
      });
    },
  ) {
    this.#read = read;
  }

  readonly onSession = (session: Session): void => {
    session.onChannel((channel) => {
      this.channels.push(channel);
      this.#read(channel, (data) => {
        this.of(channel.service).push(data);
      });
    });
  };

  of(service: string): unknown[] {
    const messages = this.received.get(service) ?? [];
    this.received.set(service, messages);
    return messages;
  }

  /** The newest of a service. */
  channel(service: string): Channel {
    const channel = this.channels.findLast((known) => known.service === service);
    if (!channel) throw new Error(`No channel for ${service} came here.`);
    return channel;
  }
}

interface Pooled {
  service: EnhancedWebSocketService;
  /** The sockets that were made, in order. */
  sockets: WebSocket[];
  of: (type: string) => Connection;
  /** By how much the counts of connections are off. */
  imbalances: () => number[];
}

function startPool(url: string, types: readonly string[], options: Partial<ServiceOptions> = {}): Pooled {
  const sockets: WebSocket[] = [];
  class Counted extends WebSocket {
    constructor(...given: ConstructorParameters<typeof WebSocket>) {
      super(...given);
      sockets.push(this);
    }
  }
  const one: ServiceOptions = {
    url,
    wire: 'required',
    pool: 'p',
    profile: { codec: 'json' },
    retry: { baseMs: 20, capMs: 100, promptMs: 20 },
    ...options,
  };
  const service = new EnhancedWebSocketService({
    WebSocket: Counted,
    services: Object.fromEntries(types.map((type) => [type, one])),
  });
  audited(service);
  return {
    service,
    sockets,
    of: (type) => service.connection(type),
    imbalances: () =>
      service.getConnections().map(({ messages: { accepted, ...m } }) => {
        return accepted - m.sent - m.acknowledged - m.dropped - m.unknown - m.waiting;
      }),
  };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const connectAll = ({ service }: Pooled, types: readonly string[]): Promise<string[]> =>
  Promise.all(types.map((serviceType) => service.connect({ serviceType })));

describe('a pool', () => {
  test('keeps each of its channels in order and exactly once, both ways, over a link that is cut again and again', async () => {
    const types = ['a', 'b', 'c'];
    const rooms = new Rooms();
    const node = await startNode({ onSession: rooms.onSession });
    const proxy = await startProxy(node.port);
    const pool = startPool(proxy.url, types);
    await connectAll(pool, types);
    await until('all channels are there', () => rooms.channels.length === 3);
    const down = new Map<string, unknown[]>(types.map((type) => [type, []]));
    pool.service.on('message', ({ connectionId, data }) => down.get(connectionId)?.push(data));
    const total = 600;
    for (const n of numbers(total)) {
      for (const type of types) {
        pool.of(type).send(n);
        rooms.channel(type).send(n);
      }
      if (n % 10 === 0) await pause(1);
      if (n % 60 === 30) proxy.cut();
      if (n % 60 === 45) expect(pool.imbalances().filter((by) => by !== 0)).toEqual([]);
    }
    await Promise.all(types.map((type) => pool.of(type).drainQueue({ timeoutMs: 15_000 })));
    await until('the server has its acknowledgements', () => node.session.unacknowledged === 0);
    for (const type of types) {
      expect(rooms.of(type)).toEqual(numbers(total));
      expect(down.get(type)).toEqual(numbers(total));
      expect(pool.of(type).status.messages).toMatchObject({ acknowledged: total, received: total, unknown: 0 });
    }
    expect([node.sessions.length, rooms.channels.length, node.errors]).toEqual([1, 3, []]);
  });

  test('carries requests of each of its channels, both ways, over a drop', async () => {
    const rooms = new Rooms((channel) => {
      channel.onRequest(async ({ data }) => {
        await pause(30);
        return `${channel.service} ${String(data)}`;
      });
    });
    const node = await startNode({ onSession: rooms.onSession });
    const proxy = await startProxy(node.port);
    const pool = startPool(proxy.url, ['a', 'b']);
    await connectAll(pool, ['a', 'b']);
    for (const type of ['a', 'b']) pool.of(type).onRequest((question) => [type, question]);
    const replies = ['a', 'b'].map((type) => pool.of(type).request('?'));
    await pause(10);
    proxy.cut();
    expect(await Promise.all(replies)).toEqual(['a ?', 'b ?']);
    const asked = (type: string): Promise<unknown> =>
      node.session.request('!', { channel: rooms.channel(type).name, timeoutMs: 5_000 });
    expect(await Promise.all([asked('b'), asked('a')])).toEqual([
      ['b', '!'],
      ['a', '!'],
    ]);
  });

  test('lets a channel that nobody reads wait by itself, over drops, and loses nothing of it', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const rooms = new Rooms((channel, take) => {
      if (channel.service !== 'slow') channel.onMessage(({ data }) => take(data));
      else
        void (async () => {
          await released;
          for await (const { data } of channel) take(data);
        })();
    });
    const node = await startNode({ onSession: rooms.onSession });
    const proxy = await startProxy(node.port);
    const pool = startPool(proxy.url, ['slow', 'fast'], { queue: { maxMessages: 10_000 } });
    await connectAll(pool, ['slow', 'fast']);
    const total = 5_000;
    for (const n of numbers(total)) pool.of('slow').send(n);
    for (let drop = 0; drop < 6; drop++) {
      const receipts = numbers(200).map((n) => pool.of('fast').send(n).settled);
      expect((await Promise.all(receipts)).every(({ outcome }) => outcome === 'acknowledged')).toBe(true);
      proxy.cut();
      await until('it is open again', () => pool.of('slow').status.state !== 'open');
      await until('it is open again', () => pool.of('slow').status.state === 'open');
    }
    expect([rooms.of('slow').length, pool.of('slow').status.messages.waiting > 1_000]).toEqual([0, true]);
    release();
    await pool.of('slow').drainQueue({ timeoutMs: 15_000 });
    await until('all is read', () => rooms.of('slow').length === total);
    expect([rooms.of('slow'), node.sessions.length, node.errors]).toEqual([numbers(total), 1, []]);
    expect(pool.service.getConnectionStatus('pool:p')?.state).toBe('open');
  });

  test('fails only the connection whose channel is refused, and asks again when it is told to', async () => {
    let isOpen = false;
    const rooms = new Rooms((channel, take) => {
      if (channel.service === 'b' && !isOpen) channel.close('not yet');
      else channel.onMessage(({ data }) => take(data));
    });
    const node = await startNode({ onSession: rooms.onSession });
    const pool = startPool(node.url, ['a', 'b']);
    await connectAll(pool, ['a', 'b']);
    await until('it has failed', () => pool.of('b').status.state === 'failed');
    expect([pool.of('b').status.lastError, pool.of('a').status.state]).toMatchObject([
      { code: 'CHANNEL_REFUSED' },
      'open',
    ]);
    isOpen = true;
    await pool.service.connect({ serviceType: 'b' });
    await pool.of('b').send('hello').settled;
    expect([rooms.of('b'), pool.sockets.length, node.errors]).toEqual([['hello'], 1, []]);
  });

  test('asks for each channel with the credentials of its connection', async () => {
    const seen: unknown[] = [];
    const rooms = new Rooms();
    const node = await startNode({
      onSession: rooms.onSession,
      authenticate: ({ auth, channel }) => {
        seen.push([auth, channel?.service]);
        return { principal: channel?.service === 'b' ? 'bob' : 'ann' };
      },
    });
    const pool = startPool(node.url, ['a', 'b'], { credentials: ({ connectionId }) => `token of ${connectionId}` });
    await connectAll(pool, ['a', 'b']);
    await until('it has failed', () => pool.of('b').status.state === 'failed');
    await pool.of('a').send('x').settled;
    expect(seen).toEqual([
      ['token of pool:p', undefined],
      ['token of a', 'a'],
      ['token of b', 'b'],
      // a fresh one is tried at once, and another after the backoff
      ['token of b', 'b'],
      ['token of b', 'b'],
    ]);
  });

  test('closes its socket when the last has left, and its server knows that nobody comes back', async () => {
    const node = await startNode({ onSession: new Rooms().onSession });
    const pool = startPool(node.url, ['a', 'b']);
    const ids = await connectAll(pool, ['a', 'b']);
    const receipts = ids.map((id) => pool.of(id).send('last words'));
    await Promise.all(ids.map((id) => pool.service.disconnect(id)));
    expect([receipts.map(({ fate }) => fate), pool.sockets[0]?.readyState]).toEqual([
      ['acknowledged', 'acknowledged'],
      WebSocket.OPEN,
    ]);
    await until('the session is over', () => node.holdfast.sessions.length === 0);
    await until('the socket is closed', () => pool.sockets[0]?.readyState === WebSocket.CLOSED);
    expect(pool.sockets).toHaveLength(1);
  });
});

describe('a pool whose server leaves', () => {
  const twoNodes = async (rooms: Rooms[], options: Parameters<typeof startNode>[0] = {}): Promise<TestNode[]> => {
    const store = new MemoryStore({ clock: systemClock() });
    return Promise.all(
      rooms.map((own, index) => startNode({ ...options, onSession: own.onSession, store, node: `n${index}` })),
    );
  };
  const all = (rooms: Rooms[], type: string): unknown[] => rooms.flatMap((own) => own.of(type));

  test('moves as a whole, and nothing is lost or comes twice', async () => {
    const rooms = [new Rooms(), new Rooms()];
    const [one, two] = (await twoNodes(rooms)) as [TestNode, TestNode];
    const types = ['a', 'b', 'c'];
    const pool = startPool(one.url, types);
    await connectAll(pool, types);
    let n = 0;
    const sending = setInterval(() => {
      for (const type of types) pool.of(type).send(n);
      n += 1;
    }, 1);
    await pause(50);
    await one.holdfast.drain({ spreadMs: 50, deadlineMs: 5_000, url: two.url });
    await pause(50);
    clearInterval(sending);
    await Promise.all(types.map((type) => pool.of(type).drainQueue({ timeoutMs: 5_000 })));
    for (const type of types) {
      expect(all(rooms, type)).toEqual(numbers(n));
      expect(pool.of(type).status).toMatchObject({ state: 'open', messages: { acknowledged: n, unknown: 0 } });
    }
    expect(rooms.map((own) => own.channels.length)).toEqual([3, 3]);
    expect([pool.sockets.length, one.errors, two.errors]).toEqual([2, [], []]);
  });

  test.each([
    ['still hold', 1, []],
    ['have run out', 2, ['a forbidden', 'b forbidden']],
  ])('asks elsewhere for each channel with credentials of its own, which %s', async (_what, valid, told) => {
    const rooms = [new Rooms(), new Rooms()];
    let current = 1;
    const [one, two] = (await twoNodes(rooms, {
      authenticate: ({ auth, channel }) =>
        !channel || auth === `${channel.service} ${current}` ? { principal: 'ann' } : null,
    })) as [TestNode, TestNode];
    const pool = startPool(one.url, ['a', 'b'], { credentials: ({ serviceType }) => `${serviceType} ${current}` });
    const losses: string[] = [];
    pool.service.on('discontinuity', ({ connectionId, why }) => losses.push(`${connectionId} ${why}`));
    await connectAll(pool, ['a', 'b']);
    await Promise.all(['a', 'b'].map((type) => pool.of(type).send('before').settled));
    current = valid;
    await one.holdfast.drain({ spreadMs: 10, deadlineMs: 5_000, url: two.url });
    for (const type of ['a', 'b']) pool.of(type).send('after', { idempotencyKey: type });
    await until('both are there', () => all(rooms, 'a').length === 2 && all(rooms, 'b').length === 2);
    expect([rooms[1]?.of('a'), rooms[1]?.of('b'), losses.sort()]).toEqual([['after'], ['after'], told]);
    expect([pool.sockets.length, pool.of('a').status.state, pool.of('b').status.state]).toEqual([2, 'open', 'open']);
  });

  test('without a word resumes elsewhere, with channels that ended on the way', async () => {
    const rooms = [new Rooms(), new Rooms()];
    const [one, two] = (await twoNodes(rooms)) as [TestNode, TestNode];
    const proxy = await startProxy(one.port);
    let url = proxy.url;
    const pool = startPool('', ['a', 'b'], { url: () => url, drainTimeoutMs: 50 });
    await connectAll(pool, ['a', 'b']);
    await pool.of('a').send('first').settled;
    proxy.swallow();
    const [doubtful, kept] = [pool.of('b').send('doubtful'), pool.of('a').send('kept')];
    await pool.service.disconnect('b');
    expect(doubtful.fate).toBe('unknown');
    url = two.url;
    proxy.cut();
    await kept.settled;
    await pool.of('a').send('last').settled;
    expect([all(rooms, 'a'), all(rooms, 'b'), two.errors]).toEqual([['first', 'kept', 'last'], [], []]);
    expect([pool.of('a').status.state, pool.service.getConnectionStatus('pool:p')?.state]).toEqual(['open', 'open']);
    await pool.service.connect({ serviceType: 'b' });
    await pool.of('b').send('again').settled;
    expect(rooms[1]?.of('b')).toEqual(['again']);
  });

  test('for one that knows nothing of it tells every connection, before anything new', async () => {
    const rooms = [new Rooms(), new Rooms((channel) => channel.send('new'))] as const;
    const one = await startNode({ onSession: rooms[0].onSession });
    const two = await startNode({ onSession: rooms[1].onSession });
    const proxy = await startProxy(one.port);
    let url = proxy.url;
    const pool = startPool('', ['a', 'b'], { url: () => url });
    await connectAll(pool, ['a', 'b']);
    const told: string[] = [];
    pool.service.on('discontinuity', ({ connectionId, inDoubt }) => told.push(`${connectionId} lost ${inDoubt}`));
    pool.service.on('message', ({ connectionId, data }) => told.push(`${connectionId} ${JSON.stringify(data)}`));
    proxy.swallow();
    pool.of('a').send('doubtful');
    await pause(20);
    url = two.url;
    proxy.cut();
    await until('all is told', () => told.length === 5);
    const of = (id: string): string[] => told.filter((line) => line.startsWith(id));
    expect([of('a'), of('b'), of('pool:p')]).toEqual([
      ['a lost 1', 'a "new"'],
      ['b lost 0', 'b "new"'],
      ['pool:p lost 1'],
    ]);
  });
});

describe('a pool in a storm', () => {
  test('keeps its promises while members come and go and the link is cut', async () => {
    const rooms = new Rooms();
    const node = await startNode({ onSession: rooms.onSession });
    const proxy = await startProxy(node.port);
    const types = ['a', 'b', 'c', 'd'];
    const pool = startPool(proxy.url, types);
    let seed = 7;
    const chance = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const sent = new Map<string, { n: number; settled: Promise<string> }[]>(types.map((type) => [type, []]));
    await connectAll(pool, types);
    for (let step = 0; step < 300; step++) {
      const type = types[Math.floor(chance() * types.length)] as string;
      const dice = chance();
      if (dice < 0.06) proxy.cut();
      else if (dice < 0.12) void pool.service.disconnect(type).catch(() => undefined);
      else if (dice < 0.3) void pool.service.connect({ serviceType: type }).catch(() => undefined);
      else if (['open', 'backoff', 'connecting'].includes(pool.of(type).status.state)) {
        for (let more = 0; more < 20; more++) {
          const n = sent.get(type)?.length ?? 0;
          const settled = pool
            .of(type)
            .send(n)
            .settled.then(
              ({ outcome }) => outcome,
              (error: unknown) => (error as { outcome: string }).outcome,
            );
          sent.get(type)?.push({ n, settled });
        }
      }
      if (chance() < 0.3) await pause(chance() * 8);
      expect(pool.imbalances().filter((by) => by !== 0)).toEqual([]);
    }
    await Promise.all(types.map((serviceType) => pool.service.connect({ serviceType })));
    await Promise.all(types.map((type) => pool.of(type).drainQueue({ timeoutMs: 10_000 })));
    for (const type of types) {
      const came = rooms.of(type) as number[];
      expect(new Set(came).size).toBe(came.length);
      expect([...came].sort((x, y) => x - y)).toEqual(came);
      const arrived = new Set(came);
      for (const { n, settled } of sent.get(type) ?? []) {
        const outcome = await settled;
        if (outcome === 'acknowledged') expect([type, n, arrived.has(n)]).toEqual([type, n, true]);
        if (outcome === 'not_sent' || outcome === 'rejected')
          expect([type, n, arrived.has(n)]).toEqual([type, n, false]);
      }
    }
    expect([pool.imbalances().filter((by) => by !== 0), node.errors]).toEqual([[], []]);
  });
});
