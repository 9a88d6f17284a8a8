import { describe, expect, test } from 'vitest';

import { callbackSink } from '../../../src/audit/sinks/callback.ts';
import { auditSinkContract } from '../../contract/audit-sink.ts';

auditSinkContract('of a function', ['fail'], () => {
  const stored: string[] = [];
  let fails = false;
  const sink = callbackSink(async (lines) => {
    await Promise.resolve();
    if (fails) {
      fails = false;
      throw new Error('no');
    }
    stored.push(...lines);
  });
  return {
    sink,
    stored: () => stored,
    fail: () => {
      fails = true;
    },
    held: () => 0,
    stop: () => undefined,
  };
});

describe('the callback sink', () => {
  test('takes a function that returns nothing', async () => {
    const told: unknown[] = [];
    await callbackSink((lines) => told.push(lines)).append(['a', 'b']);
    expect(told).toEqual([['a', 'b']]);
  });

  test('lets a function do with its lines what it likes', async () => {
    const lines = ['a', 'b'];
    await callbackSink((given) => (given as string[]).splice(0)).append(lines);
    expect(lines).toEqual(['a', 'b']);
  });

  test('tells what the function threw', async () => {
    const cause = new Error('no');
    const sink = callbackSink(
      () => {
        throw cause;
      },
      { name: 'mine' },
    );
    await expect(sink.append(['a'])).rejects.toMatchObject({ name: 'AuditError', sink: 'mine', cause });
  });

  test('refuses what is no function, and options that it does not know', () => {
    expect(() => callbackSink(undefined as never)).toThrow('callback: is required');
    expect(() => callbackSink(() => 0, { other: 1 } as never)).toThrow('other: unknown option');
  });
});
