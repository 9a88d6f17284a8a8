import { expect, test } from 'vitest';

import { Intake, type Arrival } from '../../src/server/intake.ts';
import { MemoryStore } from '../../src/server/memory-store.ts';
import { Ownership } from '../../src/server/ownership.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

async function start({ windowMessages = 100, isConnected = true } = {}) {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock });
  const wish = { sid: 's', ep: 'e', tokenHash: 'h', principal: 'ann', nonce: 'n', node: 'a', ttlMs: 1_000 };
  await store.open(wish);
  const delivered: [position: number, data: unknown][] = [];
  const within: number[] = [];
  const nacks: [position: number, code: string][] = [];
  const pings: number[] = [];
  const faults: unknown[] = [];
  const lost: string[] = [];
  const state = { isConnected };
  const intake = new Intake({
    sid: 's',
    principal: 'ann',
    accepted: 0,
    store,
    ownership: new Ownership(1, (why) => lost.push(why)),
    limits: { windowMessages, windowBytes: 1_000, inflatedBytes: 1_000 },
    now: () => clock.now(),
    deliver: ({ position, data }) => delivered.push([position, data]),
    acknowledge: (ms) => within.push(ms),
    say: (frame) => {
      if (state.isConnected && frame.t === 'nack') nacks.push([frame.s ?? 0, frame.c]);
      if (state.isConnected && frame.t === 'ping') pings.push(frame.i);
      return state.isConnected;
    },
    fault: (cause) => faults.push(cause),
    violated: (violation) => faults.push(violation),
  });
  const settle = (): Promise<void> => clock.advanceAsync(0);
  return { clock, store, wish, intake, delivered, within, nacks, pings, faults, lost, state, settle };
}

const plain = (...data: unknown[]): Arrival[] => data.map((each) => ({ data: each, meta: {} }));
const keyed = (data: unknown, k: string): Arrival => ({ data, meta: { k } });
const REFUSAL = { code: 'HANDLER_FAILED', message: 'no', temporary: false, outcome: 'unknown' } as const;

test('what is accepted is stored before it may be told (trap 2)', async () => {
  const { store, intake, delivered, within, settle } = await start();
  let answer: () => void = () => undefined;
  const accept = store.accept.bind(store);
  store.accept = async (sid, gen, accepted) => {
    await new Promise<void>((resolve) => (answer = resolve));
    return accept(sid, gen, accepted);
  };
  intake.arrived(1, plain('a', 'b'), 10);
  intake.accept(1);
  await settle();
  expect([delivered, intake.hasNews, within]).toEqual([
    [
      [1, 'a'],
      [2, 'b'],
    ],
    false,
    [],
  ]);
  answer();
  await settle();
  expect([intake.hasNews, within, intake.tell(), intake.hasNews, intake.size]).toEqual([true, [50], 1, false, 1]);
});

test('one write takes everything that is accepted in a turn, and only what is without a hole', async () => {
  const { store, intake, settle } = await start();
  const writes: number[] = [];
  const accept = store.accept.bind(store);
  store.accept = (sid, gen, accepted) => {
    writes.push(accepted.upTo);
    return accept(sid, gen, accepted);
  };
  intake.arrived(1, plain(1, 2, 3, 4), 10);
  for (const position of [4, 2, 1]) intake.accept(position);
  await settle();
  intake.accept(3);
  intake.accept(3);
  await settle();
  expect([writes, intake.stored]).toEqual([[2, 4], 4]);
});

test('a gap is no message, and a repetition is acknowledged at once', async () => {
  const { intake, delivered, within } = await start();
  expect(() => {
    intake.arrived(2, plain('b'), 1);
  }).toThrow(expect.objectContaining({ closeCode: 4201 }));
  intake.arrived(1, plain('a'), 1);
  intake.arrived(1, plain('a', 'b'), 1);
  expect([delivered, within]).toEqual([
    [
      [1, 'a'],
      [2, 'b'],
    ],
    [0],
  ]);
});

test('a quarter of the window is acknowledged at once', async () => {
  const { intake, within, settle } = await start({ windowMessages: 8 });
  intake.arrived(1, plain(1, 2), 1);
  intake.accept(1);
  await settle();
  intake.accept(2);
  await settle();
  expect(within).toEqual([50, 0]);
});

test('more than the window breaks the protocol, in messages and in bytes', async () => {
  const { intake, settle } = await start({ windowMessages: 2 });
  intake.arrived(1, plain(1, 2), 1);
  expect(() => {
    intake.arrived(3, plain(3), 1);
  }).toThrow('window');
  const other = await start();
  const large = 'x'.repeat(900);
  other.intake.arrived(1, plain(large, large), 1_900);
  expect(() => {
    other.intake.arrived(3, plain(large), 950);
  }).toThrow('window');
  await settle();
});

test('a large message that came with small ones weighs what it weighs, once it is gone as well', async () => {
  const { intake, settle } = await start();
  // by even shares, the small one would weigh 450 each time
  for (const first of [1, 3, 5, 7, 9, 11]) {
    intake.arrived(first, plain('x'.repeat(900), 1), 910);
    intake.accept(first);
    await settle();
  }
  intake.arrived(13, plain('x'.repeat(900)), 910);
  expect(() => {
    intake.arrived(14, plain('x'.repeat(900), 'x'.repeat(900)), 1_820);
  }).toThrow('window');
});

test('what an application made of a message does not count for it', async () => {
  const { intake, delivered } = await start();
  const data: Record<string, unknown> = { text: 'x'.repeat(900) };
  intake.arrived(1, plain(data), 920);
  Object.assign(delivered[0]?.[1] as object, { self: data });
  intake.arrived(2, plain('x'.repeat(900)), 910);
  expect(() => {
    intake.arrived(3, plain('x'.repeat(900)), 910);
  }).toThrow('window');
});

test('a quarter of the bytes of the window is acknowledged at once', async () => {
  const { intake, within, settle } = await start();
  intake.arrived(1, plain('a', 'b'), 240);
  intake.accept(1);
  await settle();
  intake.arrived(3, plain('c'), 150);
  intake.accept(2);
  intake.accept(3);
  await settle();
  expect(within).toEqual([50, 0]);
});

test('a key that was accepted before is not handed over again, in this session or another', async () => {
  const { store, intake, delivered, settle } = await start();
  await store.accept('s', 1, { upTo: 0, keys: ['old'] });
  intake.arrived(1, [keyed('a', 'new'), keyed('b', 'old'), ...plain('c'), keyed('d', 'new')], 10);
  intake.arrived(5, plain('e'), 1);
  expect(delivered).toEqual([]);
  await settle();
  expect(delivered).toEqual([
    [1, 'a'],
    [3, 'c'],
    [5, 'e'],
  ]);
  for (const position of [1, 3, 5]) intake.accept(position);
  await settle();
  expect([intake.stored, await store.known('ann', ['new'])]).toEqual([5, ['new']]);
  intake.arrived(6, [keyed('f', 'new')], 1);
  await settle();
  expect([delivered.length, intake.stored]).toEqual([3, 6]);
});

test('a key is known between its acceptance and the store', async () => {
  const { store, intake, delivered, settle } = await start();
  const answers: (() => void)[] = [];
  const accept = store.accept.bind(store);
  store.accept = async (sid, gen, accepted) => {
    await new Promise<void>((resolve) => answers.push(resolve));
    return accept(sid, gen, accepted);
  };
  intake.arrived(1, [keyed('a', 'k')], 1);
  await settle();
  intake.accept(1);
  intake.arrived(2, [keyed('again', 'k')], 1);
  await settle();
  for (const answer of answers) answer();
  await settle();
  expect(delivered).toEqual([[1, 'a']]);
});

test('a key is known although it went to the store while that was asked', async () => {
  const { store, intake, delivered, settle } = await start();
  intake.arrived(1, [keyed('a', 'k')], 1);
  await settle();
  let answer: () => void = () => undefined;
  const known = store.known.bind(store);
  store.known = async (principal, keys) => {
    const before = await known(principal, keys);
    await new Promise<void>((resolve) => (answer = resolve));
    return before;
  };
  intake.arrived(2, [keyed('again', 'k')], 1);
  await settle();
  intake.accept(1);
  await settle();
  answer();
  await settle();
  expect([delivered, intake.stored]).toEqual([[[1, 'a']], 2]);
});

test('a refused message counts as accepted once the client is known to have the refusal, and its key may be used again', async () => {
  const { store, intake, nacks, pings, settle } = await start();
  intake.arrived(1, [keyed('a', 'k'), ...plain('b')], 1);
  await settle();
  intake.refuse(1, REFUSAL);
  intake.refuse(1, REFUSAL);
  // it cannot be both
  intake.accept(1);
  intake.accept(2);
  await settle();
  expect([nacks, pings, intake.stored]).toEqual([[[1, 'HANDLER_FAILED']], [1], 0]);
  intake.ponged(1);
  await settle();
  expect([intake.stored, await store.known('ann', ['k'])]).toEqual([2, []]);
});

test('a refusal that went with its socket is told again, until one answers', async () => {
  const { intake, nacks, pings, settle } = await start();
  intake.arrived(1, plain('a'), 1);
  intake.refuse(1, REFUSAL);
  intake.attached(0);
  // of the ping of a socket that is gone
  intake.ponged(1);
  await settle();
  expect([nacks.length, pings, intake.stored]).toEqual([2, [1, 2], 0]);
  intake.ponged(2);
  await settle();
  expect(intake.stored).toBe(1);
  intake.attached(1);
  expect([nacks.length, pings.length]).toEqual([2, 2]);
});

test('refusals that come while one is asked about share the next ping', async () => {
  const { intake, nacks, pings, settle } = await start();
  intake.arrived(1, plain('a', 'b', 'c'), 1);
  for (const position of [1, 2, 3]) intake.refuse(position, REFUSAL);
  expect([nacks.length, pings]).toEqual([3, [1]]);
  intake.ponged(1);
  await settle();
  expect([pings, intake.stored]).toEqual([[1, 2], 1]);
  intake.ponged(7);
  intake.ponged(2);
  await settle();
  expect([pings, intake.stored]).toEqual([[1, 2], 3]);
});

test('a refusal waits for a socket that tells of it', async () => {
  const { intake, nacks, state, settle } = await start({ isConnected: false });
  intake.arrived(1, plain('a'), 1);
  intake.refuse(1, REFUSAL);
  await settle();
  expect([nacks, intake.stored]).toEqual([[], 0]);
  state.isConnected = true;
  intake.attached(0);
  intake.ponged(1);
  await settle();
  expect([nacks, intake.stored]).toEqual([[[1, 'HANDLER_FAILED']], 1]);
});

test('another socket that knows less is told anew', async () => {
  const { intake, within, settle } = await start();
  intake.arrived(1, plain('a'), 1);
  intake.accept(1);
  await settle();
  intake.tell();
  intake.attached(1);
  expect(intake.hasNews).toBe(false);
  intake.attached(0);
  expect([intake.hasNews, within.length]).toEqual([true, 2]);
});

test('a store that fails is told of, and asked again with the next', async () => {
  const { store, intake, delivered, faults, settle } = await start();
  const accept = store.accept.bind(store);
  store.accept = () => Promise.reject(new Error('down'));
  store.known = () => Promise.reject(new Error('down'));
  intake.arrived(1, [keyed('a', 'k'), ...plain('b')], 1);
  await settle();
  intake.accept(1);
  await settle();
  expect([delivered.length, faults.length, intake.stored]).toEqual([2, 2, 0]);
  store.accept = accept;
  intake.accept(2);
  await settle();
  expect(intake.stored).toBe(2);
});

test('the key of what a store could not take goes to it with the next', async () => {
  const { store, intake, settle } = await start();
  const accept = store.accept.bind(store);
  store.accept = () => Promise.reject(new Error('down'));
  intake.arrived(1, [keyed('a', 'k'), ...plain('b')], 1);
  await settle();
  intake.accept(1);
  await settle();
  store.accept = accept;
  intake.accept(2);
  await settle();
  expect(await store.known('ann', ['k'])).toEqual(['k']);
});

test('what another owner has fenced is not acknowledged', async () => {
  const { store, wish, intake, lost, settle } = await start();
  await store.open({ ...wish, node: 'b' });
  intake.arrived(1, plain('a'), 1);
  intake.accept(1);
  await settle();
  expect([intake.hasNews, lost]).toEqual([false, ['fenced']]);
});

test('the window begins where the welcome says, although the store has not answered here', async () => {
  const { store, intake, delivered, settle } = await start({ windowMessages: 2 });
  const accept = store.accept.bind(store);
  store.accept = async (...asked) => {
    await accept(...asked);
    return new Promise(() => undefined);
  };
  intake.arrived(1, plain('a', 'b'), 10);
  intake.accept(1);
  intake.accept(2);
  await settle();
  intake.attached(2);
  intake.arrived(3, plain('c', 'd'), 10);
  expect(delivered.length).toBe(4);
});
