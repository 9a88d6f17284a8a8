import { describe, expect, test } from 'vitest';

import type { AuditEntry, Replay } from '../../src/audit/index.ts';
import { Chain, type Bare } from '../support/audit-chain.ts';
import { filesOf, runAudit, textOf } from '../support/audit-command.ts';
import { realStory } from '../support/audit-story.ts';

/** The records of a log, changed and chained anew. */
function anew(lines: readonly string[], change: (record: Bare, seq: number) => Bare | null): string[] {
  const records = lines.map((line) => (JSON.parse(line) as AuditEntry).record as unknown as Bare);
  return new Chain().add(...records.map(change).filter((record) => record !== null)).lines;
}

describe('holdfast audit replay', () => {
  test('is content where the machines do the same', async () => {
    const lines = await realStory();
    const [log = ''] = await filesOf({ 'log.jsonl': textOf(lines) });
    const { code, printed, complaints } = await runAudit(['replay', log]);
    expect([code, complaints]).toEqual([0, '']);
    expect(printed).toMatch(/^✓ equal: \d+ turns of 7 actors compared, \d+\s+transitions\.\n$/);
    expect((JSON.parse((await runAudit(['replay', '--json', log])).printed) as Replay).verdict).toBe('equal');
  });

  test('says where they differ, and what was compared no more', async () => {
    const lines = await realStory();
    const told = anew(lines, (record) =>
      JSON.stringify(record['to']) === '{"backoff":"told"}' ? { ...record, to: { backoff: 'waiting' } } : record,
    );
    const [log = ''] = await filesOf({ 'log.jsonl': textOf(told) });
    const { code, printed } = await runAudit(['replay', log], { width: 200 });
    expect(code).toBe(2);
    expect(printed).toMatch(/^✗ diverged: /);
    expect(printed).toMatch(
      /\nRecord \d+: service\/group:1\/connection:terminal:one \(connection\) on socket.closed: to differs.\n {2}recorded \{"backoff":"waiting"\}\n {2}replayed \{"backoff":"told"\}\n/,
    );
    expect(printed).toMatch(/\n\d+ turns not compared: /);
  });

  test('warns of machines of another version, of unknown ones, and of what has no beginning', async () => {
    const lines = await realStory();
    const other = anew(lines, (record) => ({
      ...record,
      ...(String(record['machine']).startsWith('outbox@') && { machine: 'outbox@0123456789abcdef' }),
    }));
    const unknown = anew(lines, (record) => ({
      ...record,
      ...(String(record['machine']).startsWith('outbox@') && { machine: 'inbox@0123456789abcdef' }),
    }));
    const [one = '', two = '', three = '', four = ''] = await filesOf({
      'one.jsonl': textOf(other),
      'two.jsonl': textOf(unknown),
      'three.jsonl': textOf(lines.slice(12)),
      'four.jsonl': textOf(lines.slice(0, 2)),
    });
    const versions = await runAudit(['replay', one], { width: 200 });
    expect(versions.code).toBe(1);
    expect(versions.printed).toMatch(
      /The machine outbox is of another version: on record is 0123456789abcdef, here is [\da-f]{16}\.\n/,
    );
    expect(await runAudit(['replay', two])).toMatchObject({
      code: 1,
      printed: expect.stringContaining('The machine inbox is not known here.') as string,
    });
    expect(await runAudit(['replay', three])).toMatchObject({
      code: 1,
      printed: expect.stringMatching(/\n\d+ turns not compared: /) as string,
    });
    expect(await runAudit(['replay', four])).toMatchObject({
      code: 1,
      printed: expect.stringMatching(/^! empty: 0 turns/) as string,
    });
  });

  test('takes whatever a file holds, and lets none of it make a line', async () => {
    const names = { actor: 'a\n\u202eb', machine: 'c\nonnection@1', to: 'idle', from: 'idle' };
    const nonsense = new Chain().add(
      { kind: 'step', ...names, event: { type: 'x\ny' } },
      { kind: 'started', actor: 'a\nb', machine: 'connection@1', to: 'x\ny', event: { type: 'x\ny' } },
    ).lines;
    const [log = ''] = await filesOf({ 'log.jsonl': `${textOf(nonsense)}no line\n\u0000` });
    const { code, printed } = await runAudit(['replay', log], { width: 300 });
    expect(code).toBe(2);
    expect(printed).not.toMatch(/\u202e|\ny|\nonnection/);
  });

  test('says what is wrong with its arguments, and with its file', async () => {
    expect((await runAudit(['replay'])).code).toBe(64);
    expect((await runAudit(['replay', '--nurse', 'x'])).code).toBe(64);
    expect((await runAudit(['replay', '/nowhere/log.jsonl'])).code).toBe(66);
    const [log = ''] = await filesOf({ 'log.jsonl': textOf(await realStory()) });
    expect(await runAudit(['replay', log], { signal: AbortSignal.abort() })).toMatchObject({
      code: 130,
      complaints: 'Interrupted.\n',
    });
  });
});
