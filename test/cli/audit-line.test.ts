import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/index.ts';
import { recordText } from '../../src/cli/audit-line.ts';
import { failed, realStory, Story, STATES } from '../support/audit-story.ts';

const piped = { width: 80, isPiped: true };
const terminal = { width: 80 };
const entry = (record: object) => ({ seq: 3, prev: '', hash: '', record }) as unknown as AuditEntry;
const of = (kind: string, fields: object = {}) => recordText(entry({ at: 0, kind, ...fields }), piped).slice(28);
const actor = 'service/group:1/connection:chat';
const lost = {
  ...{ at: 0, kind: 'step', actor, from: STATES.open, to: STATES.waiting },
  event: { type: 'socket.closed', failure: failed('CONNECTION_LOST', { closure: { code: 1006 } }) },
  effects: ['stop socket', 'emit closed'],
};

describe('a record that is printed', () => {
  test('is one line in a pipe, however long', () => {
    const text = recordText(entry(lost), { ...piped, width: 30 });
    expect(text).toBe(
      '3 1970-01-01T00:00:00.000Z  service/group:1/connection:chat  live.linked.established.open → backoff.waiting  on socket.closed (CONNECTION_LOST, 1006)  [stop socket, emit closed]',
    );
  });

  test('has on a terminal what matters first, and goes on below', () => {
    expect(recordText(entry(lost), terminal).split('\n')).toEqual([
      '3 1970-01-01T00:00:00.000Z  …/connection:chat  live.linked.established.open →',
      '  backoff.waiting  on socket.closed (CONNECTION_LOST, 1006)  [stop socket, emit',
      '  closed]',
    ]);
    for (const width of [0, 30, 47, 60, 200])
      for (const line of recordText(entry(lost), { width }).split('\n'))
        expect(line.length).toBeLessThanOrEqual(Math.max(width, 30));
  });

  test.each([
    ['service', 'service'],
    ['service/group:1', '…/group:1'],
    ['service/group:1/connection:a/b:c/outbox', '…/connection:a/b:c/outbox'],
  ])('has on a terminal the end of its actor: %s', (long, short) => {
    expect(recordText(entry({ kind: 'state', actor: long }), terminal)).toBe(`3 no time  ${short}  state`);
  });

  test('has the innermost of its states', () => {
    expect(of('state', { to: { grade: { graded: 'good' }, heartbeat: 'idle' } })).toBe(
      'state  grade.graded.good + heartbeat.idle',
    );
  });

  test.each([
    ['opened', { run: 'abc' }, 'run abc'],
    ['opened', { run: 'abc', torn: 12 }, 'run abc  12 bytes torn off'],
    ['segment', { segment: 2 }, '2'],
    ['seal', { key: 'main', segment: 2 }, 'key main'],
    ['retention', { removed: [{ segment: 1 }] }, '1 segment removed'],
    ['gap', { lost: 7 }, '7 records lost'],
    ['checkpoint', { of: 'file', seq: 12 }, 'of file, record 12'],
    ['attached', { service: 'chat' }, 'chat'],
    ['detached', { service: 'chat' }, 'chat'],
    ['died', { from: 'idle', error: { name: 'TypeError' } }, 'idle  TypeError'],
    ['stopped', { from: 'idle', status: 'done' }, 'idle  done'],
    ['closed', {}, ''],
  ])('of the kind %s says what it is about: %j', (kind, fields, said) => {
    expect(of(kind, fields)).toBe(`${kind}${said && `  ${said}`}`);
  });

  test('says of messages whose they are, and what has become of them', () => {
    const [counts = '', dropped = '', received = ''] = new Story()
      .counts(0, { accepted: 3, sent: 2, dropped: 1 })
      .fate(0, { id: 'm1', fate: 'dropped', because: 'EXPIRED', bytes: 9 })
      .fate(0, { direction: 'in', fate: 'received' })
      .lines.map((line) => recordText(JSON.parse(line) as AuditEntry, piped).slice(28));
    expect([counts, dropped, received]).toEqual([
      'chat:1  counts  3 accepted, 2 sent, 0 acknowledged, 1 dropped, 0 unknown, 0 waiting',
      'chat:1  fate  out m1 dropped  EXPIRED  9 bytes',
      'chat:1  fate  in received',
    ]);
  });

  test('takes whatever a record holds, and lets none of it forge another line', () => {
    let deep: unknown = 'x';
    for (let depth = 0; depth < 5_000; depth += 1) deep = { a: deep };
    const text = recordText(
      entry({ at: 'x', kind: 'step', actor: 'a\n\u001b[2J\u202eb', to: deep, effects: [{}] }),
      piped,
    );
    expect(text).toMatch(/^3 no time {2}a {2}\[2J b {2}(a\.)+a {2}\[\]$/);
    expect(of('gap', { lost: 'x' })).toBe('gap  ? records lost');
  });

  test('is never empty in a real log', async () => {
    const texts = (await realStory()).map((line) => recordText(JSON.parse(line) as AuditEntry, piped));
    const bare = texts.filter((text) => !/Z {2}\S.* {2}\S|Z {2}closed$/.test(text));
    expect(bare).toEqual([]);
    expect(texts.filter((text) => text.includes('socket.closed (')).length).toBe(3);
  });
});
