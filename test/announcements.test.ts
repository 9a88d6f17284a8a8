import { describe, expect, test } from 'vitest';

import type { ConnectionEmitted } from '../machines/facts.ts';
import { announce, type AnnouncementFacts } from '../src/announcements.ts';
import { failure, ownClosure } from '../src/core/recovery.ts';
import { ConnectionError } from '../src/errors.ts';

const source = { connectionId: 'c', serviceType: 's' };
const error = new ConnectionError('CONNECTION_LOST');
const giveUp = new ConnectionError('RETRIES_EXHAUSTED');

function announced(emitted: ConnectionEmitted, facts: Partial<AnnouncementFacts> = {}): unknown[] {
  const told: unknown[] = [];
  announce(emitted, {
    source,
    emit: (type, event) => told.push([type, event]),
    error,
    giveUp,
    inDoubt: 0,
    maxRetries: null,
    overflow: 'reject',
    monitor: undefined,
    ...facts,
  });
  return told;
}

describe('what a connection announces', () => {
  test.each<[ConnectionEmitted, Partial<AnnouncementFacts>, unknown[]]>([
    [
      { type: 'opened', isReconnect: true, generation: 3, retries: 2, wire: 'plain', isResumed: false },
      {},
      [['opened', { ...source, isReconnect: true, generation: 3, attempt: 2, wire: 'plain', isResumed: false }]],
    ],
    [
      { type: 'discontinuity', why: 'expired', inDoubt: 2 },
      {},
      [['discontinuity', { ...source, why: 'expired', inDoubt: 2 }]],
    ],
    [{ type: 'failed', failure: failure('LINK_DEAD') }, {}, [['error', error]]],
    [{ type: 'failed', failure: failure('LINK_DEAD') }, { error: null }, []],
    [
      { type: 'retrying', delayMs: 5, attempt: 1, hold: 'network' },
      {},
      [['retrying', { ...source, delayMs: 5, attempt: 1, maxRetries: Infinity, waitingFor: 'network', error }]],
    ],
    [
      { type: 'retrying', delayMs: 5, attempt: 1, hold: 'delay' },
      { maxRetries: 4 },
      [['retrying', { ...source, delayMs: 5, attempt: 1, maxRetries: 4, waitingFor: 'delay', error }]],
    ],
    [{ type: 'gave.up', because: 'exhausted' }, {}, [['gaveUp', { ...source, because: 'exhausted', error: giveUp }]]],
    [{ type: 'congested' }, {}, [['flow', { ...source, isCongested: true }]]],
    [{ type: 'relieved' }, {}, [['flow', { ...source, isCongested: false }]]],
    [{ type: 'overflowed' }, { overflow: 'wait' }, [['overflowed', { ...source, policy: 'wait' }]]],
  ])('%j, the application hears', (emitted, facts, heard) => {
    expect(announced(emitted, facts)).toEqual(heard);
  });

  test('closed by the peer, it hears with what went wrong, and how many messages are in doubt', () => {
    const closure = { code: 1001, reason: 'off', wasClean: true, initiator: 'peer' as const };
    const failed = { ...failure('CLOSED_BY_PEER'), closure };
    expect(announced({ type: 'closed', failure: failed }, { inDoubt: 2 })).toEqual([
      ['closed', { ...source, ...closure, error, inDoubt: 2 }],
    ]);
  });

  test('closed by the application itself, it hears without any error', () => {
    const failed = ownClosure({ code: 4000, reason: 'done' });
    expect(announced({ type: 'closed', failure: failed })).toMatchObject([['closed', { code: 4000, error: null }]]);
  });

  test('a loss of which no closure is known, it hears as 1006', () => {
    expect(announced({ type: 'closed', failure: failure('LINK_DEAD') })).toMatchObject([
      ['closed', { code: 1006, reason: '', wasClean: false, initiator: 'network' }],
    ]);
  });
});
