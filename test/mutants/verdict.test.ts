import { describe, expect, test } from 'vitest';

import { verdictOn, type Report } from './verdict.ts';

type Failure = Report['testResults'][number]['assertionResults'][number];

const failed = (fullName: string, ...failureMessages: string[]): Failure => ({
  status: 'failed',
  fullName,
  failureMessages,
});
const reported = (message: string, ...assertionResults: Failure[]): Report => ({
  testResults: [{ name: '/copy/test/core/a.test.ts', message, assertionResults }],
});
const LATE = failed('a thing in time', 'Error: Test timed out in 5000ms.\n at …');
const WRONG = failed('a thing is right', 'AssertionError: expected 1 to be 2');

describe('a rule that is broken', () => {
  test('is seen by the first test whose assertion fails', () => {
    const passed = { status: 'passed', fullName: 'a thing is there', failureMessages: [] };
    expect(verdictOn(1, reported('', passed, WRONG))).toEqual({
      kind: 'failed',
      by: '`test/core/a.test.ts`: a thing is right',
    });
  });

  test('is seen by nothing where every test passes (original fault 49)', () => {
    expect(verdictOn(0, reported(''))).toEqual({ kind: 'passed' });
  });

  test('is not seen by a test that has no time: a busy machine does that to right code', () => {
    expect(verdictOn(1, reported('', LATE))).toEqual({
      kind: 'undecided',
      why: 'timed out: `test/core/a.test.ts`: a thing in time',
    });
    expect(verdictOn(1, reported('', LATE, WRONG))).toMatchObject({ kind: 'failed' });
    expect(verdictOn(null, null)).toMatchObject({ kind: 'undecided' });
  });

  test('is not seen where its tests could not begin (original fault 49)', () => {
    expect(verdictOn(1, reported('SyntaxError: what is this?\nat …'))).toEqual({
      kind: 'undecided',
      why: 'could not begin: SyntaxError: what is this?',
    });
    expect(verdictOn(1, { testResults: [] })).toEqual({ kind: 'undecided', why: 'could not begin: no test was found' });
    expect(verdictOn(1, null)).toMatchObject({ kind: 'undecided' });
  });
});
