import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { Chronicle } from '../../src/audit/chronicle.ts';
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
});
