import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import type { ConnectionAccount } from '../../src/audit/explanation.ts';
import { Life } from '../../src/audit/life.ts';
import { WorldStates } from '../../src/audit/states.ts';
import { failed, retryIn, STATES, Story, storyTime } from '../support/audit-story.ts';

const instant = (seconds: number) => ({ at: storyTime(seconds), mono: seconds * 1_000, run: 1 });

/** What a life makes of the records of its connection, up to a time in seconds after midnight. */
function lived(story: Story, until: number, act: (life: Life) => void = () => undefined): ConnectionAccount {
  const life = new Life({ service: 'service', connection: 'chat:1', from: null, states: new WorldStates() });
  for (const line of story.lines) {
    const { record } = JSON.parse(line) as AuditEntry;
    const at = { at: record.at, mono: record.mono, run: 1 };
    if (record.kind === 'started') life.started(record, at);
    if (record.kind === 'state') life.pose(record, at);
    if (record.kind === 'step') life.step(record, at);
    if (record.kind === 'stopped') life.ended('stopped', at);
    if (record.kind === 'died') life.died(at);
    if (record.kind === 'gap') life.gap({ at: record.since, mono: null, run: 1 });
  }
  act(life);
  return life.account(instant(until));
}

const opened = (): Story =>
  new Story()
    .started(0)
    .step(0, 'connecting')
    .step(1, 'open', { context: { opens: 1 } });

describe('downtime', () => {
  test('is from a loss to the next opening, and not before the first', () => {
    const account = lived(opened().step(5, 'waiting', retryIn(500)).step(5.5, 'connecting').step(7, 'open'), 10);
    expect(account).toMatchObject({
      ...{ downMs: 2_000, onRecordMs: 10_000, downShare: 0.2, disconnects: 1 },
      times: { connecting: 2_500, open: 7_000, backoff: 500 },
    });
  });

  test('is none where the application closes', () => {
    const closed = opened().step(5, 'closing').step(6, 'closed').step(8, 'connecting').step(9, 'open');
    expect(lived(closed, 10)).toMatchObject({ downMs: 0, disconnects: 0, state: { name: 'open' } });
  });

  test('ends where the application closes, or where nobody goes on', () => {
    expect(lived(opened().step(5, 'waiting').step(7, 'closed'), 10)).toMatchObject({
      ...{ downMs: 2_000 },
      outages: [{ end: { how: 'closed' } }],
    });
    expect(lived(opened().step(5, 'waiting').ended(8), 10)).toMatchObject({
      ...{ downMs: 3_000, state: { name: null, since: storyTime(8) } },
      outages: [{ end: { how: 'stopped' } }],
    });
  });

  test('goes on where it has been given up', () => {
    const { downMs, outages, state } = lived(opened().step(5, 'waiting').step(6, 'connecting').step(7, 'failed'), 10);
    expect([downMs, outages[0]?.gaveUpAt, state.name]).toEqual([5_000, storyTime(7), 'failed']);
  });

  test('begins where its actor dies, and lasts until another is open', () => {
    const story = opened().ended(5, 'died').started(5).step(5, 'waiting', retryIn(100)).step(5.1, 'connecting');
    expect(lived(story.step(6, 'open'), 10)).toMatchObject({
      ...{ downMs: 1_000, disconnects: 1 },
      outages: [{ event: 'died', failure: { code: 'INTERNAL_FAULT' }, end: { how: 'open' } }],
    });
  });

  test('of an actor that died is on record, until another is there', () => {
    const account = lived(opened().ended(5, 'died').started(8).step(8, 'connecting').step(9, 'open'), 10);
    expect(account).toMatchObject({ downMs: 4_000, onRecordMs: 10_000, downShare: 0.4, hasGaps: false });
  });

  test('is that of a move where another socket begins a session anew', () => {
    const event = { type: 'successor.welcomed', isResumed: false, lost: { why: 'expired', inDoubt: 2 } };
    const moved = opened()
      .step(5, 'connecting', { event })
      .step(5.2, 'open', { context: { wire: 'holdfast.v1' } });
    expect(lived(moved, 10)).toMatchObject({
      ...{ downMs: 200 },
      outages: [
        {
          ...{ failure: null, event: 'successor.welcomed' },
          end: { session: 'new', lost: { why: 'expired', inDoubt: 2 } },
        },
      ],
    });
  });
});

describe('a loss', () => {
  test('says since when the link was late, and how long nothing was heard', () => {
    const life = new Life({ service: 's', connection: 'c', from: null, states: new WorldStates() });
    const step = (seconds: number, from: keyof typeof STATES, to: keyof typeof STATES, fields: object = {}) => {
      const record = { kind: 'step', from: STATES[from], to: STATES[to], event: { type: 'go' }, ...fields };
      life.step(record as never, instant(seconds));
    };
    step(0, 'connecting', 'open');
    life.health({ heartbeat: { doubted: 'probing' } }, instant(10));
    life.health({ heartbeat: { doubted: 'late' } }, instant(12));
    step(12, 'open', 'degraded');
    life.health({ heartbeat: 'dead' }, instant(20));
    step(20, 'degraded', 'waiting', { event: { type: 'health.dead' }, context: { failure: failed('LINK_DEAD') } });
    expect(life.account(instant(21)).outages).toMatchObject([
      { lateSince: storyTime(12), silentMs: 10_000, failure: { code: 'LINK_DEAD' }, openMs: 20_000 },
    ]);
  });

  test('says of which wire it was, where that is known', () => {
    const story = new Story()
      .started(0)
      .step(0, 'connecting')
      .step(1, 'open', { context: { wire: 'plain' } });
    expect(lived(story.step(5, 'waiting', { context: { wire: null } }), 9).outages).toMatchObject([{ wire: 'plain' }]);
    expect(lived(opened().step(5, 'waiting'), 9).outages).toMatchObject([{ wire: null }]);
  });

  test('has the failure of the event where what was before is not on record', () => {
    const story = new Story().state(0, 'open', { context: {} });
    const event = { type: 'socket.closed', failure: failed('CONNECTION_LOST') };
    const transitions = [{ source: 'connection.live', on: 'socket.closed' }];
    const context = { 'failure.strategy': 'reconnect' };
    const { outages } = lived(story.step(4, 'waiting', { event, transitions, context }), 9);
    expect(outages).toMatchObject([{ openedAt: null, failure: { code: 'CONNECTION_LOST' } }]);
  });
});

describe('a gap', () => {
  test('is no time on record, and leaves in doubt what was before', () => {
    const story = opened().add(10, { kind: 'gap', lost: 5, since: storyTime(4) });
    expect(lived(story, 12)).toMatchObject({ onRecordMs: 4_000, state: { name: 'open', isCertain: false } });
  });

  test('may hide a loss, of which the beginning is not known then', () => {
    const story = opened().add(10, { kind: 'gap', lost: 5, since: storyTime(4) });
    story.state(11, 'waiting', { context: { opens: 1, failure: failed('CONNECTION_LOST') } });
    expect(lived(story, 12)).toMatchObject({
      outages: [{ isStartKnown: false, lostAt: storyTime(11), failure: { code: 'CONNECTION_LOST' }, openMs: null }],
    });
  });

  test('may hide the end of an outage', () => {
    const story = opened()
      .step(5, 'waiting')
      .add(10, { kind: 'gap', lost: 5, since: storyTime(6) });
    expect(lived(story.state(11, 'open', { context: {} }), 12)).toMatchObject({
      outages: [{ hasGap: true, end: { how: 'open', isCertain: false, at: storyTime(11) } }],
    });
  });

  test('is no downtime, as it is no time on record', () => {
    const story = opened()
      .step(5, 'waiting')
      .add(10, { kind: 'gap', lost: 5, since: storyTime(6) });
    expect(lived(story.state(11, 'open', { context: {} }), 12)).toMatchObject({
      ...{ downMs: 1_000, onRecordMs: 7_000, hasGaps: true, outages: [{ durationMs: 1_000 }] },
    });
  });

  test('within an outage leaves out what is not known of it alone', () => {
    const story = opened()
      .step(5, 'waiting')
      .add(10, { kind: 'gap', lost: 5, since: storyTime(6) })
      .step(12, 'connecting')
      .step(15, 'open');
    expect(lived(story, 15)).toMatchObject({ downMs: 4_000, onRecordMs: 9_000, outages: [{ durationMs: 4_000 }] });
  });

  test('of a process that ended leaves nothing to be said', () => {
    const account = lived(opened().step(5, 'waiting'), 20, (life) => {
      life.ended('unrecorded', instant(6));
    });
    expect(account).toMatchObject({ downMs: 1_000, onRecordMs: 6_000, outages: [{ end: { how: 'unrecorded' } }] });
  });
});
