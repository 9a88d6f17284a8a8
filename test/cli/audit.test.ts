import { describe, expect, test } from 'vitest';

import { AUDIT_HELP } from '../../src/cli/audit.ts';
import { runAudit } from '../support/audit-command.ts';

describe('holdfast audit', () => {
  test('explains itself, and each of its commands', async () => {
    for (const args of [[], ['--help'], ['-h']]) {
      expect(await runAudit(args)).toEqual({ code: 0, printed: AUDIT_HELP, complaints: '' });
    }
    for (const name of ['verify', 'tail', 'explain', 'replay']) {
      const { code, printed } = await runAudit([name, '--help']);
      expect([code, printed.startsWith(`Usage: holdfast audit ${name} `)]).toEqual([0, true]);
      for (const line of printed.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    }
  });

  test('knows no other', async () => {
    expect(await runAudit(['verfy', 'log.jsonl'])).toEqual({
      ...{ code: 64, printed: '', complaints: `There is no command verfy.\n\n${AUDIT_HELP}` },
    });
  });
});
