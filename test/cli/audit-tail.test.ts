import { appendFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';

import { smallLog } from '../support/audit-chain.ts';
import { filesOf, runAudit, textOf } from '../support/audit-command.ts';
import { realStory } from '../support/audit-story.ts';

const lines = await smallLog();

describe('holdfast audit tail', () => {
  test('prints the last records, one a line', async () => {
    const [path = ''] = await filesOf({ 'out.jsonl': textOf(lines) });
    const { code, printed } = await runAudit(['tail', path]);
    expect([code, printed.trimEnd().split('\n').length]).toEqual([0, 10]);
    expect(printed).toMatch(/^7 2025-11-26T\S+Z {2}…\/connection:1 {2}idle → open {2}on connect\n/);
    expect((await runAudit(['tail', '-n', '2', '--json', path])).printed).toBe(textOf(lines.slice(-2)));
    expect((await runAudit(['tail', '-n', '0', path])).printed).toBe('');
  });

  test('prints all of each record into a pipe, as one line', async () => {
    const [path = ''] = await filesOf({ 'out.jsonl': `${textOf(await realStory())}${'x'.repeat(200)}\n` });
    const { printed } = await runAudit(['tail', '-n', '1000', path], { isPiped: true });
    const closings = printed.split('\n').filter((line) => line.includes('socket.closed'));
    expect(closings).toHaveLength(3);
    for (const line of closings)
      expect(line).toMatch(/^\d+ \S+Z {2}service\/group:1\/connection:terminal:one {2}.*\]$/);
    expect(printed).toMatch(/\n\(no record\) x{200}\n$/);
  });

  test('filters by actor, and passes over what is no record', async () => {
    const [path = ''] = await filesOf({ 'out.jsonl': `${textOf(lines)}garb\u202eage\n` });
    expect((await runAudit(['tail', '-n', '1', path])).printed).toBe('(no record) garb age\n');
    expect((await runAudit(['tail', '-n', '1', '--actor', 'connection:1', path])).printed).toMatch(/^15 /);
    expect((await runAudit(['tail', '--actor', 'nobody', path])).printed).toBe('');
  });

  test('follows the file until it is interrupted', async () => {
    const [path = ''] = await filesOf({ 'out.jsonl': textOf(lines.slice(0, 16)) });
    const interruption = new AbortController();
    const printed: string[] = [];
    const { code, complaints } = await runAudit(['tail', '--follow', '--json', '-n', '1', path], {
      signal: interruption.signal,
      print: (text) => {
        printed.push(text);
        if (printed.length === 1) void appendFile(path, textOf(lines.slice(16)));
        else interruption.abort();
      },
    });
    expect([code, complaints]).toEqual([130, 'Interrupted.\n']);
    expect(printed).toEqual(lines.slice(15).map((line) => `${line}\n`));
  });
});
