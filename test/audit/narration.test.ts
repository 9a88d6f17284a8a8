import { describe, expect, test } from 'vitest';

import type { ConnectionAccount, Explanation, Outage } from '../../src/audit/explanation.ts';
import { narrated } from '../../src/audit/narration.ts';

const EMPTY: Explanation = {
  ...{ question: 'disconnects', at: null, from: null, to: null, records: 1, unread: 0, first: 0, last: 0 },
  ...{ runs: 1, isClosed: true, gaps: { times: 0, records: 0, first: null, last: null }, died: 0, deaths: [] },
  interruptions: { times: 0, last: [] },
  ...{ connections: [], passedOver: 0, lines: [] },
};
const OUTAGE: Outage = {
  ...{
    openedAt: 0,
    openMs: 1_000,
    isStartKnown: true,
    lostAt: 1_000,
    generation: 1,
    failure: null,
    wire: null,
    event: null,
  },
  ...{ lateSince: null, silentMs: null, waits: [], attempts: [], attempted: 0, gaveUpAt: null, end: null },
  ...{ durationMs: 500, hasGap: false, messages: { before: null, after: null } },
};
const ACCOUNT: ConnectionAccount = {
  ...{ service: 'service', connection: 'chat:1', times: {}, onRecordMs: 0, downMs: 0, downShare: null, hasGaps: false },
  ...{ disconnects: 1, outages: [OUTAGE], messages: null, lost: 0, losses: [] },
  state: { name: null, since: null, isCertain: false, generation: null, failure: null, wait: null },
};

const told = (outage: Partial<Outage>): string =>
  narrated({ ...EMPTY, connections: [{ ...ACCOUNT, outages: [{ ...OUTAGE, ...outage }] }] }).join('\n');

describe('what is told', () => {
  test('says what is not known', () => {
    expect(told({ openedAt: null, openMs: null })).toContain('Since when it had been open is not known.');
    expect(told({})).toContain('why is not known');
    expect(told({})).toContain('What it has cost in messages is not known.');
    expect(narrated({ ...EMPTY, question: 'summary', connections: [ACCOUNT] }).join('\n')).toContain(
      'its state is not known',
    );
  });

  test('says of a plain wire that it does not confirm, and how many messages were refused', () => {
    const none = { accepted: 3, sent: 3, acknowledged: 0, dropped: 0, unknown: 0, waiting: 0, refused: 0, received: 0 };
    const after = { at: 0, stranded: 0, ...none };
    const doubt = 'A plain wire does not confirm: what was sent just before the loss may not have arrived.';
    expect(told({ wire: 'plain', messages: { before: null, after } })).toContain(`00.000Z. ${doubt}`);
    expect(told({ wire: 'holdfast.v1', messages: { before: null, after } })).not.toContain(doubt);
    expect(told({ messages: { before: null, after: { ...after, refused: 2 } } })).toContain('0 dropped, 2 refused, 0');
  });

  test('says how an outage ended', () => {
    const end = { at: 1_500, how: 'open', isCertain: true, generation: 2, session: null, lost: null } as const;
    expect(told({ end })).toContain('Open again at 1970-01-01T00:00:01.500Z after 500 ms, on socket 2.');
    expect(told({ end })).toContain('Whether its session was resumed is not known.');
    expect(told({ end: { ...end, session: 'new' } })).toContain('A session was begun anew.');
    expect(told({ end: { ...end, session: 'none' } })).toContain('The wire has no sessions.');
    expect(told({ end: { ...end, lost: { why: 'expired', inDoubt: 1 } } })).toContain(
      'Its session was lost (expired), and another begun; 1 message in doubt.',
    );
    expect(told({ end: { ...end, how: 'closed', generation: null } })).toContain('Closed by the application at');
    expect(told({ end, hasGap: true })).toContain(', of which not all is on record.');
    expect(told({ gaveUpAt: 1_200 })).toContain('At 1970-01-01T00:00:01.200Z it was given up.');
  });

  test('says that times are at the least so long where records are missing', () => {
    const end = { at: 1_500, how: 'open', isCertain: true, generation: 2, session: null, lost: null } as const;
    expect(told({ end, hasGap: true })).toContain(' after at least 500 ms, ');
    const of = (question: 'summary' | 'downtime', hasGaps: boolean) =>
      narrated({
        ...EMPTY,
        question,
        connections: [{ ...ACCOUNT, hasGaps, outages: [{ ...OUTAGE, hasGap: hasGaps }] }],
      }).join('\n');
    const doubt = 'Records are missing: these times are at the least so long.';
    expect(of('summary', true)).toContain(doubt);
    expect(of('summary', false)).not.toContain(doubt);
    expect(of('downtime', true)).toContain(': at least 500 ms; ');
  });

  test('has the last ten disconnects in a summary, or as many as are asked for', () => {
    const outages = Array.from({ length: 25 }, (_, n) => ({ ...OUTAGE, lostAt: n }));
    const of = (most?: number) =>
      narrated({ ...EMPTY, question: 'summary', connections: [{ ...ACCOUNT, disconnects: 25, outages }] }, most);
    expect(of().filter((line) => line.includes('Lost at'))).toHaveLength(10);
    expect(of()).toContain('  15 disconnects before these.');
    expect(of().join()).toContain('00.024Z');
    expect(of(100).filter((line) => line.includes('Lost at'))).toHaveLength(25);
  });

  test('numbers the disconnects that are kept as they were counted', () => {
    const lines = narrated({ ...EMPTY, connections: [{ ...ACCOUNT, disconnects: 150 }] });
    expect(lines).toContain('  149 disconnects before these.');
    expect(lines.join()).toContain('  150. Lost at');
  });

  test('has waits and attempts in the order in which they were', () => {
    const wait = { ms: 0, hold: 'delay', retry: null, floorMs: 0, event: null, isPrompt: false } as const;
    const attempt = { generation: null, result: 'failed', durationMs: 0, failure: null } as const;
    const at = [1_000, 1_000, 2_000];
    const lines = told({
      waits: at.map((each) => ({ ...wait, at: each })),
      attempts: at.map((each) => ({ ...attempt, at: each })),
    });
    expect(lines.match(/began to wait|was tried/g)).toEqual([1, 2, 3].flatMap(() => ['began to wait', 'was tried']));
    expect(told({ attempted: 7 })).toContain('And 7 attempts more.');
    expect(told({ attempts: [{ ...attempt, at: 1, result: 'abandoned' }] })).toContain('and given up after 0 ms.');
    expect(told({ attempts: [{ ...attempt, at: 1, result: null, durationMs: null }] })).toContain(
      ', which is not over.',
    );
  });

  test('says what is missing, who died, and what was left out', () => {
    const lines = narrated({
      ...EMPTY,
      ...{ died: 2, deaths: [{ at: 0, actor: 'a/b', error: 'TypeError' }], passedOver: 3, unread: 2, from: 0, to: 5 },
      gaps: { times: 1, records: 12, first: 1, last: 2 },
    });
    expect(lines).toEqual([
      '1970-01-01T00:00:00.000Z to 1970-01-01T00:00:00.000Z: 1 record, 1 run; it ends with its close.',
      'Asked about is what was from 1970-01-01T00:00:00.000Z on.',
      'Asked about is what was up to 1970-01-01T00:00:00.005Z.',
      '2 lines could not be read: what they said is not known.',
      'Records are missing, 12 at 1 place, from 1970-01-01T00:00:00.001Z to 1970-01-01T00:00:00.002Z: what happened there is not known.',
      '2 actors died of a fault.',
      '  1970-01-01T00:00:00.000Z: a/b, TypeError.',
      'There are more connections than are followed: not all are told of.',
      'There is no connection on record.',
    ]);
  });

  test('has no text of the log that makes a line, or turns one around', () => {
    const name = 'chat\n1. Lost\u202e';
    const lines = narrated({ ...EMPTY, connections: [{ ...ACCOUNT, connection: name, service: name }] });
    expect(lines.join('')).not.toMatch(/[\n\u202e]/);
    expect(lines[1]).toBe('chat 1. Lost  of chat 1. Lost : 1 disconnect.');
  });
});
