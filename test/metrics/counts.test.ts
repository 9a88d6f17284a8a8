import { describe, expect, test } from 'vitest';
import { Counts } from '../../src/metrics/counts.ts';

describe('counts', () => {
  test('count each series by itself', () => {
    const counts = new Counts();
    counts.increment('errors', { service: 'terminal', reason: 'LINK_DEAD' });
    counts.increment('errors', { service: 'terminal', reason: 'LINK_DEAD' });
    counts.increment('errors', { service: 'chat', reason: 'LINK_DEAD' });
    counts.increment('reconnects', { service: 'terminal', reason: 'LINK_DEAD' });
    expect(counts.readings).toEqual([
      { metric: 'errors', labels: { service: 'terminal', reason: 'LINK_DEAD' }, value: 2 },
      { metric: 'errors', labels: { service: 'chat', reason: 'LINK_DEAD' }, value: 1 },
      { metric: 'reconnects', labels: { service: 'terminal', reason: 'LINK_DEAD' }, value: 1 },
    ]);
  });

  test('tell apart labels that read alike when they are put together', () => {
    const counts = new Counts();
    counts.increment('errors', { service: 'a","b', reason: 'c' });
    counts.increment('errors', { service: 'a', reason: 'b","c' });
    expect(counts.readings.map(({ value }) => value)).toEqual([1, 1]);
  });

  test('take a total over from elsewhere, from 0 on, and never go down', () => {
    const counts = new Counts();
    const labels = { service: 'terminal', direction: 'out' };
    const after = (total: number): number | undefined => {
      counts.raise('messages', labels, total);
      return counts.readings[0]?.value;
    };
    expect([0, 7, 3, NaN, Infinity, -1, 8].map(after)).toEqual([0, 7, 7, 7, 7, 7, 8]);
  });

  test('know nothing of a series whose first total is no number', () => {
    const counts = new Counts();
    counts.raise('messages', { service: 'terminal', direction: 'out' }, NaN);
    expect(counts.readings).toEqual([]);
  });
});
