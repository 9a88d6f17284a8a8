// Breaks one rule after the other in a copy of the project, and writes down which test sees it: `npm run mutants`, or `npm run mutants -- <part of a file's path>`.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { MUTANTS, type Mutant } from './index.ts';

interface Report {
  testResults: { name: string; assertionResults: { status: string; fullName: string }[] }[];
}

const root = join(import.meta.dirname, '../..');
const table = join(root, 'visualizations/mutants.md');
const HEAD = `# What the tests see

Written by \`npm run mutants\`: each rule of the code that stands here was broken alone, and the test that saw it first.

| what is wrong | where | seen by |
|---|---|---|
`;
// a test that hangs has seen it too
const MOST_MS = 240_000;

function copyTo(copy: string): void {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const file of files
    .toString()
    .split('\0')
    .filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    copyFileSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** The first test that fails; `null` where none does. */
function seenBy(copy: string, { file, from, to, tests }: Mutant): string | null {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    const { status, signal } = spawnSync(
      process.execPath,
      [
        'node_modules/vitest/vitest.mjs',
        'run',
        '--project',
        'unit',
        '--bail',
        '1',
        '--reporter',
        'json',
        '--outputFile',
        report,
        ...tests,
      ],
      { cwd: copy, stdio: 'ignore', timeout: MOST_MS },
    );
    if (status === 0) return null;
    if (signal !== null) return 'a test that does not end';
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const failed = testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter((result) => result.status === 'failed')
        .map(({ fullName }) => `\`${name.slice(name.indexOf('/test/') + 1)}\`: ${fullName}`),
    );
    // what fails without a test that fails has seen nothing
    return failed[0] ?? null;
  } finally {
    writeFileSync(path, text);
  }
}

const [part] = process.argv.slice(2);
const mutants = MUTANTS.filter(({ file }) => part === undefined || file.includes(part));
const copy = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'));
const rows: string[] = [];
let survivors = 0;
try {
  copyTo(copy);
  for (const [index, mutant] of mutants.entries()) {
    const seen = seenBy(copy, mutant);
    if (seen === null) survivors += 1;
    process.stdout.write(`${index + 1}/${mutants.length} ${seen === null ? 'NOT SEEN' : 'seen'}: ${mutant.what}\n`);
    rows.push(`| ${mutant.what} | \`${mutant.file}\` | ${(seen ?? '**nothing**').replaceAll('|', '\\|')} |\n`);
  }
} finally {
  rmSync(copy, { recursive: true });
}
if (part === undefined) writeFileSync(table, HEAD + rows.join(''));
process.stdout.write(`${mutants.length - survivors} of ${mutants.length} are seen\n`);
process.exitCode = survivors > 0 ? 1 : 0;
