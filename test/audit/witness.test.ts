import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { createSigner, createVerifier } from '../../src/audit/signature.ts';
import { verify } from '../../src/audit/verify.ts';
import {
  Chain,
  closed,
  forged,
  opened,
  opening,
  segment,
  smallLog,
  step,
  steps,
  type Bare,
} from '../support/audit-chain.ts';

const lines = await smallLog();
const entries = lines.map((line) => JSON.parse(line) as AuditEntry);
const at = (seq: number, of = 'file'): Bare => ({
  kind: 'checkpoint',
  of,
  seq,
  hash: entries[seq]?.hash ?? 'x'.repeat(64),
});
const logOf = (...records: Bare[]) => new Chain().add(...opening('c'), ...records, closed).lines;
const killed = expect.stringMatching(/^Run 1 has no end: its last record is 1[02] of /) as string;

describe('checkpoints of several runs', () => {
  const chainOf = (run: string, count = 6) => new Chain().add(...opening(run), ...steps(count), closed).lines;
  const said = (run: string, ...seqs: number[]): Bare[] =>
    seqs.map((seq) => {
      const { hash } = JSON.parse(chainOf(run)[seq] ?? '') as AuditEntry;
      return { kind: 'checkpoint', of: 'memory', run, seq, hash };
    });

  test('of which each began its chain anew agree with the chain of theirs', async () => {
    const checkpoints = logOf(...said('a', 4, 8), ...said('b', 3, 6, 8));
    const { verdict, notes, ...rest } = await verify(chainOf('b'), { checkpoints });
    expect([verdict, rest.checkpoints]).toMatchObject(['intact', { agreed: 3, passed: 0, earlier: 2 }]);
    expect(notes).toEqual(['Checkpoints of earlier runs, which wrote another chain, were passed over: 2.']);
  });

  test('are not passed over once one of this log has come', async () => {
    const checkpoints = logOf(...said('a', 4), { ...said('b', 4)[0], seq: 11 } as Bare);
    expect(await verify(chainOf('a'), { checkpoints })).toMatchObject({
      verdict: 'broken',
      checkpoints: { earlier: 0 },
    });
  });

  test('are heeded where only a later run of this log has them', async () => {
    const { lines: whole } = new Chain().add(...opening('b'), ...steps(300), opened('c'), ...steps(8), closed);
    const hash = (JSON.parse(whole[306] ?? '') as AuditEntry).hash;
    const late = { ...said('a', 3)[0], run: 'c', seq: 306, hash } as Bare;
    const checkpoints = logOf(...said('a', 4, 8), late);
    expect(await verify(whole, { checkpoints })).toMatchObject({
      ...{ verdict: 'intact', checkpoints: { agreed: 1, earlier: 2 } },
    });
    const other = logOf(...said('a', 4, 8), { ...late, hash: 'ab'.repeat(32) });
    expect(await verify(whole, { checkpoints: other })).toMatchObject({
      ...{ verdict: 'broken', problems: [{ kind: 'checkpoint', seq: 306 }] },
    });
  });

  test('hold a log that does not begin with its own beginning to all of them', async () => {
    const checkpoints = logOf(...said('a', 4, 8), ...said('b', 4));
    expect((await verify(chainOf('b').slice(1), { checkpoints })).counts.checkpoint).toBeGreaterThan(0);
  });

  test('are remembered in bounds, and the last of them are held against the log', async () => {
    const { lines: whole } = new Chain().add(...opening('b'), ...steps(5), opened('c'), ...steps(2_000), closed);
    const own = whole.slice(7).map((line) => {
      const { seq, hash } = JSON.parse(line) as AuditEntry;
      return { kind: 'checkpoint', of: 'memory', run: 'c', seq, hash } as const;
    });
    const { verdict, checkpoints } = await verify(whole, { checkpoints: logOf(...own) });
    expect([verdict, checkpoints?.agreed, checkpoints?.earlier]).toEqual(['intact', 1_024, own.length - 1_024]);
  });
});

describe('checkpoints', () => {
  test('agree with the log that they were taken of', async () => {
    const checkpoints = logOf(at(0), at(7), at(7), at(16));
    expect(await verify(lines, { checkpoints })).toMatchObject({
      verdict: 'intact',
      checkpoints: { of: 'file', agreed: 4, passed: 0, verdict: 'intact' },
    });
  });

  test('contradict a log that was written anew, from there on', async () => {
    const fake = forged(lines, 6, (record) => ({ ...record, actor: 'somebody else' }) as never);
    expect((await verify(fake)).verdict).toBe('intact');
    const { verdict, problems, checkpoints } = await verify(fake, { checkpoints: logOf(at(5), at(9), at(16)) });
    expect([verdict, checkpoints?.agreed]).toEqual(['broken', 1]);
    expect(problems).toMatchObject([
      { kind: 'checkpoint', seq: 9, line: 10, segment: 2 },
      { kind: 'checkpoint', seq: 16, line: 17 },
    ]);
    expect(problems[0]?.why).toMatch(/^A checkpoint says that its hash was .{13}, and it is .{13}: up to here the log/);
  });

  test('tell that the end was cut off, at a line or at a segment', async () => {
    for (const length of [10, 16]) {
      const { verdict, problems } = await verify(lines.slice(0, length), { checkpoints: logOf(at(4), at(16)) });
      expect(verdict).toBe('broken');
      expect(problems.find(({ kind }) => kind === 'checkpoint')).toMatchObject({
        ...{ seq: 16, line: length + 1 },
        why: `A checkpoint says that the log was as far as record 16, and the log ends with record ${length - 1}.`,
      });
    }
    expect((await verify([], { checkpoints: logOf(at(4)) })).verdict).toBe('broken');
  });

  test('of another log are passed over, and a note says so', async () => {
    const checkpoints = logOf(at(3), at(900, 'http'), at(9));
    const mixed = await verify(lines, { checkpoints });
    expect(mixed).toMatchObject({ verdict: 'intact', checkpoints: { of: 'file', agreed: 2 } });
    expect(mixed.notes).toEqual([killed, 'There are checkpoints of other logs as well, which were passed over.']);
    expect(await verify(lines, { checkpoints, of: 'http' })).toMatchObject({ verdict: 'broken' });
  });

  test('of records that were removed are counted', async () => {
    const kept = lines.slice(5);
    const { checkpoints, problems } = await verify(kept, { checkpoints: logOf(at(3), at(9)) });
    expect(checkpoints).toMatchObject({ agreed: 1, passed: 1 });
    expect(problems.map(({ kind }) => kind)).toEqual(['beginning']);
  });

  test('are worth nothing where their own log is broken', async () => {
    const own = logOf(at(3), at(9));
    const { verdict, problems } = await verify(lines, { checkpoints: own.toSpliced(2, 1) });
    expect([verdict, problems[0]?.why]).toEqual(['broken', 'The log of the checkpoints is broken itself.']);
    expect(await verify(lines, { checkpoints: own.slice(0, -1) })).toMatchObject({
      verdict: 'intact',
      checkpoints: { verdict: 'open' },
    });
  });

  test('of which none agrees are a problem', async () => {
    const why = 'No checkpoint agrees with this log: none speaks of it, or only of what is not in it.';
    const foreign = logOf({ ...at(3), run: 'z' }, { ...at(9), run: 'z' });
    for (const verification of [
      await verify(lines, { checkpoints: [] }),
      await verify(lines, { checkpoints: logOf() }),
      await verify(lines, { checkpoints: logOf(at(3), at(9)), of: 'zzz' }),
      await verify(lines, { checkpoints: foreign }),
      await verify(lines.slice(5), { checkpoints: logOf(at(2)) }),
    ]) {
      const { verdict, problems } = verification;
      expect(verdict).toBe('broken');
      expect(problems.filter(({ kind }) => kind === 'checkpoint')).toMatchObject([{ why }]);
    }
  });

  test('of which one says otherwise are that problem alone', async () => {
    const { counts } = await verify(lines, { checkpoints: logOf({ ...at(3), hash: 'ab'.repeat(32) }) });
    expect(counts).toEqual({ checkpoint: 1 });
  });

  test('whose own log has no end are told of with a note', async () => {
    const { verdict, notes } = await verify(lines, { checkpoints: logOf(at(3)).slice(0, -1) });
    const note = 'The log of the checkpoints has no end: it is still written, or its end was cut off.';
    expect([verdict, notes]).toEqual(['intact', [killed, note]]);
  });

  test('are held to the seals of their own log where it has any', async () => {
    const [key, other] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)];
    const signer = createSigner({ key, name: 'spring' });
    const signed = await smallLog(signer);
    const { hash } = JSON.parse(signed[9] ?? '') as AuditEntry;
    const own = new Chain().add(...opening('c'), { ...at(9), hash }, closed);
    const verified = async (checkpoints: readonly string[]) => {
      const { verdict, notes } = await verify(signed, { checkpoints, key: createVerifier({ key }) });
      return [verdict, ...notes];
    };
    expect(await verified(own.lines)).toEqual([
      'intact',
      killed,
      'Nothing of the log of the checkpoints is known to be signed.',
    ]);
    expect(await verified((await own.seal(signer, 1)).lines)).toEqual(['intact', killed]);
    const thief = createSigner({ key: other, name: 'spring' });
    const wrong = await new Chain().add(...opening('c'), { ...at(9), hash }, closed).seal(thief, 1);
    expect((await verified(wrong.lines))[0]).toBe('broken');
    const partly = await new Chain().add(...opening('c'), { ...at(9), hash }).seal(signer, 1);
    expect((await verified(partly.add(segment(2), step(1), closed).lines))[0]).toBe('broken');
  });

  test('that are none are passed over', async () => {
    const odd = logOf({ ...at(3), seq: 'x' }, { ...at(3), hash: 5 }, { ...at(3), of: null }, at(3));
    expect(await verify(lines, { checkpoints: odd })).toMatchObject({ verdict: 'intact', checkpoints: { agreed: 1 } });
  });
});
