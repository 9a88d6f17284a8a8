import { describe, expect, test } from 'vitest';

import { validated } from '../../src/protocol/schema.ts';
import { lateSchema, sayings } from '../support/schemas.ts';

describe('holding a value to a schema', () => {
  test('gives what the schema makes of it', () => {
    expect(validated(sayings, { say: 'hi', more: 1 })).toEqual({ ok: true, value: { say: 'hi' } });
  });

  test('says what is wrong, and where', () => {
    expect(validated(sayings, { say: 1 })).toEqual({ ok: false, problem: 'say: no text' });
  });

  test('understands paths of keys, of indices and of segments, and none', () => {
    const issues = [
      { message: 'one', path: ['a', 0, { key: 'b' }] },
      { message: 'two', path: [] },
      { message: 'three' },
    ];
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: () => ({ issues }) } };
    expect(validated(schema, null)).toEqual({ ok: false, problem: 'a.0.b: one; two; three' });
  });

  test('names five problems at the most', () => {
    const issues = Array.from({ length: 9 }, (_, index) => ({ message: `${index}` }));
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: () => ({ issues }) } };
    expect(validated(schema, null)).toEqual({ ok: false, problem: '0; 1; 2; 3; 4' });
  });

  test('refuses a schema that answers later, whose failure nobody hears of then', async () => {
    const schema = lateSchema(Promise.reject(new Error('late')));
    expect(validated(schema, 'x')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('asynchronously') as string,
    });
    await new Promise(setImmediate);
  });
});
