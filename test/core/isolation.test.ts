import { describe, expect, test } from 'vitest';

import { isolated, quiet } from '../../src/core/isolation.ts';

describe('code of the application', () => {
  test('is called with its arguments', () => {
    const calls: unknown[][] = [];
    isolated(
      (...args: unknown[]) => calls.push(args),
      [1, 'two'],
      () => undefined,
    );
    expect(calls).toEqual([[1, 'two']]);
  });

  test.each<[what: string, act: () => unknown, cause: unknown]>([
    [
      'throws',
      () => {
        throw new Error('thrown');
      },
      new Error('thrown'),
    ],
    ['rejects', () => Promise.reject(new Error('rejected')), new Error('rejected')],
    [
      'gives something like a promise that fails',
      () => ({ then: (_ok: unknown, fail: (cause: unknown) => void) => fail('failed') }),
      'failed',
    ],
    [
      'gives something like a promise whose then throws',
      () => ({
        then: () => {
          throw new Error('then');
        },
      }),
      new Error('then'),
    ],
  ])('that %s is reported, and never throws', async (_what, act, cause) => {
    const reported: unknown[] = [];
    expect(() => isolated(act, [], (told) => reported.push(told))).not.toThrow();
    await Promise.resolve();
    expect(reported).toEqual([cause]);
  });

  test.each([undefined, null, 5, 'then', { then: 5 }, Promise.resolve()])(
    'that returns %o is fine',
    async (returned) => {
      const reported: unknown[] = [];
      isolated(
        () => returned,
        [],
        (told) => reported.push(told),
      );
      await Promise.resolve();
      expect(reported).toEqual([]);
    },
  );
});

test('a quiet promise is the same promise, and rejects for who awaits it', async () => {
  const promise = Promise.reject(new Error('seen'));
  expect(quiet(promise)).toBe(promise);
  await expect(promise).rejects.toThrow('seen');
});
