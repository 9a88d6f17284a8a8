import { describe, expect, test } from 'vitest';

import { Findings } from '../../src/audit/findings.ts';
import { Gaps } from '../../src/audit/gaps.ts';

function gap(first: number, last: number) {
  const findings = new Findings();
  const gaps = new Gaps(findings);
  const problem = findings.add({ kind: 'removed', seq: first, line: 10, segment: 1, why: '' });
  gaps.note({ first, last, hash: 'last', problem });
  const fill = (seq: number, { hash = seq === last ? 'last' : 'any', line = 20 } = {}) =>
    gaps.fill({ seq, hash }, line);
  return { findings, gaps, problem, fill };
}

describe('a gap', () => {
  test('is none once all that was missing has come, in any order', () => {
    const { problem, findings, fill } = gap(3, 6);
    expect([4, 6, 3].map((seq) => fill(seq))).toEqual([true, true, true]);
    expect(problem.kind).toBe('removed');
    expect(fill(5, { line: 21 })).toBe(true);
    expect(problem).toMatchObject({
      kind: 'reordered',
      why: 'Records 3 to 6 are not in place: found in later lines, up to 21.',
    });
    expect(findings.counts).toEqual({ reordered: 1 });
  });

  test('takes each record once, and none that was not missing', () => {
    const { fill } = gap(3, 6);
    expect([2, 7, 4, 4].map((seq) => fill(seq))).toEqual([false, false, true, false]);
  });

  test('does not take a last record to which the next one is not linked', () => {
    expect(gap(3, 6).fill(6, { hash: 'another' })).toBe(false);
  });

  test('is not waited for without end', () => {
    expect(gap(3, 6).fill(4, { line: 10 + 65_536 })).toBe(true);
    expect(gap(3, 6).fill(4, { line: 10 + 65_537 })).toBe(false);
  });

  test('in too many parts stays a gap', () => {
    const { problem, fill } = gap(0, 2_000);
    for (let seq = 1; seq < 2_000; seq += 2) expect(fill(seq)).toBe(true);
    for (let seq = 0; seq <= 2_000; seq += 2) fill(seq);
    expect(problem.kind).toBe('removed');
  });

  test('is followed up while no more than 64 are open: of more, the oldest stay gaps', () => {
    const { gaps, findings, fill } = gap(3, 6);
    const note = (first: number) => {
      const problem = findings.add({ kind: 'removed', seq: first, line: 10, segment: 1, why: '' });
      gaps.note({ first, last: first + 2, hash: 'last', problem });
    };
    for (let n = 1; n < 64; n++) note(n * 10);
    expect(fill(3)).toBe(true);
    note(1_000);
    expect([fill(4), fill(10)]).toEqual([false, true]);
  });

  test('is forgotten when it is explained', () => {
    const { gaps, problem, fill } = gap(3, 6);
    gaps.forget(problem);
    expect(fill(4)).toBe(false);
  });
});
