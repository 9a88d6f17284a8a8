import { describe, expect, test } from 'vitest';

import type { Explanation } from '../../src/audit/index.ts';
import { filesOf, runAudit, textOf } from '../support/audit-command.ts';
import { failed, retryIn, Story } from '../support/audit-story.ts';

function lines(): string[] {
  const story = new Story()
    .opened(0)
    .started(0)
    .step(0, 'connecting')
    .step(1, 'open', { context: { opens: 1 } });
  const failure = failed('CONNECTION_LOST');
  story.step(5, 'waiting', { event: { type: 'socket.closed', failure }, context: { failure }, ...retryIn(500) });
  story.step(5.5, 'connecting', { generation: 2 }).step(7, 'open', { generation: 2 });
  return story.counts(9, { accepted: 3, dropped: 1, droppedBy: { EXPIRED: 1 } }).lines;
}

describe('holdfast audit explain', () => {
  test('says what has happened, in short or at length', async () => {
    const [log = ''] = await filesOf({ 'log.jsonl': textOf(lines()) });
    const short = await runAudit(['explain', log]);
    expect(short).toMatchObject({ code: 0, complaints: '' });
    expect(short.printed.split('\n').slice(2, 5)).toEqual([
      'chat:1 of service: open since 2026-01-01T00:00:07.000Z, socket 2.',
      '  Open for 6 s of 9 s on record; 1 disconnect, down for 2 s (22.22 %).',
      '  Lost at 2026-01-01T00:00:05.000Z: the connection broke without a close',
    ]);
    for (const line of short.printed.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect((await runAudit(['explain', '--why', log])).printed).toContain('it began to wait 500 ms: backoff.');
    expect((await runAudit(['explain', '--downtime', log])).printed).toContain('  From 2026-01-01T00:00:05.000Z to');
    expect((await runAudit(['explain', '--losses', log])).printed).toContain('  Dropped by reason: 1 EXPIRED.');
  });

  test('takes times, in UTC where they say no zone', async () => {
    const [log = ''] = await filesOf({ 'log.jsonl': textOf(lines()) });
    const times = ['2026-01-01T00:00:06', '2026-01-01T01:00:06+01:00', '2026-01-01T00:00:06.000Z', '1767225606000'];
    for (const time of times) {
      const { printed } = await runAudit(['explain', '--at', time, '--json', log]);
      const { at, connections } = JSON.parse(printed) as Explanation;
      expect([at, connections[0]?.state.name]).toEqual([1_767_225_606_000, 'connecting']);
    }
    const { printed } = await runAudit(['explain', '--from', '2026-01-01T00:00:08', '--json', log]);
    expect((JSON.parse(printed) as Explanation).connections[0]?.disconnects).toBe(0);
  });

  test('says which connections there are where it has not the one that is asked about', async () => {
    const story = new Story('service', 'a\u202e:1').opened(0).started(0);
    story.of('service', 'b:1').started(1);
    story.of('other', 'b:1').started(1);
    const many = new Story().opened(0);
    for (let index = 0; index < 12; index += 1) many.of('service', `c${index}`).started(1);
    const logs = { 'log.jsonl': story, 'many.jsonl': many, 'none.jsonl': new Story().opened(0) };
    const [log = '', long = '', none = ''] = await filesOf(
      Object.fromEntries(Object.entries(logs).map(([name, told]) => [name, textOf(told.lines)])),
    );
    const refused = { code: 66, printed: '', complaints: 'No connection nope; there are a :1, b:1.\n' };
    expect(await runAudit(['explain', '--connection', 'nope', log])).toEqual(refused);
    expect(await runAudit(['explain', '--connection', 'nope', '--json', log])).toEqual(refused);
    expect(await runAudit(['explain', '--connection', 'nope', '--as-test', log])).toEqual(refused);
    const { complaints } = await runAudit(['explain', '--connection', 'nope', long]);
    expect(complaints).toMatch(/^No connection nope; there are c0, .*c9, 2 more\.\n$/);
    expect(await runAudit(['explain', '--connection', 'nope', none])).toMatchObject({
      complaints: 'No connection nope; there is none.\n',
    });
    const before = await runAudit(['explain', '--connection', 'b:1', '--to', '2025-12-01', log]);
    expect([before.code, before.printed.includes('There is no connection on record.')]).toEqual([0, true]);
  });

  test('prints a test of it', async () => {
    const [log = '', empty = ''] = await filesOf({
      'log.jsonl': textOf(lines()),
      'e.jsonl': textOf(lines().slice(0, 1)),
    });
    const { code, printed } = await runAudit(['explain', '--as-test', log]);
    expect([code, printed.startsWith('import { rehearse, type Json')]).toEqual([0, true]);
    expect(await runAudit(['explain', '--as-test', empty])).toMatchObject({
      code: 66,
      complaints: 'The log has no turn of such a connection that can be taken again.\n',
    });
  });

  test('says what is wrong with its arguments, and with its file', async () => {
    const wrong = [
      [],
      ['--why', '--losses', 'x'],
      ['--at', 'noon', 'x'],
      ['--at', '1', '--from', '1', 'x'],
      ['--from', '2', '--to', '1', 'x'],
      ['--connection', '', 'x'],
      ['--as-test', '--json', 'x'],
      ['--as-test', '--why', 'x'],
    ];
    for (const args of wrong) {
      const { code, complaints } = await runAudit(['explain', ...args]);
      expect([code, complaints.endsWith('See holdfast audit explain --help.\n')]).toEqual([64, true]);
    }
    expect((await runAudit(['explain', '/nowhere/log.jsonl'])).code).toBe(66);
    const [log = ''] = await filesOf({ 'log.jsonl': textOf(lines()) });
    expect(await runAudit(['explain', log], { signal: AbortSignal.abort() })).toMatchObject({ code: 130 });
  });
});
