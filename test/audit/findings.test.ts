import { describe, expect, test } from 'vitest';

import { Findings, MAX_PROBLEMS, type ProblemKind } from '../../src/audit/findings.ts';

const problem = (kind: ProblemKind, line = 1) => ({ kind, line, seq: 0, segment: null, why: '' });

describe('the findings', () => {
  test.each([
    [[], 'intact'],
    [['not-closed'], 'open'],
    [['torn'], 'open'],
    [['torn', 'edited'], 'broken'],
    [['future'], 'broken'],
    [['unsigned'], 'broken'],
  ] as const)('%j make a log %s', (kinds, verdict) => {
    const findings = new Findings();
    for (const kind of kinds) findings.add(problem(kind));
    expect(findings.verdict).toBe(verdict);
  });

  test('come by line, the first hundred of them, and all are counted', () => {
    const findings = new Findings();
    for (let line = 150; line > 0; line--) findings.add(problem('edited', line));
    expect(findings.problems).toHaveLength(MAX_PROBLEMS);
    expect(findings.problems[0]?.line).toBe(51);
    expect(findings.counts).toEqual({ edited: 150 });
  });

  test('may turn out to be others, or none', () => {
    const findings = new Findings();
    const one = findings.add(problem('removed'));
    findings.turn(one, 'reordered', 'It is there.');
    expect([findings.counts, findings.problems]).toMatchObject([{ reordered: 1 }, [{ why: 'It is there.' }]]);
    findings.drop(one);
    expect([findings.counts, findings.problems, findings.verdict]).toEqual([{}, [], 'intact']);
  });
});
