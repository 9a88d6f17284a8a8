import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { OpenWish, OwnedSession, ResumeClaim, SessionStore, StoredMessage } from '../../src/server/store.ts';

/** A store under test, with the time that it lives by. */
export interface StoreUnderTest {
  store: SessionStore;
  /** Lets time pass. */
  pass: (ms: number) => Promise<void> | void;
  stop: () => Promise<void> | void;
}

/** What one session may keep in the stores of this suite. */
export const STORE_LIMITS = { maxMessages: 5, maxBytes: 100, keyTtlMs: 2_000 };
const TTL_MS = 10_000;
const PAGE = { messages: 100, bytes: 1_000_000 };

const message = (data: string): StoredMessage => ({ data });

/** Holds a store to its promises, I1 to I7 of `SessionStore`. */
export function sessionStoreContract(name: string, start: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  describe(`the session store ${name}`, () => {
    let store: SessionStore;
    let pass: StoreUnderTest['pass'];
    let stop: StoreUnderTest['stop'];
    let told: [type: string, event: object][];

    beforeEach(async () => {
      ({ store, pass, stop } = await start());
      told = [];
      store.subscribe({
        wake: (event) => told.push(['wake', event]),
        takeover: (event) => told.push(['takeover', event]),
        expire: (event) => told.push(['expire', event]),
      });
    });

    afterEach(() => stop());

    const wish = (given: Partial<OpenWish> = {}): OpenWish => ({
      sid: 's1',
      ep: 'e1',
      tokenHash: 'h1',
      principal: 'ann',
      nonce: 'n1',
      node: 'node1',
      ttlMs: TTL_MS,
      ...given,
    });
    const claim = (given: Partial<ResumeClaim> = {}): ResumeClaim => ({
      sid: 's1',
      ep: 'e1',
      tokenHash: 'h1',
      nextTokenHash: 'h2',
      principal: 'ann',
      node: 'node2',
      rx: 0,
      lo: 1,
      hi: 0,
      ...given,
    });
    const texts = async (after = 0): Promise<unknown[]> =>
      (await store.read('s1', after, PAGE)).map(({ data }) => data);
    const attached = async (given: Partial<ResumeClaim> = {}): Promise<OwnedSession> => {
      const answer = await store.attach(claim(given));
      if (!answer.ok) throw new Error(`It was refused: ${answer.why}.`);
      return answer.session;
    };

    describe('opening', () => {
      test('gives a session with nothing in it', async () => {
        expect(await store.open(wish())).toEqual({
          sid: 's1',
          ep: 'e1',
          gen: 1,
          rx: 0,
          top: 0,
          acked: 0,
          previousNode: null,
        });
      });

      test('again by the same nonce is the same session, with a new owner: the welcome was lost (trap 13)', async () => {
        await store.open(wish());
        await store.append('s1', 1, [message('a')]);
        const again = await store.open(wish({ sid: 's2', ep: 'e2', tokenHash: 'h2', node: 'node2' }));
        expect(again).toMatchObject({ sid: 's1', ep: 'e1', gen: 2, top: 1, previousNode: 'node1' });
        expect(told).toEqual([['takeover', { sid: 's1', gen: 2, node: 'node1' }]]);
        expect(await store.append('s1', 1, [message('b')])).toBe('fenced');
      });

      test('by the same nonce of somebody else is another session', async () => {
        await store.open(wish());
        expect(await store.open(wish({ sid: 's2', principal: 'bob' }))).toMatchObject({ sid: 's2', gen: 1 });
      });

      test('is enough to be resumed, before any message and after a long time with an owner (I6) (trap 4)', async () => {
        await store.open(wish());
        await pass(10 * TTL_MS);
        expect(await attached()).toMatchObject({ gen: 2, rx: 0, top: 0 });
      });
    });

    describe('what is sent to a client', () => {
      test('gets its positions from the store, and is kept (I1) (trap 1)', async () => {
        await store.open(wish());
        expect(await store.append('s1', 1, [message('a'), message('b')])).toEqual({ first: 1, last: 2 });
        expect(await store.append('s1', 1, [message('c')])).toEqual({ first: 3, last: 3 });
        expect(await texts()).toEqual(['a', 'b', 'c']);
      });

      test('keeps what travels with it, and bytes as bytes', async () => {
        await store.open(wish());
        const bytes = { data: Uint8Array.of(0, 255), meta: { k: 'key', c: 'room' } };
        await store.append('s1', 1, [bytes]);
        expect(await store.read('s1', 0, PAGE)).toEqual([bytes]);
      });

      test('is read by pages, in order, at least one at a time (I4)', async () => {
        await store.open(wish());
        await store.append('s1', 1, ['aaaa', 'bbbb', 'cccc'].map(message));
        const read = async (after: number, most: { messages: number; bytes: number }): Promise<unknown[]> =>
          (await store.read('s1', after, most)).map(({ data }) => data);
        expect(await read(0, { messages: 2, bytes: 100 })).toEqual(['aaaa', 'bbbb']);
        expect(await read(1, { messages: 9, bytes: 4 })).toEqual(['bbbb']);
        expect(await read(2, { messages: 9, bytes: 1 })).toEqual(['cccc']);
        expect(await read(3, PAGE)).toEqual([]);
      });

      test('is forgotten as far as the client has it, and no further (I3)', async () => {
        await store.open(wish());
        await store.append('s1', 1, ['a', 'b', 'c'].map(message));
        expect(await store.ack('s1', 1, 2)).toBeNull();
        expect(await store.ack('s1', 1, 1)).toBeNull();
        expect(await texts(2)).toEqual(['c']);
        expect(await store.append('s1', 1, [message('d')])).toEqual({ first: 4, last: 4 });
      });

      test('is not read from before what was forgotten: that would be a gap (I4)', async () => {
        await store.open(wish());
        await store.append('s1', 1, ['a', 'b', 'c'].map(message));
        await store.ack('s1', 1, 2);
        expect(await texts(0)).toEqual([]);
      });

      test('is not acknowledged beyond its end', async () => {
        await store.open(wish());
        await store.append('s1', 1, [message('a')]);
        expect(await store.ack('s1', 1, 2)).toBe('ahead');
        expect(await texts()).toEqual(['a']);
      });

      test('may come from any node, and wakes the owner', async () => {
        await store.open(wish());
        expect(await store.append('s1', null, [message('a')])).toEqual({ first: 1, last: 1 });
        expect(told).toEqual([['wake', { sid: 's1', top: 1, node: 'node1' }]]);
        expect(await store.touch('s1', 1)).toEqual({ top: 1 });
      });

      test.each([
        ['messages', ['a', 'b', 'c', 'd', 'e', 'f']],
        ['bytes', ['x'.repeat(60), 'x'.repeat(60)]],
      ])('is bounded in %s: an owner is told to wait, and nothing is lost', async (_what, data) => {
        await store.open(wish());
        await store.append('s1', 1, data.slice(0, -1).map(message));
        expect(await store.append('s1', 1, data.slice(-1).map(message))).toBe('overflow');
        expect(await texts()).toEqual(data.slice(0, -1));
      });

      test.each([
        ['messages', ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 5],
        ['bytes', ['x'.repeat(60), 'x'.repeat(40), 'x'], 2],
      ])('is kept as far as there is room in %s, and an owner is told how far', async (_what, data, count) => {
        await store.open(wish());
        expect(await store.append('s1', 1, data.map(message))).toEqual({ first: 1, last: count });
        expect(await texts()).toEqual(data.slice(0, count));
        await store.ack('s1', 1, 1);
        expect(await store.append('s1', 1, data.slice(count).map(message))).toEqual({
          first: count + 1,
          last: count + 1,
        });
      });

      test('is not kept behind one that there is no room for, for an owner gives both to it again', async () => {
        await store.open(wish());
        const data = ['x'.repeat(60), 'y'.repeat(60), 'z'];
        expect(await store.append('s1', 1, data.map(message))).toEqual({ first: 1, last: 1 });
        expect(await texts()).toEqual(data.slice(0, 1));
      });

      test('and cannot be kept while nobody owns the session ends it: it cannot be resumed (I7)', async () => {
        await store.open(wish());
        await store.detach('s1', 1);
        await store.append('s1', null, ['a', 'b', 'c', 'd'].map(message));
        expect(await store.append('s1', null, ['e', 'f'].map(message))).toBe('overflow');
        expect(await store.append('s1', null, [message('g')])).toBe('overflow');
        // of an acknowledgement that was under way: it was true, and says nothing of lost history
        expect(await store.ack('s1', 1, 2)).toBe('overflow');
        expect(await store.attach(claim())).toEqual({ ok: false, why: 'overflow' });
      });
    });

    describe('what a client sent', () => {
      test('is known to the next owner as far as it was accepted (I2) (trap 2)', async () => {
        await store.open(wish());
        await store.accept('s1', 1, { upTo: 3, keys: [] });
        await store.accept('s1', 1, { upTo: 2, keys: [] });
        expect(await attached({ lo: 2, hi: 5 })).toMatchObject({ rx: 3 });
      });

      test('is known by its key for a while, in every session of its sender and of nobody else', async () => {
        await store.open(wish());
        await store.accept('s1', 1, { upTo: 1, keys: ['k1', 'k2'] });
        expect(await store.known('ann', ['k1', 'k2', 'k3'])).toEqual(['k1', 'k2']);
        expect(await store.known('bob', ['k1'])).toEqual([]);
        await pass(STORE_LIMITS.keyTtlMs + 1);
        expect(await store.known('ann', ['k1'])).toEqual([]);
      });
    });

    describe('resuming', () => {
      const refusals: [why: string, given: Partial<ResumeClaim>][] = [
        ['unknown', { sid: 'other' }],
        ['forbidden', { tokenHash: 'stolen' }],
        ['forbidden', { principal: 'bob' }],
        ['forbidden', { principal: 'bob', ep: 'e9', rx: 99 }],
        ['epoch', { ep: 'e9' }],
        ['ahead', { rx: 4 }],
        ['gap', { rx: 0 }],
        ['gap', { lo: 4, hi: 9 }],
        ['ahead', { lo: 1, hi: 1 }],
      ];

      test.each(refusals)('is refused as %s for %j, and changes nothing (trap 5)', async (why, given) => {
        await store.open(wish());
        await store.append('s1', 1, ['a', 'b', 'c'].map(message));
        await store.ack('s1', 1, 1);
        await store.accept('s1', 1, { upTo: 2, keys: [] });
        expect(await store.attach(claim({ rx: 2, lo: 3, hi: 2, ...given }))).toEqual({ ok: false, why });
        expect(await store.append('s1', 1, [message('d')])).toEqual({ first: 4, last: 4 });
        expect(told).toEqual([]);
      });

      test('tells where both sides stand, and forgets what the client has', async () => {
        await store.open(wish());
        await store.append('s1', 1, ['a', 'b', 'c'].map(message));
        await store.accept('s1', 1, { upTo: 2, keys: [] });
        expect(await attached({ rx: 2, lo: 2, hi: 4 })).toEqual({
          sid: 's1',
          ep: 'e1',
          gen: 2,
          rx: 2,
          top: 3,
          acked: 2,
          previousNode: 'node1',
        });
        expect(await texts(2)).toEqual(['c']);
      });

      test('fences every owner before: none of its writes changes anything (I5) (trap 3)', async () => {
        await store.open(wish());
        await store.append('s1', 1, [message('a')]);
        await attached();
        expect([
          await store.append('s1', 1, [message('b')]),
          await store.ack('s1', 1, 1),
          await store.accept('s1', 1, { upTo: 9, keys: ['k'] }),
          await store.touch('s1', 1),
          await store.confirm('s1', 1),
          await store.detach('s1', 1),
          await store.destroy('s1', 1),
        ]).toEqual(Array(7).fill('fenced'));
        expect([await texts(), await store.known('ann', ['k'])]).toEqual([['a'], []]);
        expect(told).toEqual([['takeover', { sid: 's1', gen: 2, node: 'node1' }]]);
      });

      test('works again with the old token until the new owner has heard the client (trap 12)', async () => {
        await store.open(wish());
        await attached();
        expect(await attached({ nextTokenHash: 'h3' })).toMatchObject({ gen: 3 });
        await store.confirm('s1', 3);
        expect(await store.attach(claim())).toEqual({ ok: false, why: 'forbidden' });
        expect(await attached({ tokenHash: 'h3', nextTokenHash: 'h4' })).toMatchObject({ gen: 4 });
      });

      test('works with whichever token the client may have, though many welcomes in a row were lost', async () => {
        await store.open(wish());
        for (let lost = 2; lost < 100; lost += 1) await attached({ nextTokenHash: `h${lost}` });
        // the one with h99 arrived, and its socket died before the client said anything
        expect(await attached({ tokenHash: 'h99', nextTokenHash: 'h100' })).toMatchObject({ gen: 100 });
        expect(await attached({ tokenHash: 'h99', nextTokenHash: 'h101' })).toMatchObject({ gen: 101 });
        expect(await store.attach(claim())).toEqual({ ok: false, why: 'forbidden' });
      });

      test('by a hello that was long on its way takes nothing from the token of a later one', async () => {
        await store.open(wish());
        await attached({ nextTokenHash: 'h2' });
        await attached({ nextTokenHash: 'h3' });
        expect(await attached({ tokenHash: 'h2', nextTokenHash: 'h4' })).toMatchObject({ gen: 4 });
      });
    });

    describe('the end', () => {
      test('comes when a session had no owner for its time, and is told', async () => {
        await store.open(wish());
        await store.detach('s1', 1);
        await pass(TTL_MS - 1);
        expect(told).toEqual([]);
        await pass(1_001);
        expect(told).toEqual([['expire', { sid: 's1', principal: 'ann' }]]);
        expect(await store.attach(claim())).toEqual({ ok: false, why: 'unknown' });
        expect(await store.append('s1', null, [message('a')])).toBe('gone');
      });

      test('does not come once somebody owns it again', async () => {
        await store.open(wish());
        await store.detach('s1', 1);
        await pass(TTL_MS - 1);
        await attached();
        await pass(10 * TTL_MS);
        expect(await store.touch('s1', 2)).toEqual({ top: 0 });
      });

      test.each([1, null])('comes at once when it is destroyed by %j, and is told', async (gen) => {
        await store.open(wish());
        expect(await store.destroy('s1', gen)).toBeNull();
        expect(told).toEqual([['expire', { sid: 's1', principal: 'ann' }]]);
        expect(await store.touch('s1', 1)).toBe('gone');
        expect(await store.open(wish({ sid: 's2' }))).toMatchObject({ sid: 's2', gen: 1 });
      });
    });
  });
}
