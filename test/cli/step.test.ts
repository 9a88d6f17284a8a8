import { describe, expect, test } from 'vitest';

import { counted, durationText, verdictOf, type Verdict } from '../../src/cli/step.ts';

describe('the verdict of an examination', () => {
  test.each<[Verdict[], Verdict]>([
    [[], 'passed'],
    [['passed', 'skipped'], 'passed'],
    [['passed', 'warning', 'skipped'], 'warning'],
    [['failed', 'warning', 'passed'], 'failed'],
  ])('is the worst of %j', (verdicts, verdict) => {
    expect(verdictOf(verdicts.map((each) => ({ verdict: each, detail: '' })))).toBe(verdict);
  });
});

describe('a duration', () => {
  test.each([
    [0, '0.0 ms'],
    [0.44, '0.4 ms'],
    [9.94, '9.9 ms'],
    [9.96, '10 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [12_345, '12.35 s'],
    [99_996, '100 s'],
    [3_600_400, '3600 s'],
  ])('of %d ms reads %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe('a count', () => {
  test('has its noun in the right number', () => {
    expect([counted(0, 'day'), counted(1, 'day'), counted(2, 'day')]).toEqual(['0 days', '1 day', '2 days']);
  });
});
