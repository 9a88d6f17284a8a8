import { describe, expect, test } from 'vitest';

import { DEFAULT_POLICY } from '../../machines/policy.ts';
import {
  attempt,
  closed,
  closedWith,
  connect,
  running,
  WAYS,
  type Given,
  type Running,
} from '../models/connection-cases.ts';

const { offlineMs, hiddenMs } = DEFAULT_POLICY.backoff;
const ASKED_MS = 5_000;
const signals = {
  'a system that wakes': [{ type: 'system.woke' }],
  'a page that is looked at again': [{ type: 'page.hidden' }, { type: 'page.visible' }],
  'a network that is back': [{ type: 'network.offline' }, { type: 'network.online' }],
} as const;

/** A connection whose peer has asked it to stay away for 5 s. */
function told(given?: Given): { connection: Running; waitMs: number } {
  const connection = running(given);
  connection.tell(...WAYS.told);
  const { leaf, snapshot } = connection;
  expect(leaf()).toBe('told');
  return { connection, waitMs: snapshot().context.retryDelayMs };
}

describe('a connection that is told to stay away', () => {
  test('says that it waits for the server, no less than was asked for and spread over as long again', () => {
    const waits = Array.from({ length: 20 }, (_, seed) => told({ seed }).waitMs);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(ASKED_MS);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2 * ASKED_MS);
    expect(new Set(waits).size).toBeGreaterThan(10);
    expect(told().connection.emitted.at(-1)).toMatchObject({ type: 'retrying', hold: 'server', attempt: 1 });
  });

  test.each(Object.entries(signals))('is neither hurried nor kept waiting by %s, however often', (_what, events) => {
    const { connection, waitMs } = told();
    const said = connection.emitted.length;
    for (let elapsed = 0; elapsed + 500 < waitMs; elapsed += 500) {
      connection.tell(...events);
      connection.clock.advance(500);
    }
    expect([connection.leaf(), connection.emitted.length]).toEqual(['told', said]);
    connection.clock.advance(500);
    expect(connection.leaf()).toBe('queued');
  });

  test('is joined by an application that connects, however often', () => {
    const { connection, waitMs } = told();
    for (let elapsed = 0; elapsed + 500 < waitMs; elapsed += 500) {
      connection.tell(connect);
      connection.clock.advance(500);
    }
    expect(connection.leaf()).toBe('told');
    connection.clock.advance(500);
    connection.tell(...attempt(2));
    expect(connection.leaf()).toBe('open');
  });

  test('connects at once for an application that closes it first', () => {
    const { connection } = told();
    connection.tell({ type: 'disconnect', code: 1000, reason: '' }, connect);
    expect(connection.leaf()).toBe('queued');
  });

  test('waits for the network once the time is over, where that is reported absent', () => {
    const { connection, waitMs } = told();
    connection.tell({ type: 'network.offline' });
    connection.clock.advance(waitMs);
    const { retryDelayMs } = connection.snapshot().context;
    expect([connection.leaf(), retryDelayMs <= offlineMs]).toEqual(['offline', true]);
    connection.tell({ type: 'network.online' });
    connection.clock.advance(DEFAULT_POLICY.backoff.promptMs);
    expect(connection.leaf()).toBe('queued');
  });

  test('stays away for longer while nobody looks at its page', () => {
    const { waitMs } = told({ page: 'hidden' });
    expect(waitMs).toBeGreaterThanOrEqual(hiddenMs / 2);
  });

  test('stays away again for as long once its page has been frozen: nobody knows for how long that was', () => {
    const { connection } = told();
    connection.tell({ type: 'page.frozen' });
    expect([connection.leaf(), connection.clock.pending()]).toEqual(['suspended', 0]);
    connection.tell({ type: 'page.visible' });
    expect(connection.leaf()).toBe('told');
    expect(connection.snapshot().context.retryDelayMs).toBeGreaterThanOrEqual(ASKED_MS);
  });

  test('is told by the last failure only', () => {
    const { connection, waitMs } = told();
    connection.clock.advance(waitMs);
    connection.tell(...attempt(2).slice(0, 3), closed(2, closedWith(1006)));
    expect(connection.leaf()).toBe('waiting');
  });
});
