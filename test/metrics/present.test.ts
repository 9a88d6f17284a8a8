import { describe, expect, test } from 'vitest';
import { CONNECTION_STATES } from '../../machines/index.ts';
import type { Reading } from '../../src/metrics/counts.ts';
import { readingsOf, type Present } from '../../src/metrics/present.ts';
import { healthOf, statusOf } from './fake-service.ts';

const present = (facts: Partial<Present>): Reading[] =>
  readingsOf({ service: 'terminal', connections: [], health: null, ...facts });

/** The values of a metric by its own label. */
function valuesOf(readings: readonly Reading[], metric: Reading['metric'], label: string): Record<string, number> {
  const mine = readings.filter((reading) => reading.metric === metric);
  return Object.fromEntries(mine.map(({ labels, value }) => [labels[label] ?? '', value]));
}

describe('the readings of what is', () => {
  test('count the connections in every state, also in those that none is in', () => {
    const connections = [
      statusOf('terminal:a', 'open'),
      statusOf('terminal:b', 'open'),
      statusOf('terminal:c', 'failed'),
    ];
    const values = valuesOf(present({ connections }), 'connections', 'state');
    expect(Object.keys(values).toSorted()).toEqual([...CONNECTION_STATES].toSorted());
    expect(values).toMatchObject({ open: 2, failed: 1, connecting: 0 });
  });

  test('add up what waits in all of them', () => {
    const connections = [statusOf('terminal:a', 'open', 2), statusOf('terminal:b', 'backoff', 40)];
    expect(valuesOf(present({ connections }), 'outboxMessages', 'service')).toEqual({ terminal: 42 });
  });

  test('are of health only where it is monitored', () => {
    const metrics = present({ connections: [statusOf('terminal:a', 'open')] }).map(({ metric }) => metric);
    expect([...new Set(metrics)]).toEqual(['connections', 'outboxMessages']);
  });

  test('count every grade, and take the mean of the scores that are known, from 0 to 1', () => {
    const readings = present({ health: healthOf({ healthy: 1, critical: 1, unknown: 1, averageScore: 55 }) });
    expect(valuesOf(readings, 'healthConnections', 'grade')).toEqual({
      unknown: 1,
      healthy: 1,
      degraded: 0,
      critical: 1,
    });
    expect(valuesOf(readings, 'health', 'service')).toEqual({ terminal: 0.55 });
  });

  test('have no mean where no score is known', () => {
    const readings = present({ health: healthOf({ unknown: 1 }) });
    expect(readings.filter(({ metric }) => metric === 'health')).toEqual([]);
    expect(valuesOf(readings, 'healthConnections', 'grade')).toMatchObject({ unknown: 1 });
  });
});
