import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { Chronicle } from '../../src/audit/chronicle.ts';
import type { Problem } from '../../src/audit/findings.ts';
import { Chain, closed, opened, opening, segment, smallLog, step, type Bare } from '../support/audit-chain.ts';

function told(lines: readonly string[]): Chronicle {
  const chronicle = new Chronicle();
  for (const line of lines) {
    const entry = JSON.parse(line) as AuditEntry;
    chronicle.take(entry, entry.seq, null);
  }
  return chronicle;
}

const after = (...records: Bare[]) => told(new Chain().add(...opening(), ...records).lines);

describe('a log tells', () => {
  test('of its segments, its runs and its end', async () => {
    expect(told(await smallLog())).toMatchObject({ segments: 3, runs: 2, segment: 3, isClosed: true });
  });

  test('that it is closed by its last record, or the seal of that', () => {
    const seal = { kind: 'seal', segment: 1 } as const;
    expect(after(closed, seal).isClosed).toBe(true);
    expect(after(step(1), seal).isClosed).toBe(false);
    expect(after(closed, opened('b')).isClosed).toBe(false);
  });

  test('when its clock ran backwards, but not that another run has another', () => {
    expect(after({ ...step(1), mono: 5 }, { ...step(2), mono: 4 }).backwards).toEqual({ times: 1, seq: 3 });
    expect(after({ ...segment(2), mono: 5 }, { ...step(2), mono: 4 }).backwards.times).toBe(0);
    expect(told(new Chain().add(step(1), { ...opened('b'), mono: 1 }).lines).backwards.times).toBe(0);
  });

  test('nothing where its records are not what they should be', () => {
    const nothing = { at: 'x', mono: null };
    const chronicle = after(
      { kind: 'segment', segment: 'x', ...nothing },
      { kind: 'gap', lost: {}, ...nothing },
      { kind: 'retention', removed: 'x', ...nothing },
      { kind: 'retention', removed: [null, 5, {}], ...nothing },
      { kind: 'unknown' as never, ...nothing },
    );
    expect(chronicle).toMatchObject({ segment: null, lost: { gaps: 1, records: 0 }, isExplained: false });
    expect(chronicle.last?.at).toBeNull();
  });

  test('of a later segment without the one before', () => {
    expect(after(segment(7)).segment).toBe(7);
  });

  test('in which segment it goes on after a gap, once a segment or a seal says so', () => {
    const chronicle = told(new Chain().add(...opening(), step(1)).lines);
    const rest = new Chain({ seq: 8, hash: 'ab'.repeat(32) });
    const missing: Problem = { kind: 'removed', seq: 3, line: 4, segment: 1, why: 'They are missing.' };
    const take = (record: Bare, gap: Problem | null) => {
      const entry = JSON.parse(rest.add(record).lines.at(-1) ?? '') as AuditEntry;
      chronicle.take(entry, entry.seq, gap);
      return chronicle.segment;
    };
    expect(take(step(2), missing)).toBeNull();
    expect(take({ kind: 'seal', segment: 3 }, null)).toBe(3);
    expect(take(segment(4), null)).toBe(4);
    // the gap ended in segment 3, which is there in part
    expect(missing).toMatchObject({
      segments: { first: 2, last: 2 },
      why: 'They are missing: segment 2 is missing as a whole.',
    });
    take(segment(5), null);
    expect(missing.segments).toEqual({ first: 2, last: 2 });
  });

  test('what was removed before it by the number and the hash that it goes on from', () => {
    const before = { seq: 4, hash: 'ab'.repeat(32) };
    const explained = (removed: object) =>
      told(
        new Chain(before).add(segment(2), { kind: 'retention', removed: [{ segment: 1, ...before, ...removed }] })
          .lines,
      ).isExplained;
    expect(explained({})).toBe(true);
    for (const other of [{ seq: 3 }, { seq: 5 }, { hash: 'cd'.repeat(32) }]) expect(explained(other)).toBe(false);
  });
});
