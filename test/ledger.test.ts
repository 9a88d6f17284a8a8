import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';

import {
  LEDGER_HEADINGS,
  LEDGER_KINDS,
  linesUnder,
  rowOf,
  rowsUnder,
  unprovenBy,
  type LedgerHeading,
  type TestReport,
} from './support/ledger.ts';

const sources = new Map(
  readdirSync(new URL('.', import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name, readFileSync(new URL(name, import.meta.url), 'utf8')]),
);

/** The numbers of a kind, from 1. */
function numbersOf(heading: LedgerHeading): number[] {
  return Array.from({ length: LEDGER_KINDS[heading].count }, (_, index) => index + 1);
}

/** Whether vitest runs a file, or one that takes its tests from it. */
function isRun(file: string): boolean {
  if (file.endsWith('.test.ts')) return sources.has(file);
  const isTaken = [...sources].some(([name, source]) => name.endsWith('.test.ts') && source.includes(basename(file)));
  return sources.has(file) && isTaken;
}

describe('the ledger of known faults', () => {
  describe.each(LEDGER_HEADINGS)('%s', (heading) => {
    const { name } = LEDGER_KINDS[heading];
    const rows = rowsUnder(heading);
    const named = rows.flatMap(({ number, file, titles }) => (file === null ? [] : [{ number, file, titles }]));

    test('has a row for each number, or several, in order', () => {
      expect([...new Set(rows.map(({ number }) => number))]).toEqual(numbersOf(heading));
      expect(rows.map(({ number }) => number)).toEqual(rows.map(({ number }) => number).toSorted((a, b) => a - b));
    });

    test('has either tests for a number or one reason why there are none', () => {
      for (const number of numbersOf(heading)) {
        const reasons = rows.filter((row) => row.number === number).map(({ why }) => why);
        expect(reasons.every((why) => why === null) || reasons.length === 1).toBe(true);
      }
    });

    test('says nothing twice', () => {
      expect(new Set(linesUnder(heading)).size).toBe(rows.length);
    });

    test('has a row for each number that a test names', () => {
      const told = [...sources.values()].flatMap((source) => numbersIn(source, name));
      const proven = new Set(named.map(({ number }) => number));
      expect([...new Set(told)].toSorted((one, other) => one - other)).toEqual([...proven]);
    });

    test.each(named)('$number names a test that exists, and that names the number', ({ number, file, titles }) => {
      const source = (sources.get(file) ?? '').replaceAll("\\'", "'");
      for (const title of titles) expect(source).toContain(title);
      expect(isRun(file)).toBe(true);
      // a test that does not run proves nothing
      expect(source).not.toMatch(/\b(describe|test|it)\.(skip|todo|fails|only|runIf|skipIf)\b|\bcontext\.skip\b/);
      expect(titles.at(-1)).toMatch(new RegExp(`${name}s? (\\d+,? (and )?)*${String(number)}\\b`));
    });
  });

  test('takes no line for a row that is none', () => {
    expect(() => rowOf('| 7 | Something goes wrong | |')).toThrow('This is no row');
    expect(rowOf('| 7 | Something goes wrong | none: it cannot |')).toMatchObject({ file: null, why: 'it cannot' });
  });
});

describe('a report of a run', () => {
  const rows = [rowOf('| 3 | Something goes wrong | `a.test.ts`: a thing › with %i and $what.of is told (pain 3) |')];
  const reported = (...statuses: string[]): TestReport => ({
    testResults: [
      {
        name: '/anywhere/test/a.test.ts',
        assertionResults: statuses.map((status, index) => ({
          status,
          fullName: `all of it a thing inside with ${index} and that is told (pain 3)`,
        })),
      },
    ],
  });

  test('proves what ran and passed, every case of it', () => {
    expect(unprovenBy(reported('passed', 'passed'), rows)).toEqual([]);
  });

  test.each(['skipped', 'pending', 'todo', 'failed'])('does not prove what is %s', (status) => {
    expect(unprovenBy(reported('passed', status), rows)).toEqual([expect.stringContaining(`: ${status}`)]);
  });

  test('does not prove what is not in it, or is in another file', () => {
    const missing = [expect.stringContaining(': not there')];
    expect(unprovenBy(reported(), rows)).toEqual(missing);
    const [result] = reported('passed').testResults;
    const elsewhere = {
      testResults: [{ name: '/anywhere/test/b.test.ts', assertionResults: result?.assertionResults ?? [] }],
    };
    expect(unprovenBy(elsewhere, rows)).toEqual(missing);
  });

  test('has nothing to prove of what cannot apply', () => {
    expect(unprovenBy({ testResults: [] }, [rowOf('| 3 | Something | none: it cannot |')])).toEqual([]);
  });
});

function numbersIn(source: string, kind: string): number[] {
  return [...source.matchAll(new RegExp(`\\(${kind} (\\d+)\\)`, 'g'))].map(([, number]) => Number(number));
}
