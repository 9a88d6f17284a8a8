import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { explain } from '../../src/audit/explain.ts';
import type { AuditLine } from '../../src/audit/source.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { START } from '../../src/audit/chain.ts';
import { loose } from '../support/audit-chain.ts';
import { failed, realStory, retryIn, Story, storyTime } from '../support/audit-story.ts';

const restart = failed('CLOSED_BY_PEER', {
  ...{ category: 'service_unavailable', strategy: 'wait', retryAfterMs: 1_000 },
  closure: { code: 1012, initiator: 'peer', wasClean: true, reason: '[redacted]' },
});
const refused = failed('HANDSHAKE_FAILED', {
  closure: { code: 1006, initiator: 'network', wasClean: false, reason: '', status: 503 },
});

/** Two services, a drop, a gap in a second one, and a last line that is torn. */
function incident(): AuditLine[] {
  const story = new Story('orders', 'chat:1').opened(0);
  const other = story.of('prices', 'feed');
  story
    .started(0)
    .step(0, 'connecting', { generation: 1 })
    .step(0.1, 'open', { generation: 1, context: { opens: 1, wire: 'holdfast.v1' } });
  other
    .started(1)
    .step(1, 'connecting', { generation: 1 })
    .step(2, 'open', { generation: 1, context: { opens: 1, wire: 'plain' } });
  story.counts(60, { accepted: 9, sent: 8, acknowledged: 7, waiting: 1 });
  story.step(100, 'degraded', { generation: 1, event: { type: 'health.late' } });
  const lost = {
    generation: 1,
    event: { type: 'socket.closed', failure: restart },
    context: { failure: restart, retries: 1, floorMs: 1_000 },
  };
  story.step(103.5, 'told', { ...lost, ...retryIn(1_820) });
  story.counts(103.5, {
    accepted: 10,
    sent: 8,
    acknowledged: 7,
    dropped: 1,
    unknown: 1,
    waiting: 1,
    droppedBy: { EXPIRED: 1 },
  });
  story
    .fate(103.5, { id: 'm9', fate: 'dropped', because: 'EXPIRED' })
    .fate(103.5, { id: 'm8', fate: 'unknown', because: 'OUTCOME_UNKNOWN' });
  story.step(105.32, 'connecting', { generation: 2, context: { generation: 2, floorMs: 0 } });
  story.step(105.5, 'waiting', {
    generation: 2,
    event: { type: 'socket.closed', failure: refused },
    context: { failure: refused, retries: 2 },
    ...retryIn(900),
  });
  story.step(106.4, 'connecting', { generation: 3 });
  story.step(107, 'open', {
    generation: 3,
    context: { isResumed: true, opens: 2 },
    event: { type: 'session.welcomed', isResumed: true, lost: null },
  });
  story.add(120, { kind: 'gap', lost: 12, since: storyTime(110) });
  other.state(130, 'waiting', {
    generation: 4,
    context: { failure: failed('CONNECTION_LOST'), opens: 1, retries: 3, wire: null },
  });
  story.state(140, 'open', {
    generation: 3,
    context: { failure: refused, opens: 2, wire: 'holdfast.v1', isResumed: true },
  });
  story.add(150, { kind: 'attached', service: 'late' });
  return [...story.lines, { flaw: 'torn', bytes: 17 }];
}

describe('an explanation', () => {
  test('is of all the time that records of actors are of, whatever the log says of itself', async () => {
    const story = new Story().opened(10).started(2).step(5, 'connecting').add(3, { kind: 'closed' });
    expect(await explain(story.lines)).toMatchObject({ first: storyTime(2), last: storyTime(5) });
  });

  test('tells of disconnects at length: why, what was done, and what it has cost', async () => {
    const { lines } = await explain(incident(), { question: 'disconnects' });
    expect(lines).toMatchInlineSnapshot(`
      [
        "2026-01-01T00:00:00.000Z to 2026-01-01T00:02:30.000Z: 21 records, 1 run; it has no end here.",
        "1 line could not be read: what they said is not known.",
        "Records are missing, 12 at 1 place, from 2026-01-01T00:01:50.000Z to 2026-01-01T00:02:00.000Z: what happened there is not known.",
        "chat:1 of orders: 1 disconnect.",
        "  1. Lost at 2026-01-01T00:01:43.500Z: the peer closed it with 1012 (service restart).",
        "    It had been open since 2026-01-01T00:00:00.100Z, for 1 min 43 s, on socket 1.",
        "    The peer had been late since 2026-01-01T00:01:40.000Z.",
        "    In the record: CLOSED_BY_PEER, service_unavailable, strategy wait.",
        "    At 2026-01-01T00:01:43.500Z it began to wait 1.82 s for retry 1: asked by the server, at least 1 s for the server or the rules.",
        "    At 2026-01-01T00:01:45.320Z it was tried, socket 2, and failed after 180 ms: the server refused the handshake with HTTP 503.",
        "    At 2026-01-01T00:01:45.500Z it began to wait 900 ms for retry 2: backoff.",
        "    At 2026-01-01T00:01:46.400Z it was tried, socket 3, and opened after 600 ms.",
        "    Open again at 2026-01-01T00:01:47.000Z after 3.5 s, on socket 3.",
        "    Its session was resumed.",
        "    Messages from the count of 2026-01-01T00:01:00.000Z to that of 2026-01-01T00:01:43.500Z: 1 dropped, 1 in doubt; 1 waiting.",
        "feed of prices: 1 disconnect.",
        "  1. Lost before 2026-01-01T00:02:10.000Z: the connection broke without a close frame.",
        "    Since when it had been open is not known.",
        "    In the record: CONNECTION_LOST, network_error, strategy reconnect.",
        "    Not open again after at least 20 s, where this ends.",
        "    What it has cost in messages is not known.",
      ]
    `);
  });

  test('tells all in short', async () => {
    const { lines } = await explain(incident());
    expect(lines).toMatchInlineSnapshot(`
      [
        "2026-01-01T00:00:00.000Z to 2026-01-01T00:02:30.000Z: 21 records, 1 run; it has no end here.",
        "1 line could not be read: what they said is not known.",
        "Records are missing, 12 at 1 place, from 2026-01-01T00:01:50.000Z to 2026-01-01T00:02:00.000Z: what happened there is not known.",
        "chat:1 of orders: open since 2026-01-01T00:01:47.000Z, as far as it is known, socket 3.",
        "  Open for 1 min 56 s of 2 min on record; 1 disconnect, down for 3.5 s (2.92 %). Records are missing: these times are at the least so long.",
        "  Lost at 2026-01-01T00:01:43.500Z: the peer closed it with 1012 (service restart); open again at 2026-01-01T00:01:47.000Z after 3.5 s, on socket 3.",
        "  Messages: 10 accepted, 8 sent, 7 acknowledged, 1 dropped, 1 unknown, 1 waiting, 0 refused, 0 received; last counted at 2026-01-01T00:01:43.500Z.",
        "feed of prices: backoff since 2026-01-01T00:02:10.000Z, as far as it is known, socket 4: the connection broke without a close frame.",
        "  Open for 1 min 48 s of 2 min 9 s on record; 1 disconnect, down for 20 s (15.5 %). Records are missing: these times are at the least so long.",
        "  Lost before 2026-01-01T00:02:10.000Z: the connection broke without a close frame; not open again after at least 20 s, where this ends.",
        "  No count of messages is on record.",
      ]
    `);
  });

  test('tells of downtime, and of losses', async () => {
    const [downtime, losses] = [
      await explain(incident(), { question: 'downtime', connection: 'chat:1' }),
      await explain(incident(), { question: 'losses', connection: 'chat:1' }),
    ];
    expect([...downtime.lines.slice(3), ...losses.lines.slice(3)]).toMatchInlineSnapshot(`
      [
        "chat:1 of orders: open for 1 min 56 s of 2 min on record; 1 disconnect, down for 3.5 s (2.92 %). Records are missing: these times are at the least so long.",
        "  From 2026-01-01T00:01:43.500Z to 2026-01-01T00:01:47.000Z: 3.5 s; the peer closed it with 1012 (service restart).",
        "chat:1 of orders: messages: 10 accepted, 8 sent, 7 acknowledged, 1 dropped, 1 unknown, 1 waiting, 0 refused, 0 received; last counted at 2026-01-01T00:01:43.500Z.",
        "  Dropped by reason: 1 EXPIRED.",
        "  2026-01-01T00:01:43.500Z: m9 dropped: EXPIRED.",
        "  2026-01-01T00:01:43.500Z: m8 unknown: OUTCOME_UNKNOWN.",
      ]
    `);
  });

  test('tells how it was at a moment, since when, and why', async () => {
    const { lines, connections } = await explain(incident(), { at: storyTime(104) });
    expect(lines).toMatchInlineSnapshot(`
      [
        "2026-01-01T00:00:00.000Z to 2026-01-01T00:01:43.500Z: 13 records, 1 run; it has no end here.",
        "1 line could not be read: what they said is not known.",
        "At 2026-01-01T00:01:44.000Z, by what was on record until then, 500 ms earlier:",
        "chat:1 of orders: backoff since 2026-01-01T00:01:43.500Z, socket 1: the peer closed it with 1012 (service restart).",
        "  Lost at 2026-01-01T00:01:43.500Z: the peer closed it with 1012 (service restart); not open again after 500 ms, where this ends.",
        "  Since 2026-01-01T00:01:43.500Z it waits 1.82 s for retry 1: asked by the server, at least 1 s for the server or the rules.",
        "feed of prices: open since 2026-01-01T00:00:02.000Z, socket 1.",
      ]
    `);
    expect(connections[0]?.state).toMatchObject({ name: 'backoff', since: storyTime(103.5), wait: { hold: 'server' } });
  });

  test('has the facts as plain JSON', async () => {
    const explanation = await explain(incident(), { question: 'disconnects' });
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    expect(explanation).toMatchObject({ unread: 1, runs: 1, isClosed: false, gaps: { times: 1, records: 12 } });
    const [chat, feed] = explanation.connections;
    expect(chat).toMatchObject({ service: 'orders', connection: 'chat:1', disconnects: 1, downMs: 3_500 });
    expect(chat?.outages[0]).toMatchObject({
      ...{ openedAt: storyTime(0.1), lateSince: storyTime(100), durationMs: 3_500, attempted: 2 },
      end: { how: 'open', session: 'resumed', generation: 3 },
    });
    expect(feed?.outages[0]).toMatchObject({ isStartKnown: false, end: null, openMs: null });
  });

  test('keeps to the time that is asked about', async () => {
    const early = await explain(incident(), { to: storyTime(105) });
    expect(early.connections[0]).toMatchObject({ disconnects: 1, downMs: 1_500, outages: [{ end: null }] });
    const middle = await explain(incident(), { from: storyTime(106), to: storyTime(108) });
    expect(middle.connections[0]).toMatchObject({ disconnects: 1, downMs: 1_000, onRecordMs: 2_000, downShare: 0.5 });
    const late = await explain(incident(), { from: storyTime(108) });
    expect(late.connections[0]).toMatchObject({ disconnects: 0, downMs: 0 });
    const before = await explain(incident(), { at: storyTime(-5) });
    expect(before.lines).toEqual([
      'There is no record of that time.',
      '1 line could not be read: what they said is not known.',
      'There is no connection on record.',
      'How it was at 2025-12-31T23:59:55.000Z is not known.',
    ]);
  });

  test('knows nothing between a process that was killed and the next one', async () => {
    const story = new Story().opened(0).started(0).step(0, 'connecting').step(1, 'open').opened(100);
    story.started(100).step(100, 'connecting').step(101, 'open').add(110, { kind: 'closed' });
    const said =
      'The process ended without a close after 2026-01-01T00:00:01.000Z and before 2026-01-01T00:01:40.000Z: nothing is known in between.';
    for (const question of ['summary', 'disconnects', 'downtime'] as const)
      expect((await explain(story.lines, { question })).lines).toContain(said);
    for (const options of [{ at: storyTime(50) }, { to: storyTime(50) }, { from: storyTime(20), to: storyTime(50) }]) {
      const { lines, connections } = await explain(story.lines, options);
      expect(lines).toContain(said);
      expect(connections[0]).toMatchObject({ downMs: 0, state: { name: null, isCertain: false } });
      expect(connections[0]?.times.open ?? 0).toBe(0);
    }
    expect((await explain(story.lines)).connections[0]).toMatchObject({ onRecordMs: 11_000, times: { open: 9_000 } });
    expect((await explain(story.lines, { from: storyTime(105) })).interruptions.times).toBe(0);
  });

  test('of a real service says what has happened to it', async () => {
    const { connections, isClosed } = await explain(await realStory());
    expect(isClosed).toBe(true);
    expect(connections).toMatchObject([
      {
        connection: 'terminal:one',
        state: { name: null },
        disconnects: 2,
        outages: [
          { failure: { code: 'CLOSED_BY_PEER', closure: { code: 1012 } }, attempted: 2, end: { how: 'open' } },
          { failure: { code: 'CONNECTION_LOST' }, end: { how: 'open' }, openMs: 60_000 },
        ],
        messages: { accepted: 1, sent: 1 },
      },
    ]);
    expect(connections[0]?.outages[1]?.waits.map(({ hold, event }) => [hold, event])).toEqual([
      ['network', 'socket.closed'],
      ['delay', 'network.online'],
    ]);
  });

  test('refuses what it cannot be asked', async () => {
    for (const options of [
      { question: 'who' },
      { at: 1, from: 0 },
      { from: 2, to: 1 },
      { at: 1e300 },
      { connection: '' },
    ]) {
      await expect(explain([], options as never)).rejects.toBeInstanceOf(ConfigurationError);
    }
    await expect(explain(7 as never)).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe('whatever is in a log', () => {
  test('it is explained wherever it is cut', async () => {
    const lines = await realStory();
    for (let from = 0; from < lines.length; from++) {
      const tail = await explain(lines.slice(from), { question: 'disconnects' });
      const head = await explain(lines.slice(0, from), { question: 'downtime' });
      for (const { records, connections } of [tail, head]) {
        expect(records).toBeGreaterThanOrEqual(0);
        for (const { downMs, onRecordMs } of connections) expect(downMs).toBeLessThanOrEqual(onRecordMs);
      }
    }
  });

  test('nothing throws, and no text of it makes a line', async () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('a\nb', '\u202etxet', 'wss://host/?token=1', -1, 1e300, '__proto__'),
    );
    const record = fc.record(
      {
        kind: fc.constantFrom(
          'opened',
          'started',
          'state',
          'step',
          'stopped',
          'died',
          'counts',
          'fate',
          'gap',
          'detached',
          'nonsense',
        ),
        at: fc.oneof(fc.integer({ min: 0, max: 1e6 }), odd),
        mono: odd,
        actor: fc.oneof(fc.constantFrom('a/b/connection:c', 'a/b/connection:c/health', 'a/b/connection:\nc'), odd),
        machine: fc.oneof(fc.constantFrom('connection@1', 'health@1'), odd),
        service: fc.oneof(fc.constant('a'), odd),
        connection: fc.oneof(fc.constant('c'), odd),
        from: fc.oneof(
          fc.constantFrom('idle', 'failed', { backoff: 'told' }, { live: { linked: { established: 'open' } } }),
          odd,
        ),
        to: fc.oneof(
          fc.constantFrom('idle', 'failed', { backoff: 'told' }, { live: { linked: { established: 'open' } } }),
          odd,
        ),
        event: fc.oneof(fc.record({ type: odd, failure: odd, lost: odd }), odd),
        context: fc.oneof(
          fc.dictionary(fc.constantFrom('failure', 'failure.code', 'failure.__proto__.x', '__proto__.x', 'opens'), odd),
          odd,
        ),
        delays: odd,
        transitions: odd,
        droppedBy: odd,
        direction: fc.constantFrom('out', 'in'),
        fate: fc.oneof(fc.constantFrom('dropped', 'unknown'), odd),
        id: odd,
        because: odd,
        error: odd,
        lost: odd,
        since: odd,
      },
      { requiredKeys: ['kind'] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 20 }),
        fc.constantFrom('summary', 'disconnects', 'downtime', 'losses'),
        async (records, question) => {
          const lines = records.map((one) => loose(START, one as never));
          const explanation = await explain(lines, { question: question as 'summary' });
          // eslint-disable-next-line no-control-regex -- naming them is the point
          for (const line of explanation.lines) expect(line).not.toMatch(/[\u0000-\u001f\u2028\u2029\u202a-\u202e]/);
          expect(({} as { x?: unknown }).x).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  });
});
