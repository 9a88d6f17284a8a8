import { MeterProvider, type MetricData } from '@opentelemetry/sdk-metrics';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../src/index.ts';
import { CATALOG, METRIC_KEYS, type Definition } from '../../src/metrics/catalog.ts';
import { instrument } from '../../src/metrics/opentelemetry.ts';
import { FakeService, healthOf, sourceOf, statusOf, trafficOf } from './fake-service.ts';
import { TestReader } from './test-reader.ts';

interface Stage {
  service: FakeService;
  read: () => Promise<MetricData[]>;
  stop: () => void;
}

function stage(): Stage {
  const reader = new TestReader();
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const service = new FakeService();
  let nowMs = 0;
  const stop = instrument(service, provider.getMeter('holdfast'), { now: () => (nowMs += 30) });
  return { service, stop, read: () => reader.read() };
}

/** A service of which there is something to tell by every metric. */
function busy(service: FakeService): void {
  service.connections = [statusOf('terminal:a', 'open', 5), statusOf('terminal:b', 'backoff', 2)];
  service.health = { terminal: healthOf({ degraded: 1, averageScore: 40 }) };
  service.traffic = { terminal: trafficOf({ messagesOut: 7, bytesIn: 900, dropped: { EXPIRED: 3 } }) };
  service.moves('terminal:a', 'idle', 'connecting', 'open');
  service.retries('terminal:a', 'LINK_DEAD');
  service.opens('terminal:a', true);
  service.emit('error', new HoldfastError('LINK_DEAD', sourceOf('terminal:a')));
  for (const rttMs of [20, 300]) service.emit('roundTrip', { ...sourceOf('terminal:a'), rttMs });
}

const byName = (metrics: readonly MetricData[], name: string): MetricData | undefined =>
  metrics.find(({ descriptor }) => descriptor.name === name);
const pointsOf = (metrics: readonly MetricData[], name: string): unknown[] =>
  (byName(metrics, name)?.dataPoints ?? []).map(({ attributes, value }) => [attributes, value]);

describe('a meter that instruments a service', () => {
  test('has an instrument for each metric, with its unit and what it says', async () => {
    const { service, read } = stage();
    busy(service);
    const told = (await read()).map(({ descriptor: { name, unit, description } }) => ({ name, unit, description }));
    const expected = METRIC_KEYS.map((key) => CATALOG[key]).map(({ name, unit, help }) => ({
      name,
      unit,
      description: help,
    }));
    const inOrder = (list: typeof told): typeof told => list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(inOrder(told)).toEqual(inOrder(expected));
  });

  test('reads totals and states when it collects', async () => {
    const { service, read } = stage();
    busy(service);
    const metrics = await read();
    expect(pointsOf(metrics, 'holdfast.connections')).toContainEqual([{ service: 'terminal', state: 'backoff' }, 1]);
    expect(pointsOf(metrics, 'holdfast.connections')).toContainEqual([{ service: 'terminal', state: 'failed' }, 0]);
    expect(pointsOf(metrics, 'holdfast.outbox.messages')).toEqual([[{ service: 'terminal' }, 7]]);
    expect(pointsOf(metrics, 'holdfast.messages')).toContainEqual([{ service: 'terminal', direction: 'out' }, 7]);
    expect(pointsOf(metrics, 'holdfast.io')).toContainEqual([{ service: 'terminal', direction: 'in' }, 900]);
    expect(pointsOf(metrics, 'holdfast.dropped.messages')).toEqual([[{ service: 'terminal', reason: 'EXPIRED' }, 3]]);
    expect(pointsOf(metrics, 'holdfast.reconnects')).toEqual([[{ service: 'terminal', reason: 'LINK_DEAD' }, 1]]);
    expect(pointsOf(metrics, 'holdfast.errors')).toEqual([[{ service: 'terminal', reason: 'LINK_DEAD' }, 1]]);
    expect(pointsOf(metrics, 'holdfast.health')).toEqual([[{ service: 'terminal' }, 0.4]]);
    expect(pointsOf(metrics, 'holdfast.health.connections')).toContainEqual([
      { service: 'terminal', grade: 'degraded' },
      1,
    ]);
    expect(pointsOf(metrics, 'holdfast.transitions')).toContainEqual([
      { service: 'terminal', from: 'connecting', to: 'open' },
      1,
    ]);
  });

  test('records measurements in buckets of the same bounds as those for Prometheus', async () => {
    const { service, read } = stage();
    busy(service);
    const metrics = await read();
    expect(pointsOf(metrics, 'holdfast.rtt')).toMatchObject([
      [{ service: 'terminal' }, { count: 2, sum: 0.32, buckets: { boundaries: CATALOG.rtt.bounds } }],
    ]);
    expect(pointsOf(metrics, 'holdfast.connect.duration')).toMatchObject([
      [{ service: 'terminal' }, { count: 1, sum: 0.03, buckets: { boundaries: CATALOG.connectDuration.bounds } }],
    ]);
  });

  test('knows what can be added up, and what only rises', async () => {
    const { service, read } = stage();
    busy(service);
    const metrics = await read();
    for (const key of METRIC_KEYS) {
      const { name, kind }: Definition = CATALOG[key];
      const data = byName(metrics, name) as MetricData & { isMonotonic?: boolean };
      expect([name, data.isMonotonic]).toEqual([name, { counter: true, upDownCounter: false }[kind as string]]);
    }
  });

  test('leaves neither a listener nor a callback behind when that ends', async () => {
    const { service, read, stop } = stage();
    busy(service);
    stop();
    stop();
    expect(service.listeners).toBe(0);
    busy(service);
    expect(pointsOf(await read(), 'holdfast.connections')).toEqual([]);
    expect(pointsOf(await read(), 'holdfast.rtt')).toMatchObject([[{}, { count: 2 }]]);
  });
});
