import { describe, expect, test } from 'vitest';

import { verify } from '../../src/audit/index.ts';
import { verificationLines } from '../../src/cli/audit-report.ts';
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
});
