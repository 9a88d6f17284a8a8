import { describe, expect, test } from 'vitest';

import { DEFAULT_POLICY } from '../../machines/policy.ts';
import {
  attempt,
  away,
  closed,
  closedWith,
  demanded,
  LEAVES,
  restore,
  running,
  sessionAttempt,
  WAYS,
  type Leaf,
} from '../models/connection-cases.ts';

const { promptMs, offlineMs, baseMs } = DEFAULT_POLICY.backoff;
const frozen = { type: 'page.frozen' } as const;
const visible = { type: 'page.visible' } as const;
const hidden = { type: 'page.hidden' } as const;

const held: Leaf[] = LEAVES.filter((leaf) => !['idle', 'draining', 'closing', 'closed', 'failed'].includes(leaf));

describe('a page that is frozen', () => {
  test.each(held)('lets go of a connection that is %s: it keeps no socket and no timer (pain 37)', (leaf) => {
    const connection = running();
    connection.tell(...WAYS[leaf], frozen);
    expect([connection.leaf(), Object.keys(connection.snapshot().children)]).toEqual(['suspended', ['outbox']]);
    expect(connection.clock.pending()).toBe(0);
    expect(connection.emitted.at(-1)).toMatchObject({ type: 'retrying', delayMs: null, hold: 'page' });
  });

  test.each<Leaf>(['draining', 'closing'])('ends the close of a connection that is %s', (leaf) => {
    const connection = running();
    connection.tell(...WAYS[leaf], frozen);
    expect([connection.leaf(), connection.clock.pending()]).toEqual(['closed', 0]);
    expect(connection.emitted.at(-1)).toMatchObject({ type: 'closed', failure: { code: 'CLOSED_LOCALLY' } });
  });

  test.each<Leaf>(['idle', 'closed', 'failed'])('leaves a connection alone that is %s', (leaf) => {
    const connection = running();
    connection.tell(...WAYS[leaf], frozen, visible);
    expect(connection.leaf()).toBe(leaf);
  });

  test('says why its link is gone, and that this side let go of it', () => {
    const connection = running();
    connection.tell(...WAYS.open, frozen);
    const failure = { code: 'PAGE_FROZEN', category: 'lifecycle', closure: { code: 1006, initiator: 'local' } };
    expect(connection.emitted.slice(1)).toMatchObject([
      { type: 'closed', failure },
      { type: 'failed', failure },
      { type: 'retrying', attempt: 0 },
    ]);
  });

  test('costs no retry, and is no reason to give up', () => {
    const connection = running({ policy: { maxRetries: 0 } });
    connection.tell(...WAYS.open);
    for (let generation = 2; generation <= 5; generation++) {
      connection.tell(frozen, visible);
      connection.clock.advance(promptMs);
      connection.tell(...attempt(generation));
      expect([connection.leaf(), connection.snapshot().context.retries]).toEqual(['open', 0]);
    }
  });

  test('keeps the reason of the wait that it interrupts, and what was counted', () => {
    const connection = running();
    connection.tell(...WAYS.waiting, frozen);
    const { retries, failure } = connection.snapshot().context;
    expect([retries, failure?.code]).toEqual([1, 'CONNECTION_LOST']);
    expect(connection.emitted.filter(({ type }) => type === 'failed')).toHaveLength(1);
  });

  test('makes no attempt by itself, for however long', () => {
    const connection = running();
    connection.tell(...WAYS.open, frozen);
    connection.clock.advance(86_400_000);
    connection.tell({ type: 'network.offline' }, { type: 'network.online' }, { type: 'system.woke' }, frozen);
    expect([connection.leaf(), connection.snapshot().context.generation]).toEqual(['suspended', 1]);
  });

  test('does what the application asks for all the same, and waits again when that fails', () => {
    const connection = running();
    connection.tell(...WAYS.suspended, { type: 'connect' });
    expect(connection.leaf()).toBe('queued');
    connection.tell(...attempt(2).slice(0, 3), closed(2));
    expect([connection.leaf(), connection.snapshot().context.retries]).toEqual(['suspended', 1]);
  });

  test('keeps waiting for a connection whose actor died meanwhile', () => {
    const connection = running();
    connection.tell(frozen, { ...restore, known: { ...restore.known, generation: 5 } });
    expect([connection.leaf(), connection.clock.pending()]).toEqual(['suspended', 0]);
    connection.tell(visible);
    connection.clock.advance(promptMs);
    expect([connection.leaf(), connection.snapshot().context.generation]).toEqual(['queued', 5]);
  });

  test('still gives up for what only the application can mend', () => {
    const connection = running();
    connection.tell(...WAYS.suspended, { type: 'connect' }, ...attempt(2).slice(0, 3), closed(2, closedWith(1008)));
    expect(connection.leaf()).toBe('failed');
  });

  test.each([
    ['fresh credentials', demanded],
    ['being left', away()],
  ])('drops what the server asked for: %s', (_what, wish) => {
    const connection = running({ policy: { wire: 'required' } });
    connection.tell({ type: 'connect' }, ...sessionAttempt(1), wish, frozen);
    expect([connection.leaf(), connection.clock.pending()]).toEqual(['suspended', 0]);
  });
});

describe('a page that lives again', () => {
  test('connects at once, spread by chance (pain 37)', () => {
    const waits = Array.from({ length: 20 }, (_, seed) => {
      const connection = running({ seed });
      connection.tell(...WAYS.suspended, visible);
      expect(connection.leaf()).toBe('waiting');
      const { retryDelayMs } = connection.snapshot().context;
      connection.clock.advance(promptMs);
      expect(connection.leaf()).toBe('queued');
      return retryDelayMs;
    });
    expect(new Set(waits).size).toBeGreaterThan(10);
    expect(Math.max(...waits)).toBeLessThanOrEqual(promptMs);
    expect(promptMs).toBeLessThan(baseMs);
  });

  test('connects at once also while nobody looks at it', () => {
    const connection = running();
    connection.tell(...WAYS.suspended, hidden);
    expect(connection.leaf()).toBe('hidden');
    connection.clock.advance(promptMs);
    expect(connection.leaf()).toBe('queued');
  });

  test.each([visible, hidden])('waits for the network first, where that is reported absent, on $type', (thaw) => {
    const connection = running();
    connection.tell(...WAYS.suspended, { type: 'network.offline' }, thaw);
    const { retryDelayMs } = connection.snapshot().context;
    expect([connection.leaf(), retryDelayMs >= offlineMs / 2]).toEqual(['offline', true]);
  });

  test('waits as any other after an attempt that failed', () => {
    const connection = running();
    connection.tell(...WAYS.suspended, visible);
    connection.clock.advance(promptMs);
    connection.tell(...attempt(2).slice(0, 3), closed(2));
    const { retries, retryDelayMs } = connection.snapshot().context;
    expect([connection.leaf(), retries, retryDelayMs >= baseMs]).toEqual(['waiting', 1, true]);
  });
});
