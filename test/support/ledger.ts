import { readFileSync } from 'node:fs';

/** A line of the ledger of known faults: what goes wrong, and the test that would see it, or why nothing can. */
export interface LedgerRow {
  number: number;
  /** From the folder `test`; `null` where it cannot apply. */
  file: string | null;
  /** The titles of the describe and of the test, as their file writes them. */
  titles: readonly string[];
  /** Why it cannot apply; `null` where a test is named. */
  why: string | null;
}

/** The headings of the ledger, how many of each kind there are, and what titles call them. */
export const LEDGER_KINDS = {
  'Original faults': { count: 51, name: 'original fault' },
  Pains: { count: 64, name: 'pain' },
  Traps: { count: 13, name: 'trap' },
} as const;

export type LedgerHeading = keyof typeof LEDGER_KINDS;

export const LEDGER_HEADINGS = Object.keys(LEDGER_KINDS) as LedgerHeading[];

const ledger = readFileSync(new URL('../faults/LEDGER.md', import.meta.url), 'utf8');

/** The lines of a table that say something. */
export function linesUnder(heading: LedgerHeading): string[] {
  const [, after = ''] = ledger.split(`## ${heading}\n`);
  const [section = ''] = after.split('\n## ');
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2);
}

/** @throws For a line that is no row. */
export function rowOf(line: string): LedgerRow {
  const named = /^\| (\d+) \| [^|]+ \| `([^`]+)`: (.+) \|$/.exec(line);
  if (named) {
    const [, number, file = '', titles = ''] = named;
    return { number: Number(number), file, titles: titles.split(' › '), why: null };
  }
  const [, number, why] = /^\| (\d+) \| [^|]+ \| none: ([^|]+) \|$/.exec(line) ?? [];
  if (why === undefined) throw new Error(`This is no row of the ledger: ${line}`);
  return { number: Number(number), file: null, titles: [], why };
}

export function rowsUnder(heading: LedgerHeading): LedgerRow[] {
  return linesUnder(heading).map(rowOf);
}

/** The part of a report of vitest (`--reporter=json`) that is read. */
export interface TestReport {
  testResults: { name: string; assertionResults: { status: string; fullName: string }[] }[];
}

/** The rows whose test did not run in full and pass, each with what became of it. */
export function unprovenBy(report: TestReport, rows: readonly LedgerRow[]): string[] {
  return rows.flatMap(({ number, file, titles }) => {
    if (file === null) return [];
    const isMeant = patternOf(titles);
    const statuses = report.testResults
      // a contract runs in the files that hold something to it
      .filter(({ name }) => !file.endsWith('.test.ts') || name.endsWith(`/test/${file}`))
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ fullName }) => isMeant.test(fullName))
      .map(({ status }) => status);
    const wrong = statuses.length === 0 ? 'not there' : statuses.find((status) => status !== 'passed');
    return wrong === undefined ? [] : [`${number}, ${file}, ${titles.join(' › ')}: ${wrong}`];
  });
}

// titles of cases have their values where the source has placeholders
function patternOf(titles: readonly string[]): RegExp {
  const parts = titles.map((title) =>
    title
      .split(/%[a-z#]|\$[\w.]+/)
      .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*'),
  );
  return new RegExp(`^(.* )?${parts.join(' (.* )?')}$`, 's');
}
