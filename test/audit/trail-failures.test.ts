import { describe, expect, test } from 'vitest';

import { verify } from '../../src/audit/verify.ts';
import { AuditError } from '../../src/errors.ts';
import { smallLog } from '../support/audit-chain.ts';
import { FOR_EVER, signerAtOnce, TrailRig } from '../support/audit-trail.ts';
import { deferred } from '../support/service.ts';

const signer = signerAtOnce(new Uint8Array(32).fill(7));
const no = (): never => {
  throw new Error('no');
};
const never = () => FOR_EVER;

/** Fails so many times. */
function failing(times: number, fail: () => Promise<void> | void = no) {
  const at: number[] = [];
  return { at, act: (now: number) => (at.push(now) <= times ? fail() : undefined) };
}

describe('a sink that fails', () => {
  test.each([
    ['throws', no],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('and %s is given the same again, and nothing is lost', async (_, fail) => {
    const failed = failing(4, fail);
    const r = new TrailRig();
    r.sink.acts = { append: () => failed.act(r.clock.now()) };
    r.add(2);
    await r.pass(150);
    expect(r.trail.status).toMatchObject({
      state: 'failing',
      waiting: 4,
      stored: 0,
      seq: -1,
      lastError: { code: 'AUDIT_SINK_FAILED' },
    });
    r.add(2);
    await r.pass(10_000);
    expect(r.stored).toEqual(['0', '1', '2', '3']);
    expect(failed.at.slice(1, 5).map((at, index) => at - (failed.at[index] ?? 0))).toEqual([250, 500, 1_000, 2_000]);
    expect([r.errors.length, r.trail.status.state]).toEqual([1, 'writing']);
    await r.close();
    expect(await verify(r.sink.lines)).toMatchObject({ verdict: 'intact' });
    expect(r.clock.pending()).toBe(0);
  });

  test('is given at most 30 seconds, and 250 ms again once it has succeeded', async () => {
    const failed = failing(9);
    const r = new TrailRig();
    r.sink.acts = { append: () => failed.act(r.clock.now()) };
    r.add();
    await r.pass(200_000);
    const waits = failed.at.slice(1).map((at, index) => at - (failed.at[index] ?? 0));
    expect(waits.slice(0, 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    const again = failing(1);
    r.sink.acts = { append: () => again.act(r.clock.now()) };
    r.add();
    await r.pass(1_000);
    expect((again.at[1] ?? 0) - (again.at[0] ?? 0)).toBe(250);
    expect(r.errors).toHaveLength(2);
  });

  test('and says how long to wait is left alone for so long', async () => {
    const busy = new AuditError('AUDIT_SINK_FAILED', { sink: 'script', retryAfterMs: 5_000 });
    const failed = failing(1, () => Promise.reject(busy));
    const r = new TrailRig();
    r.sink.acts = { append: () => failed.act(r.clock.now()) };
    r.add();
    await r.pass(6_000);
    expect((failed.at[1] ?? 0) - (failed.at[0] ?? 0)).toBe(5_000);
    expect(r.errors).toEqual([busy]);
  });

  test('to open is asked again, and begins once', async () => {
    let refusals = 3;
    const open = () => (refusals-- > 0 ? no() : null);
    const r = new TrailRig({ open });
    r.add(2);
    await r.pass(110);
    expect(r.trail.status).toMatchObject({ state: 'failing', waiting: 2 });
    await r.pass(10_000);
    expect(r.sink.kinds).toEqual(['opened', 'segment', 'attached', 'attached']);
    expect([r.sink.calls.filter((call) => call === 'open').length, r.errors.length]).toEqual([4, 1]);
  });

  test('to make safe what it has says so, and can be asked again', async () => {
    const failed = failing(1);
    const r = new TrailRig();
    r.sink.acts = { flush: () => failed.act(0) };
    r.add();
    await expect(r.timed(r.trail.flush(1_000))).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED' });
    expect(r.trail.status.state).toBe('failing');
    await r.timed(r.trail.flush(1_000));
    expect(r.trail.status.state).toBe('writing');
    await r.close();
    expect([r.sink.kinds.at(-1), r.errors.length, r.clock.pending()]).toEqual(['closed', 1, 0]);
  });

  test('to say whether it is full is asked again', async () => {
    let refusals = 2;
    const r = new TrailRig({ isFull: () => (refusals-- > 0 ? no() : false) });
    r.add();
    await r.pass(2_000);
    expect([r.stored, r.trail.status.state]).toEqual([['0'], 'writing']);
  });
});

describe('a sink that lies', () => {
  test.each([
    ['a number', 5],
    ['a text', 'x'],
    ['a tail without a line', { segment: 1 }],
    ['a line that is none', { line: '{}', segment: 1 }],
  ])('about what it has stored, by %s, is asked again', async (_, tail) => {
    const r = new TrailRig({ open: () => tail as never });
    r.add();
    await r.pass(1_000);
    expect(r.trail.status).toMatchObject({ state: 'failing', waiting: 1, stored: 0 });
    r.sink.acts = {};
    await r.pass(1_000);
    expect(r.sink.kinds).toEqual(['opened', 'segment', 'attached']);
    await r.close();
    expect(await verify(r.sink.lines)).toMatchObject({ verdict: 'intact' });
  });

  test.each([0, -1, 1.5, NaN, '2'])('about its segment, as %s, is asked again', async (segment) => {
    const line = (await smallLog()).at(-1) ?? '';
    const r = new TrailRig({ open: () => ({ line, segment }) as never });
    r.add();
    await r.pass(1_000);
    expect(r.trail.status).toMatchObject({ state: 'failing', stored: 0 });
  });

  test.each([undefined, null, 5, 'all', {}, { length: 2 }, [5], [{ segment: 1 }]])(
    'about what it has removed, as %o, is not believed',
    async (removed) => {
      let isFull = true;
      const r = new TrailRig({ isFull: () => isFull, rotate: () => ((isFull = false), removed as never) });
      r.add();
      await r.pass(1_000);
      await r.close();
      expect(r.sink.kinds).toEqual(['opened', 'segment', 'attached', 'segment', 'closed']);
    },
  );

  test('about being full for ever ends a segment after each batch, and no sooner', async () => {
    const r = new TrailRig({ isFull: () => true });
    r.add(2);
    await r.pass(1_000);
    expect(r.sink.kinds).toEqual(['opened', 'segment', 'attached', 'attached', 'segment']);
    await r.close();
    expect(await verify(r.sink.lines)).toMatchObject({ verdict: 'intact', segments: 2 });
  });
});

describe('the end', () => {
  const full = { isFull: () => true };
  test.each([
    ['to open', { open: never }],
    ['to append', { append: never }],
    ['to rotate', { ...full, rotate: never }],
    ['to flush', { flush: never }],
    ['to close', { close: never }],
    ['everything', { open: never, append: never, rotate: never, flush: never, close: never }],
  ])('comes within the deadline where %s hangs', async (_, acts) => {
    const r = new TrailRig(acts, { signer });
    r.add(2);
    await r.pass(110);
    expect(await r.close(700)).toBe(700);
    expect(r.trail.status.state).toBe('closed');
    expect([r.sink.calls.at(-1), r.clock.pending()]).toEqual(['close', 0]);
    const { calls } = r.sink;
    const before = [...calls];
    r.add(100);
    await r.pass(100_000);
    expect([calls, r.clock.pending()]).toEqual([before, 0]);
  });

  test.each([
    ['to open', { open: no }],
    ['to append', { append: no }],
    ['to rotate', { ...full, rotate: no }],
    ['to flush', { flush: no }],
    ['to close', { close: no }],
    ['to append later', { append: () => Promise.reject(new Error('no')) }],
    ['to close later', { close: () => Promise.reject(new Error('no')) }],
  ])('comes within the deadline where it fails %s, which is reported', async (_, acts) => {
    const r = new TrailRig(acts, { signer });
    r.add(2);
    await r.pass(110);
    expect(await r.close(700)).toBeLessThanOrEqual(700);
    expect(r.trail.status).toMatchObject({ state: 'closed', lastError: { code: 'AUDIT_SINK_FAILED' } });
    expect([r.errors.length > 0, r.sink.calls.at(-1), r.clock.pending()]).toEqual([true, 'close', 0]);
  });

  test.each(['open', 'append', 'rotate', 'flush'] as const)(
    'stays one where %s resolves afterwards: nothing more is asked of the sink',
    async (call) => {
      const late = deferred<never>();
      const r = new TrailRig({ isFull: () => true, [call]: () => late.promise });
      r.add(600);
      await r.pass(110);
      await r.close(500);
      const before = { calls: [...r.sink.calls], status: r.trail.status };
      late.resolve(null as never);
      await r.pass(100_000);
      expect({ calls: r.sink.calls, status: r.trail.status }).toEqual(before);
      expect(r.clock.pending()).toBe(0);
    },
  );

  test('stays one for a flush that comes afterwards', async () => {
    const r = new TrailRig();
    r.add();
    await r.close();
    await r.trail.flush(1_000);
    await r.close();
    expect(r.sink.calls.at(-1)).toBe('close');
    const lossy = new TrailRig({ append: no });
    lossy.add();
    await lossy.close();
    await expect(lossy.trail.flush(1_000)).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED' });
  });

  test('comes once, for all who ask for it', async () => {
    const r = new TrailRig();
    r.add();
    const both = Promise.all([r.trail.close(1_000), r.trail.flush(1_000), r.trail.close(1_000)]);
    await r.timed(both);
    expect(r.sink.kinds).toEqual(['opened', 'segment', 'attached', 'closed']);
    expect(r.sink.calls.filter((call) => call === 'close')).toHaveLength(1);
  });

  test('is not what it takes to be told of: who does not answer for ten seconds fails, until it does', async () => {
    const hung = deferred<undefined>();
    const r = new TrailRig({ append: () => hung.promise });
    r.add();
    await r.pass(9_000);
    expect([r.errors.length, r.trail.status.state]).toEqual([0, 'opening']);
    await r.pass(2_000);
    expect([r.errors.length, r.trail.status.state]).toEqual([1, 'failing']);
    expect(r.errors[0]).toMatchObject({ cause: { message: 'It has not answered for 10 seconds.' } });
    r.sink.acts = {};
    hung.resolve(undefined);
    await r.pass(1_000);
    expect(r.trail.status.state).toBe('writing');
    await r.close();
    expect(r.clock.pending()).toBe(0);
  });

  test('tries again as long as there is time, and closes the chain once it can', async () => {
    const failed = failing(3);
    const r = new TrailRig();
    r.sink.acts = { append: () => failed.act(r.clock.now()) };
    r.add();
    expect(await r.close(5_000)).toBe(750);
    expect(await verify(r.sink.lines)).toMatchObject({ verdict: 'intact' });
    expect(r.clock.pending()).toBe(0);
  });

  test('says how many records were not stored, and that is how many wait', async () => {
    const r = new TrailRig({ append: no });
    r.add(3);
    await r.close(700);
    expect(r.trail.status).toMatchObject({ waiting: 5, stored: 0, seq: -1 });
    expect(r.errors.at(-1)).toMatchObject({ cause: { message: '5 records could not be stored before the end.' } });
  });
});
