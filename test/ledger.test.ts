import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

interface Row {
  number: number;
  file: string;
  /** The titles of the describe and of the test, as their file writes them. */
  titles: string[];
}

const REQUIRED = {
  'Original faults': [
    1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
  ],
  Pains: [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
    62,
  ],
  Traps: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
};

const KINDS: Record<string, string> = { 'Original faults': 'original fault', Pains: 'pain', Traps: 'trap' };

const ledger = readFileSync(new URL('faults/LEDGER.md', import.meta.url), 'utf8');
const tests = readdirSync(new URL('.', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'));

describe('the ledger of known faults', () => {
  describe.each(Object.entries(REQUIRED))('%s', (heading, numbers) => {
    const rows = rowsUnder(heading);

    test('has a row for each that is answered, or several', () => {
      expect([...new Set(rows.map(({ number }) => number))]).toEqual(numbers);
    });

    test('has a row for each that a test names', () => {
      const named = tests.flatMap((source) => numbersIn(source, KINDS[heading] ?? heading));
      expect([...new Set(named)].toSorted((one, other) => one - other)).toEqual(numbers);
    });

    test.each(rows)('$number names a test that exists, and that names the number', ({ number, file, titles }) => {
      const source = readFileSync(new URL(file, import.meta.url), 'utf8').replaceAll("\\'", "'");
      for (const title of titles) expect(source).toContain(title);
      // a test that does not run proves nothing
      expect(source).not.toMatch(/\b(describe|test|it)\.(skip|todo|fails|only|runIf|skipIf)\b/);
      const kind = KINDS[heading] ?? heading;
      expect(titles.at(-1)).toMatch(new RegExp(`${kind}s? (\\d+,? (and )?)*${String(number)}\\b`));
    });
  });
});

function numbersIn(source: string, kind: string): number[] {
  return [...source.matchAll(new RegExp(`\\(${kind} (\\d+)\\)`, 'g'))].map(([, number]) => Number(number));
}

function rowsUnder(heading: string): Row[] {
  const [, after = ''] = ledger.split(`## ${heading}\n`);
  const [table = ''] = after.split('\n## ');
  return [...table.matchAll(/^\| (\d+) \| [^|]+ \| `([^`]+)`: (.+) \|$/gm)].map(
    ([, number, file = '', titles = '']) => ({
      number: Number(number),
      file,
      titles: titles.split(' › '),
    }),
  );
}
