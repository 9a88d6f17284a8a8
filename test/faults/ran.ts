// Whether each test that the ledger names has run and passed: `tsx test/faults/ran.ts <report of vitest as JSON>`.
import { readFileSync } from 'node:fs';

import { LEDGER_HEADINGS, rowsUnder, unprovenBy, type TestReport } from '../support/ledger.ts';

const [path = ''] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8')) as TestReport;
const rows = LEDGER_HEADINGS.flatMap(rowsUnder);
const unproven = unprovenBy(report, rows);
for (const row of unproven) process.stdout.write(`not proven: ${row}\n`);
process.stdout.write(`${rows.length - unproven.length} of ${rows.length} rows of the ledger are as they say\n`);
process.exitCode = unproven.length > 0 ? 1 : 0;
