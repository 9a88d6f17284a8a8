import { describe, expect, test } from 'vitest';

import { verify, type AuditEntry } from '../../src/audit/index.ts';
import { recordLine, verificationLines } from '../../src/cli/audit-report.ts';
import { smallLog } from '../support/audit-chain.ts';

const style = { width: 80, isColoured: false, isAll: false };
const lines = await smallLog();

describe('what is printed of a log', () => {
  test('has its first problems, and counts the others', async () => {
    const verification = await verify(lines.map((line) => line.replace('"v":1', '"v":0')));
    expect(verificationLines(verification, style)).toContain('- and 7 more');
    expect(verificationLines(verification, { ...style, isAll: true }).join()).not.toContain('more');
  });

  test('fits narrow terminals, and is coloured where that is wished', async () => {
    const verification = await verify(lines.slice(2));
    for (const line of verificationLines(verification, { ...style, width: 30 })) expect(line.length).toBeLessThan(31);
    const [coloured = ''] = verificationLines(verification, { ...style, isColoured: true });
    expect(coloured.startsWith('\u001b[31m✗ broken\u001b')).toBe(true);
  });

  test('of a record is one line, without anything that could forge another', () => {
    const entry = (record: object) => ({ seq: 3, prev: '', hash: '', record }) as unknown as AuditEntry;
    const step = { kind: 'step', actor: 'a\n\u001b[2J\u202eb', from: 'idle', to: { open: 'x' }, event: { type: 'go' } };
    expect(recordLine(entry({ at: 0, ...step, effects: ['send x to y'] }), 200)).toBe(
      '3 1970-01-01T00:00:00.000Z  a  [2J b  step  idle → {"open":"x"}  on go  [send x to y]',
    );
    expect(recordLine(entry({ at: 'x', kind: 'closed' }), 80)).toBe('3 no time  closed');
    expect(recordLine(entry(step), 40)).toHaveLength(40);
  });
});
