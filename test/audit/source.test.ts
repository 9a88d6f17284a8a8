import { afterEach, describe, expect, test, vi } from 'vitest';

import type { Reading } from '../../src/audit/source.ts';
import { linesOf, readingsOf, type AuditLine } from '../../src/audit/source.ts';
import { smallLog } from '../support/audit-chain.ts';

async function batches(lines: readonly AuditLine[]): Promise<Reading[][]> {
  const read: Reading[][] = [];
  for await (const batch of readingsOf(lines)) read.push(batch);
  return read;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('the text of a log', () => {
  test('is split at line feeds alone, and a last line without one is marked', () => {
    expect(linesOf('')).toEqual([]);
    expect(linesOf('a\n')).toEqual(['a']);
    expect(linesOf('a\r\n\n')).toEqual(['a\r', '']);
    expect(linesOf('a\nbcd')).toEqual(['a', { flaw: 'torn', bytes: 3 }]);
  });
});

describe('a source', () => {
  test('is read in batches of so many lines, or of so many characters', async () => {
    expect((await batches(Array.from({ length: 300 }, () => 'x'))).map(({ length }) => length)).toEqual([128, 128, 44]);
    expect((await batches(Array.from({ length: 5 }, () => 'x'.repeat(2 ** 19)))).map(({ length }) => length)).toEqual([
      2, 2, 1,
    ]);
  });

  test('says what is not a line', async () => {
    const odd = [{ flaw: 'torn', bytes: 9 }, { flaw: 'encoding', bytes: 9 }, { flaw: 'length', bytes: 9 }, 5, null, {}];
    const [read] = await batches(odd as AuditLine[]);
    expect(read?.map(({ problem }) => problem)).toEqual([
      ...['torn', 'malformed', 'malformed', 'malformed', 'malformed', 'malformed'],
    ]);
  });

  test('has the same hashes where the platform digests elsewhere', async () => {
    const lines = await smallLog();
    const [expected] = await batches(lines);
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined });
    vi.resetModules();
    const elsewhere = await import('../../src/audit/source.ts');
    const digests = await import('../../src/audit/digest.ts');
    expect(digests.sha256('')).toBeInstanceOf(Promise);
    for await (const batch of elsewhere.readingsOf(lines)) expect(batch).toEqual(expected);
  });
});
