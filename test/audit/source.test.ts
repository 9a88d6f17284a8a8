import { afterEach, describe, expect, test, vi } from 'vitest';

import type { Reading } from '../../src/audit/source.ts';
import { linesOf, readingsOf, type AuditLine } from '../../src/audit/source.ts';
import { verify } from '../../src/audit/verify.ts';
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
    expect((await batches(Array.from({ length: 300 }, () => 'x'))).map(({ length }) => length)).toEqual([
      ...Array.from({ length: 9 }, () => 32),
      12,
    ]);
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

  test('says what is not a line of what says nothing, or refuses to', async () => {
    const refusing = new Proxy(
      {},
      {
        get: () => {
          throw new TypeError('no');
        },
      },
    );
    const ofUnknown = { flaw: 'zzz', bytes: 9 };
    const ofSymbol = { flaw: 'torn', bytes: Symbol('many') };
    const odd = [ofUnknown, ofSymbol, refusing, { flaw: refusing }, { flaw: 'torn', bytes: 1 }] as AuditLine[];
    const problems = ['malformed', 'malformed', 'malformed', 'malformed', 'torn'];
    expect((await batches(odd)).flat().map(({ problem }) => problem)).toEqual(problems);
    expect(await verify([ofUnknown, refusing] as never)).toMatchObject({ verdict: 'broken' });
  });

  test('is let go of when nobody reads on, and rejects as it does', async () => {
    const seen: string[] = [];
    function* lines(): Generator<string> {
      try {
        for (;;) yield 'x';
      } finally {
        seen.push('let go');
      }
    }
    const readings = readingsOf(lines());
    await readings.next();
    await readings.return(undefined);
    expect(seen).toEqual(['let go']);
    // eslint-disable-next-line require-yield -- it fails before
    function* failing(): Generator<string> {
      throw new Error('mine');
    }
    await expect(readingsOf(failing()).next()).rejects.toThrow('mine');
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
