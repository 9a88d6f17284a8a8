import { describe, expect, test } from 'vitest';

import { verdictOn, type Outcome } from './verdict.ts';

const outcome = (given: Partial<Outcome>): Outcome => ({
  file: 'test/core/a.test.ts',
  passed: 0,
  failed: [],
  errors: [],
  ...given,
});
const LATE = { title: 'a thing in time', messages: ['Test timed out in 5000ms.\nIf this is a long-running test …'] };
const WRONG = { title: 'a thing is right', messages: ['expected 1 to be 2'] };

describe('a rule that is broken', () => {
  test('is seen by the first test whose assertion fails', () => {
    const right = outcome({ file: 'test/core/b.test.ts', passed: 1 });
    expect(verdictOn([right, outcome({ passed: 1, failed: [WRONG] })])).toEqual({
      kind: 'failed',
      by: '`test/core/a.test.ts`: a thing is right',
    });
  });

  test('is seen by nothing where every test passes (original fault 49)', () => {
    expect(verdictOn([outcome({ passed: 1 }), outcome({})])).toEqual({ kind: 'passed' });
  });

  test('is not seen by a test that has no time: a busy machine does that to right code', () => {
    expect(verdictOn([outcome({ passed: 1, failed: [LATE] })])).toEqual({
      kind: 'undecided',
      why: 'timed out: `test/core/a.test.ts`: a thing in time',
    });
    expect(verdictOn([outcome({ failed: [LATE] }), outcome({ failed: [WRONG] })])).toMatchObject({ kind: 'failed' });
  });

  test('is not seen where its tests could not begin (original fault 49)', () => {
    expect(verdictOn([outcome({ errors: ['SyntaxError: what is this?\nat …'] })])).toEqual({
      kind: 'undecided',
      why: 'could not begin: SyntaxError: what is this?',
    });
    expect(verdictOn([outcome({})])).toEqual({ kind: 'undecided', why: 'no test ran' });
    expect(verdictOn([])).toEqual({ kind: 'undecided', why: 'no test ran' });
  });
});
