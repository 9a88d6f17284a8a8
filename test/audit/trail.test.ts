import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createVerifier } from '../../src/audit/signature.ts';
import { verify } from '../../src/audit/verify.ts';
import { smallLog } from '../support/audit-chain.ts';
import { FOR_EVER, signerAtOnce, TrailRig } from '../support/audit-trail.ts';
import { deferred } from '../support/service.ts';

const key = new Uint8Array(32).fill(7);
const signer = signerAtOnce(key);
const verifier = createVerifier({ key, name: 'spring' });
const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => String(from + n));

describe('a trail', () => {
  test('opens its sink with the first record, and links everything in order', async () => {
    const r = new TrailRig();
    await r.pass(1_000);
    expect([r.sink.calls, r.trail.status.state]).toEqual([[], 'opening']);
    r.add(3);
    await r.pass(100);
    r.add(2);
    await r.pass(100);
    await r.close();
    expect(r.sink.kinds).toEqual(['opened', 'segment', ...Array<string>(5).fill('attached'), 'closed']);
    expect(r.stored).toEqual(names(0, 5));
    expect(await verify(r.sink.lines)).toMatchObject({ verdict: 'intact', records: 8 });
    expect(r.sink.calls).toEqual(['open', 'append', 'append', 'append', 'flush', 'append', 'flush', 'close']);
    expect([r.clock.pending(), r.errors]).toEqual([0, []]);
  });

  test('gathers records for 100 ms, or until there are 256 of them', async () => {
    const r = new TrailRig();
    r.add();
    await r.pass(99);
    expect(r.sink.calls).toEqual([]);
    await r.pass(1);
    expect(r.sink.batches.map(({ length }) => length)).toEqual([2, 1]);
    r.add(255);
    await r.pass(99);
    expect(r.sink.batches).toHaveLength(2);
    await r.pass(1);
    r.add(256);
    await r.pass();
    expect(r.sink.batches.map(({ length }) => length)).toEqual([2, 1, 255, 256]);
  });

  test('gives at most 512 records at once, and 262,144 characters unless one is longer', async () => {
    const r = new TrailRig();
    r.add(600);
    await r.pass(100);
    expect(r.sink.batches.map(({ length }) => length)).toEqual([2, 512, 88]);
    const large = (characters: number) => r.trail.add(r.item({ body: JSON.stringify('x'.repeat(characters - 2)) }));
    for (const characters of [262_142, 2, 3, 300_000, 10]) large(characters);
    await r.pass(100);
    expect(r.sink.batches.slice(3).map(({ length }) => length)).toEqual([2, 1, 1, 1]);
    expect(r.trail.status).toMatchObject({ waiting: 0, stored: 607, lost: 0, seq: 606 });
  });

  test('says truthfully how it is doing', async () => {
    const slow = deferred<undefined>();
    const r = new TrailRig({ append: () => slow.promise });
    r.add(2);
    expect(r.trail.status).toEqual({
      ...{ sink: 'script', state: 'opening', waiting: 2, stored: 0, lost: 0, seq: -1, lastError: null },
    });
    await r.pass(100);
    expect(r.trail.status).toMatchObject({ state: 'opening', waiting: 4, stored: 0, seq: -1 });
    r.sink.acts = {};
    slow.resolve(undefined);
    await r.pass();
    expect(r.trail.status).toMatchObject({ state: 'writing', waiting: 0, stored: 4, seq: 3 });
    await r.close();
    expect(r.trail.status).toMatchObject({ state: 'closed', waiting: 0, stored: 5, seq: 4 });
    r.add();
    expect([r.trail.status.waiting, r.trail.status.lost, r.clock.pending()]).toEqual([0, 0, 0]);
  });
});

describe('what there is no room for', () => {
  test('is counted where it was, by records', async () => {
    const r = new TrailRig({}, { most: { records: 3 } });
    r.add(5);
    await r.pass(100);
    r.add(1);
    await r.pass(100);
    expect(r.sink.records.slice(2)).toMatchObject([
      ...['0', '1', '2'].map((service) => ({ service })),
      { kind: 'gap', lost: 2, since: r.clock.now() - 200 },
      { service: '5' },
    ]);
    expect(r.trail.status.lost).toBe(2);
    expect(r.errors).toMatchObject([{ code: 'AUDIT_SINK_FAILED', sink: 'script' }]);
  });

  test('is counted by characters as well', async () => {
    const r = new TrailRig({}, { most: { bytes: 200 } });
    const { length } = r.item().body;
    r.add(5);
    await r.pass(100);
    const fit = Math.floor(200 / length);
    expect(r.sink.kinds.slice(2)).toEqual([...Array<string>(fit).fill('attached'), 'gap']);
    expect(r.trail.status.lost).toBe(5 - fit);
    r.add(fit);
    await r.pass(100);
    expect(r.trail.status.lost).toBe(5 - fit);
  });

  test('is counted exactly, whatever comes when', async () => {
    const act = fc.oneof(fc.nat({ max: 30 }), fc.constantFrom('pass', 'hang', 'go on', 'fail') as fc.Arbitrary<string>);
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
        const r = new TrailRig({}, { most: { records: 20 } });
        let added = 0;
        let slow = deferred<undefined>();
        for (const one of acts) {
          if (typeof one === 'number') {
            r.add(one);
            added += one;
          } else if (one === 'hang') r.sink.acts = { append: () => slow.promise };
          else if (one === 'fail') r.sink.acts = { append: () => Promise.reject(new Error('full')) };
          else if (one === 'go on') {
            r.sink.acts = {};
            slow.resolve(undefined);
            slow = deferred();
          }
          await r.pass(10);
        }
        r.sink.acts = {};
        slow.resolve(undefined);
        await r.pass();
        await r.close();
        const gaps = r.sink.records.flatMap((record) => (record.kind === 'gap' ? [record.lost] : []));
        const lost = gaps.reduce((sum, one) => sum + one, 0);
        expect([lost + r.stored.length, lost]).toEqual([added, r.trail.status.lost]);
        expect(r.stored).toEqual(r.stored.toSorted((one, other) => Number(one) - Number(other)));
        expect(await verify(r.sink.lines)).toMatchObject({ verdict: 'intact', lost: { records: lost } });
        expect(r.clock.pending()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('what an actor was like before', () => {
  const base = () => '{"kind":"state"}';

  test('is put before its first record, after each gap, and in each segment', async () => {
    let isFull = false;
    const r = new TrailRig({ isFull: () => isFull }, { most: { records: 6 } });
    const [one, other] = [{}, {}];
    const add = (actor: object, more = {}) => r.trail.add(r.item({ actor, base, ...more }));
    add(one);
    add(one);
    add(other, { base: null });
    add(other);
    await r.pass(100);
    expect(r.sink.kinds.slice(2)).toEqual(['state', 'attached', 'attached', 'attached', 'attached']);
    isFull = true;
    add(one);
    await r.pass(100);
    isFull = false;
    add(one);
    add(other);
    r.add(6);
    add(one);
    await r.pass(100);
    add(one);
    await r.pass(100);
    expect(r.sink.kinds.slice(7)).toEqual([
      ...['attached', 'segment', 'state', 'attached', 'state', 'attached'],
      ...['attached', 'attached', 'gap', 'state', 'attached'],
    ]);
  });

  test('is not asked for by an end, which says nothing that follows from it', async () => {
    const r = new TrailRig();
    r.trail.add(r.item({ actor: {} }));
    await r.pass(100);
    expect(r.sink.kinds.slice(2)).toEqual(['attached']);
  });
});

describe('a segment', () => {
  test('is sealed before it is put aside, and the next begins with what was removed', async () => {
    let isFull = true;
    const removed = [{ segment: 1, seq: 3, hash: 'ab'.repeat(32) }];
    const rotate = () => ((isFull = false), removed);
    const r = new TrailRig({ isFull: () => isFull, rotate }, { signer });
    r.add(2);
    await r.pass(100);
    r.add(1);
    await r.pass(100);
    await r.close();
    expect(r.sink.kinds).toEqual([
      ...['opened', 'segment', 'attached', 'attached', 'seal'],
      ...['segment', 'retention', 'attached', 'closed', 'seal'],
    ]);
    expect(r.sink.batches.at(-1)).toHaveLength(2);
    expect(r.sink.calls.slice(0, 6)).toEqual(['open', 'append', 'append', 'append', 'rotate', 'append']);
    expect(r.sink.records).toMatchObject({ 5: { segment: 2 }, 6: { removed } });
    const { verdict, signatures } = await verify(r.sink.lines, { key: verifier });
    expect([verdict, signatures.verified]).toEqual(['intact', 2]);
  });

  test('is sealed once, however often it cannot be put aside', async () => {
    let refusals = 3;
    const rotate = () => {
      if (refusals-- > 0) throw new Error('not yet');
      return [];
    };
    const r = new TrailRig({ isFull: () => refusals >= 0, rotate }, { signer });
    r.add(2);
    // what follows from one timer is over before the next
    for (let passed = 0; passed < 10_000; passed += 250) await r.pass(250);
    expect(r.sink.kinds).toEqual(['opened', 'segment', 'attached', 'attached', 'seal', 'segment']);
    expect([r.errors.length, r.trail.status.state]).toEqual([1, 'writing']);
  });
});

describe('a chain that goes on', () => {
  test.each([
    ['in the segment that has not ended', {}, ['opened', 'attached']],
    ['after a line that was cut off', { torn: 7 }, ['opened', 'attached']],
    ['in the next segment', { isEnded: true }, ['segment', 'opened', 'attached']],
  ])('does so %s', async (_, tail, kinds) => {
    const before = (await smallLog(signer)).slice(0, -2);
    const r = new TrailRig({ open: () => ({ line: before.at(-1) ?? '', segment: 3, ...tail }) });
    r.add();
    await r.pass(100);
    expect(r.sink.kinds).toEqual(kinds);
    expect(r.sink.records[0]).toMatchObject('isEnded' in tail ? { segment: 4 } : { run: 'run', ...tail });
    expect('torn' in (r.sink.records[0] ?? {})).toBe('torn' in tail);
    await r.close();
    expect(await verify([...before, ...r.sink.lines])).toMatchObject({ verdict: 'intact', runs: 3 });
  });
});

test('a trail that nobody has added anything to says so when it is closed', async () => {
  const r = new TrailRig();
  await r.close();
  expect(r.sink.kinds).toEqual(['opened', 'segment', 'closed']);
  expect(await verify(r.sink.lines)).toMatchObject({ verdict: 'intact' });
});

test('a record that was acknowledged as stored is stored once flush has resolved', async () => {
  const r = new TrailRig();
  r.add(700);
  expect(await r.timed(r.trail.flush(5_000))).toBe(0);
  expect([r.stored.length, r.sink.calls.at(-1)]).toEqual([700, 'flush']);
  expect(r.trail.status.waiting).toBe(0);
});

test('a flush waits for what was there, and not for what comes all the time', async () => {
  const r: TrailRig = new TrailRig({
    append: () => {
      r.add();
      return new Promise<void>((resolve) => {
        r.clock.setTimeout(resolve, 50);
      });
    },
  });
  r.add();
  expect(await r.timed(r.trail.flush(3_000))).toBeLessThan(500);
  r.sink.acts = {};
  await r.close();
});

test('a flush waits for what waits behind a sink that hangs, and no longer than it may', async () => {
  const r = new TrailRig({ append: () => FOR_EVER });
  r.add();
  const flushed = r.trail.flush(300);
  await expect(r.timed(flushed)).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED', sink: 'script' });
  expect(r.clock.now() - Date.UTC(2026, 0, 1)).toBe(300);
});
