import { describe, expect, test } from 'vitest';

import type { OpenWish } from '../../src/server/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { SimulatedStore, timersOf } from '../../src/testing/store.ts';

const WISH: OpenWish = {
  sid: 's',
  ep: 'e',
  tokenHash: 'hash',
  principal: 'p',
  nonce: 'nonce',
  node: 'one',
  ttlMs: 60_000,
};
const CLAIM = { ...WISH, nextTokenHash: 'next', node: 'other', rx: 0, lo: 1, hi: 0 };

function kept(seed = 1) {
  const clock = new SimulatedClock();
  const store = new SimulatedStore({ clock, chance: new Chance(seed) });
  const access = store.access();
  const told: string[] = [];
  /** Writes down what a call gives. */
  const note = (name: string, call: Promise<unknown>): void => {
    void call.then((answer) => told.push(`${name}: ${JSON.stringify(answer)}`));
  };
  return { clock, store, access, told, note };
}

describe('a simulated store', () => {
  test('answers each call after a time of its own, within its pace', async () => {
    const { clock, store, access, told, note } = kept();
    store.paceMs = 100;
    for (let count = 0; count < 30; count++) note('known', access.known('p', []));
    await clock.advanceAsync(0);
    expect(told).toEqual([]);
    await clock.advanceAsync(100);
    expect(told.length).toBeGreaterThan(5);
    expect(told.length).toBeLessThan(25);
    await clock.advanceAsync(100);
    expect([told.length, clock.pending()]).toEqual([30, 0]);
  });

  test('does everything that a store does', async () => {
    const { clock, access, told, note } = kept();
    const calls: [string, () => Promise<unknown>][] = [
      ['open', () => access.open(WISH).then(({ gen }) => gen)],
      ['confirm', () => access.confirm('s', 1)],
      ['append', () => access.append('s', 1, [{ data: 'a' }, { data: 'b' }])],
      ['read', () => access.read('s', 0, { messages: 9, bytes: 99 }).then((all) => all.map(({ data }) => data))],
      ['ack', () => access.ack('s', 1, 1)],
      ['accept', () => access.accept('s', 1, { upTo: 1, keys: ['key'] })],
      ['known', () => access.known('p', ['key', 'other'])],
      ['touch', () => access.touch('s', 1)],
      ['detach', () => access.detach('s', 1)],
      ['attach', () => access.attach({ ...CLAIM, rx: 1, lo: 2, hi: 1 }).then(({ ok }) => ok)],
      ['destroy', () => access.destroy('s', null)],
    ];
    for (const [name, call] of calls) {
      note(name, call());
      await clock.advanceAsync(10);
    }
    expect(told).toEqual([
      'open: 1',
      'confirm: null',
      'append: {"first":1,"last":2}',
      'read: ["a","b"]',
      'ack: null',
      'accept: null',
      'known: ["key"]',
      'touch: {"top":2}',
      'detach: null',
      'attach: true',
      'destroy: null',
    ]);
  });

  test('is the same for every server, and goes on when one of them is closed', async () => {
    const { clock, store, access, told, note } = kept();
    const other = store.access();
    note(
      'open',
      access.open(WISH).then(({ sid }) => sid),
    );
    await clock.advanceAsync(10);
    await access.close();
    note('append', other.append('s', null, [{ data: 'a' }]));
    await clock.advanceAsync(10);
    expect(told).toEqual(['open: "s"', 'append: {"first":1,"last":1}']);
    expect(store.inner.size).toBe(1);
  });

  test('tells every server what happens in it, in order and some time later', async () => {
    const { clock, store, access, told, note } = kept();
    store.paceMs = 50;
    const other = store.access();
    for (const [name, each] of Object.entries({ access, other }))
      each.subscribe({
        wake: ({ top }) => told.push(`${name}: wake ${top}`),
        takeover: ({ gen }) => told.push(`${name}: takeover ${gen}`),
      });
    const unsubscribe = access.subscribe({ wake: () => told.push('unsubscribed') });
    unsubscribe();
    note(
      'open',
      access.open(WISH).then(() => null),
    );
    await clock.advanceAsync(100);
    told.length = 0;
    for (let top = 1; top <= 10; top++) await store.inner.append('s', null, [{ data: 'a' }]);
    expect(told).toEqual([]);
    await store.inner.attach(CLAIM);
    await clock.advanceAsync(50);
    for (const name of ['access', 'other'])
      expect(told.filter((each) => each.startsWith(name))).toEqual([
        ...Array.from({ length: 10 }, (_, index) => `${name}: wake ${index + 1}`),
        `${name}: takeover 2`,
      ]);
    expect(told).toHaveLength(22);
  });

  test('forgets a session when its time is over', async () => {
    const { clock, store, access, told, note } = kept();
    access.subscribe({ expire: ({ sid }) => told.push(`expired ${sid}`) });
    note(
      'open',
      access.open(WISH).then(() => null),
    );
    await clock.advanceAsync(10);
    note('detach', access.detach('s', 1));
    await clock.advanceAsync(70_000);
    expect(told).toEqual(['open: null', 'detach: null', 'expired s']);
    expect([store.inner.size, clock.pending()]).toEqual([0, 0]);
  });

  test('leaves no timer once it is closed', async () => {
    const { clock, store, access, note } = kept();
    note('open', access.open(WISH));
    await clock.advanceAsync(10);
    note('detach', access.detach('s', 1));
    await clock.advanceAsync(10);
    expect(clock.pending()).toBeGreaterThan(0);
    await store.close();
    expect(clock.pending()).toBe(0);
  });
});

describe('a store that is lost', () => {
  test('knows nothing of before, and is a store all the same', async () => {
    const { clock, store, access, told, note } = kept();
    note(
      'open',
      access.open(WISH).then(() => null),
    );
    await clock.advanceAsync(10);
    note('detach', access.detach('s', 1));
    await clock.advanceAsync(10);
    await store.lose();
    expect([store.inner.size, clock.pending()]).toEqual([0, 0]);
    const next = store.access();
    note('attach', next.attach(CLAIM));
    await clock.advanceAsync(10);
    note(
      'open again',
      next.open(WISH).then(({ gen }) => gen),
    );
    await clock.advanceAsync(10);
    expect(told.slice(2)).toEqual(['attach: {"ok":false,"why":"unknown"}', 'open again: 1']);
  });

  test('takes with it what was asked of it', async () => {
    const { clock, store, access, told, note } = kept();
    note('open', access.open(WISH));
    await store.lose();
    await clock.advanceAsync(10);
    expect([told, store.inner.size]).toEqual([[], 0]);
  });

  test('tells who is there of what happens afterwards', async () => {
    const { clock, store, access, told } = kept();
    access.subscribe({ wake: ({ sid }) => told.push(sid) });
    await store.lose();
    await store.inner.open(WISH);
    await store.inner.append('s', null, [{ data: 'a' }]);
    await clock.advanceAsync(10);
    expect(told).toEqual(['s']);
  });
});

describe('a server that is killed', () => {
  test('hears nothing any more: no answer, no event, whatever it asks', async () => {
    const { clock, store, access, told, note } = kept();
    access.subscribe({ wake: () => told.push('wake') });
    note('open', access.open(WISH));
    await clock.advanceAsync(10);
    told.length = 0;
    note('touch', access.touch('s', 1));
    await store.inner.append('s', null, [{ data: 'a' }]);
    access.kill();
    note('read', access.read('s', 0, { messages: 9, bytes: 99 }));
    await store.inner.append('s', null, [{ data: 'b' }]);
    await clock.advanceAsync(1_000);
    expect([told, clock.pending()]).toEqual([[], 0]);
  });

  test('gets no answer that is on its way', async () => {
    const { clock, store, access, told, note } = kept();
    store.paceMs = 100;
    for (let count = 0; count < 30; count++) note('known', access.known('p', []));
    await clock.advanceAsync(100);
    const before = told.length;
    access.kill();
    await clock.advanceAsync(100);
    expect(before).toBeLessThan(25);
    expect(told).toHaveLength(before);
  });

  test('is told of nothing that happens afterwards', async () => {
    const { clock, store, access } = kept();
    access.subscribe({ wake: () => undefined });
    access.kill();
    await store.inner.open(WISH);
    await store.inner.append('s', null, [{ data: 'a' }]);
    expect(clock.pending()).toBe(0);
  });

  test('leaves some of what it asked for to have its effect, and some not', async () => {
    const { clock, store, access } = kept();
    for (let count = 0; count < 100; count++) void access.open({ ...WISH, sid: `s${count}`, nonce: `n${count}` });
    access.kill();
    await clock.advanceAsync(10);
    expect(store.inner.size).toBeGreaterThan(25);
    expect(store.inner.size).toBeLessThan(75);
  });

  test('is none of the business of the others', async () => {
    const { clock, store, access, told, note } = kept();
    const other = store.access();
    other.subscribe({ wake: () => told.push('wake') });
    note(
      'open',
      other.open(WISH).then(() => null),
    );
    access.kill();
    await clock.advanceAsync(10);
    await store.inner.append('s', null, [{ data: 'a' }]);
    await clock.advanceAsync(10);
    expect(told).toEqual(['open: null', 'wake']);
  });
});

test('timers of a clock take any handle', () => {
  const clock = new SimulatedClock();
  const timers = timersOf(clock);
  const fired: string[] = [];
  timers.setTimeout(() => fired.push('a'), 10);
  timers.clearTimeout(timers.setTimeout(() => fired.push('cleared'), 10));
  timers.clearTimeout(undefined);
  clock.advance(10);
  expect([fired, timers.now()]).toEqual([['a'], clock.now()]);
});
