import { describe, expect, test } from 'vitest';

import { Checkpoints } from '../../src/audit/checkpoints.ts';
import { verify } from '../../src/audit/verify.ts';
import { ScriptedSink } from '../support/audit-trail.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

function checkpoints(options: { everyRecords?: number; everyMs?: number } = {}, count = 1) {
  const clock = new SimulatedClock();
  const sinks = Array.from({ length: count }, (_, n) => new ScriptedSink({}, `there-${n}`));
  const said = new Checkpoints(count > 0 ? { sinks, ...options } : undefined, {
    ...{ clock, signer: undefined, report: () => undefined, most: { records: 100, bytes: 100_000 } },
    now: () => ({ at: clock.now(), mono: clock.now() }),
    opened: () => Promise.resolve({ run: 'run', machines: {}, level: 'transitions' }),
    run: 'run',
  });
  const of = (sink = sinks[0]) =>
    sink?.records.flatMap((record) =>
      record.kind === 'checkpoint' ? [`${record.of} ${record.seq} ${record.hash}`] : [],
    );
  const pass = async (ms = 0): Promise<void> => {
    for (const part of [ms, 0, 0, 0]) await clock.advanceAsync(part);
  };
  const close = async (): Promise<void> => {
    const closed = said.close(1_000);
    await pass();
    await closed;
  };
  return { clock, sinks, said, of, pass, close };
}

describe('how far a chain is', () => {
  test('is said after so many records', async () => {
    const { said, of, pass, close } = checkpoints({ everyRecords: 10 });
    for (const seq of [3, 8, 9, 12, 18, 19, 45]) said.note('file', { seq, hash: `h${seq}` });
    await pass(1_000);
    expect(of()).toEqual(['file 9 h9', 'file 19 h19', 'file 45 h45']);
    await close();
  });

  test('is said no later than so long after a record, once', async () => {
    const { said, of, pass, clock, close } = checkpoints({ everyMs: 5_000 });
    said.note('file', { seq: 1, hash: 'a' });
    await pass(3_000);
    said.note('file', { seq: 2, hash: 'b' });
    said.note('memory', { seq: 7, hash: 'c' });
    await pass(1_999);
    expect(of()).toEqual([]);
    await pass(1_000);
    expect(of()).toEqual(['file 2 b', 'memory 7 c']);
    expect(clock.pending()).toBe(0);
    await pass(100_000);
    said.note('file', { seq: 3, hash: 'd' });
    await pass(5_200);
    expect(of()).toEqual(['file 2 b', 'memory 7 c', 'file 3 d']);
    await close();
  });

  test('is said after a minute or a thousand records, where nobody says otherwise', async () => {
    const { said, of, pass, close } = checkpoints();
    said.note('file', { seq: 998, hash: 'a' });
    await pass(59_000);
    expect(of()).toEqual([]);
    said.note('file', { seq: 999, hash: 'b' });
    await pass(900);
    expect(of()).toEqual(['file 999 b']);
    said.note('file', { seq: 1_000, hash: 'c' });
    await pass(60_200);
    expect(of()).toEqual(['file 999 b', 'file 1000 c']);
    await close();
  });

  test('is said once more at the end, everywhere, and verifies', async () => {
    const { said, sinks, of, close, clock } = checkpoints({}, 2);
    said.note('file', { seq: 1, hash: 'ab'.repeat(32) });
    await close();
    for (const sink of sinks) {
      expect(of(sink)).toEqual([`file 1 ${'ab'.repeat(32)}`]);
      expect(await verify(sink.lines)).toMatchObject({ verdict: 'intact' });
    }
    expect(said.status.map(({ sink, state }) => `${sink} ${state}`)).toEqual(['there-0 closed', 'there-1 closed']);
    expect(clock.pending()).toBe(0);
  });

  test('is not said anew at the end where it was said already', async () => {
    const { said, of, close } = checkpoints({ everyRecords: 1 });
    said.note('file', { seq: 0, hash: 'a' });
    await close();
    expect(of()).toEqual(['file 0 a']);
  });

  test('is said with the run that it is of', async () => {
    const { said, sinks, close } = checkpoints();
    said.note('file', { seq: 1, hash: 'a' });
    await close();
    expect(sinks[0]?.records.find(({ kind }) => kind === 'checkpoint')).toMatchObject({ of: 'file', run: 'run' });
  });

  test('is said nowhere where nobody wants it', async () => {
    const { said, clock, close } = checkpoints({}, 0);
    said.note('file', { seq: 5_000, hash: 'a' });
    expect([clock.pending(), said.status]).toEqual([0, []]);
    await close();
  });
});
