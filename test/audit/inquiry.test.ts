import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { Findings } from '../../src/audit/findings.ts';
import { Inquiry } from '../../src/audit/inquiry.ts';
import { linesOf, readingsOf, type AuditLine } from '../../src/audit/source.ts';
import { smallLog } from '../support/audit-chain.ts';

async function inquire(lines: readonly AuditLine[]) {
  const heard: AuditEntry[] = [];
  const findings = new Findings();
  const onEntry = (entry: AuditEntry): unknown => heard.push(entry);
  const inquiry = new Inquiry({ findings, verifiers: [], seals: 'always', witness: null, onEntry });
  for await (const readings of readingsOf(lines)) await inquiry.take(readings);
  await inquiry.finish();
  return { heard: heard.map(({ seq }) => seq), verification: inquiry.verification };
}

const lines = await smallLog();

describe('an inquiry', () => {
  test('heeds only records that are in their place', async () => {
    const { heard } = await inquire([...lines.slice(0, 4), lines[2] ?? '', ...lines.slice(5, 7), lines[4] ?? '', 'x']);
    expect(heard).toEqual([0, 1, 2, 3, 5, 6]);
  });

  test('takes a last line that is not whole for an end that is not written yet', async () => {
    const torn = linesOf(lines.join('\n'));
    const { verification } = await inquire(torn);
    expect(verification).toMatchObject({ verdict: 'open', lines: 17, records: 16, last: { seq: 15 } });
    expect(verification.problems).toMatchObject([{ kind: 'torn', seq: 16, line: 17, segment: 3 }]);
  });

  test('takes such a line in the middle for a record that is missing', async () => {
    const { verification } = await inquire([...lines.slice(0, 4), { flaw: 'torn', bytes: 8 }, ...lines.slice(5)]);
    expect(verification).toMatchObject({ verdict: 'broken', counts: { malformed: 1 } });
    expect(verification.problems).toMatchObject([{ kind: 'malformed', seq: 4, line: 5 }]);
  });

  test('knows where it is again after records that are missing', async () => {
    const edited = lines.map((line, index) => (index === 8 ? line.replace('"n":5', '"n":50') : line));
    expect(edited[8]).not.toBe(lines[8]);
    const { verification } = await inquire(edited.toSpliced(3, 1));
    expect(verification.problems).toMatchObject([
      { kind: 'removed', seq: 3, segment: 1 },
      { kind: 'edited', seq: 8, segment: 2 },
    ]);
  });
});
