import { describe, expect, test } from 'vitest';

import type { ConfigurationError } from '../src/errors.ts';
import { check } from '../src/core/rules.ts';
import { connectRule, destroyRule, disconnectRule, patchRule, sendRule } from '../src/schema.ts';

function problemsOf(act: () => void): readonly string[] {
  try {
    act();
    return [];
  } catch (error) {
    return (error as ConfigurationError).problems;
  }
}

describe('a rule', () => {
  test('lets through what holds', () => {
    expect(() => {
      check(connectRule, {
        serviceType: 'a',
        terminalId: 't',
        params: { x: '' },
        timeoutMs: 0,
        signal: AbortSignal.abort(),
      });
      check(disconnectRule, { code: 1000, reason: '' });
      check(disconnectRule, { code: 4999 });
      check(destroyRule, { deadlineMs: 0 });
      check(patchRule, {});
    }).not.toThrow();
  });

  test('takes undefined for absent', () => {
    expect(() => check(connectRule, { serviceType: 'a', terminalId: undefined, signal: undefined })).not.toThrow();
  });

  test.each([
    [connectRule, {}, ['serviceType: is required']],
    [connectRule, { serviceType: 'a', key: '' }, ['key: must be a string that is not empty']],
    [
      connectRule,
      { serviceType: 'a', params: { x: 5, y: null } },
      ['params.x: must be a string', 'params.y: must be a string'],
    ],
    [disconnectRule, { code: 1001 }, ['code: must be 1000 or from 3000 to 4999']],
    [disconnectRule, null, ['options: must be an object']],
    [destroyRule, { deadlineMs: -1 }, ['deadlineMs: must be a whole number of milliseconds from 0 to 2147483647']],
    [patchRule, { services: { a: null } }, ['services.a: must be an object']],
    [patchRule, undefined, ['options: is required']],
    [
      patchRule,
      { services: { a: { wire: 'require', heartbeat: true, credentials: 'secret' } } },
      [
        'services.a.credentials: must be a function or an object',
        'services.a.heartbeat: must be false or an object',
        'services.a.wire: must be one of required, prefer, plain, or an object',
      ],
    ],
  ])('names the problem, and where it is: case %#', (rule, value, problems) => {
    expect(problemsOf(() => check(rule, value))).toEqual(problems);
  });

  test.each([
    { type: 'n'.repeat(256), headers: {}, volatile: true },
    {
      idempotencyKey: 'k',
      headers: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`${i}`, 'x'.repeat(4_096)])),
    },
  ])('lets through what may travel beside a message: case %#', (options) => {
    expect(problemsOf(() => check(sendRule, options))).toEqual([]);
  });

  test.each<[string, object]>([
    ['type', { type: '' }],
    ['type', { type: 'n'.repeat(257) }],
    ['idempotencyKey', { idempotencyKey: '' }],
    ['volatile', { volatile: 'yes' }],
    ['headers', { headers: { x: 1 } }],
    ['headers', { headers: { x: 'x'.repeat(4_097) } }],
    ['headers', { headers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`${i}`, ''])) }],
    ['headers', { headers: [] }],
  ])('keeps what may not travel beside a message out, by the name %s: case %#', (name, options) => {
    expect(problemsOf(() => check(sendRule, options)).map((problem) => problem.split(': ')[0])).toEqual([name]);
  });

  test('does not take an inherited name for one of its own', () => {
    expect(problemsOf(() => check(destroyRule, { toString: 1, constructor: 2 }))).toEqual([
      'toString: unknown option',
      'constructor: unknown option',
    ]);
  });
});
