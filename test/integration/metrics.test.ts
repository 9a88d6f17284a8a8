import { MeterProvider, type MetricData } from '@opentelemetry/sdk-metrics';
import { describe, expect, onTestFinished, test } from 'vitest';

import { createMetrics, instrument } from '../../src/metrics/index.ts';
import { samplesIn, valuesIn } from '../metrics/parsed.ts';
import { TestReader } from '../metrics/test-reader.ts';
import { startClient, type TestClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { startNode } from '../support/nodes.ts';
import { bothWays, ShapedProxy } from '../support/shaped-proxy.ts';

interface Stage {
  proxy: ShapedProxy;
  client: TestClient;
  reader: TestReader;
  prometheus: () => string;
}

/** A client and a server of holdfast.v1 with 20 ms between them, and both kinds of metrics on the client. */
async function stage(): Promise<Stage> {
  const node = await startNode();
  const proxy = new ShapedProxy(node.port, bothWays({ delayMs: 10 }));
  await proxy.listen();
  onTestFinished(() => proxy.stop());
  const heartbeat = { intervalMs: 25, promptMs: 25 };
  const client = startClient({ url: proxy.url, wire: 'required', profile: { codec: 'json' }, heartbeat });
  const reader = new TestReader();
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const metrics = createMetrics(client.service);
  const stop = instrument(client.service, provider.getMeter('holdfast'));
  onTestFinished(() => {
    metrics.stop();
    stop();
  });
  return { proxy, client, reader, prometheus: () => metrics.prometheus() };
}

/** Messages, a loss, a return, and a few round trips. */
async function live({ client, proxy }: Stage): Promise<void> {
  const id = await client.connect();
  for (let n = 0; n < 20; n++) await client.service.sendMessage(id, { n });
  let roundTrips = 0;
  const remove = client.service.on('roundTrip', () => (roundTrips += 1));
  await until('there are round trips', () => roundTrips >= 10);
  remove();
  proxy.cut();
  await client.nth('opened', 2);
  await client.service.sendMessage(id, { n: 20 });
}

/** What OpenTelemetry was told, by the names and labels that Prometheus has. Histograms by their counts. */
function translated(metrics: readonly MetricData[]): Record<string, number> {
  const suffixes: Record<string, string> = { s: '_seconds_count', By: '_bytes', '1': '_ratio' };
  const entries = metrics.flatMap(({ descriptor: { name, unit }, dataPoints, ...data }) =>
    dataPoints.map(({ attributes, value }): [string, number] => {
      const total = 'isMonotonic' in data && data.isMonotonic ? '_total' : '';
      const labels = JSON.stringify(Object.entries(attributes).toSorted());
      const number = typeof value === 'number' ? value : (value as { count: number }).count;
      return [`${name.replaceAll('.', '_')}${suffixes[unit] ?? ''}${total} ${labels}`, number];
    }),
  );
  return Object.fromEntries(entries);
}

/** What Prometheus was told, in the same form. */
function told(text: string): Record<string, number> {
  const entries = samplesIn(text)
    .filter(({ name }) => !/_(bucket|sum)$/.test(name))
    .map(({ name, labels, value }): [string, number] => [
      `${name} ${JSON.stringify(Object.entries(labels).toSorted())}`,
      Number(value),
    ]);
  return Object.fromEntries(entries);
}

describe('the metrics of a service at work', () => {
  test('say what happened', async () => {
    const scene = await stage();
    await live(scene);
    const text = scene.prometheus();
    expect(valuesIn(text, 'holdfast_connections')).toMatchObject({ 'main open': 1, 'main backoff': 0 });
    expect(valuesIn(text, 'holdfast_reconnects_total')).toEqual({ 'main CONNECTION_LOST': 1 });
    expect(valuesIn(text, 'holdfast_transitions_total')).toMatchObject({ 'main connecting open': 2 });
    expect(valuesIn(text, 'holdfast_messages_total')['main out']).toBeGreaterThanOrEqual(21);
    expect(valuesIn(text, 'holdfast_io_bytes_total')['main out']).toBeGreaterThan(21 * '{"n":1}'.length - 1);
    expect(valuesIn(text, 'holdfast_connect_duration_seconds_count')).toEqual({ main: 2 });
    expect(valuesIn(text, 'holdfast_health_connections')).toHaveProperty('main healthy');
  });

  test('have round trips as long as they are', async () => {
    const scene = await stage();
    await live(scene);
    const text = scene.prometheus();
    const { main: sum = 0 } = valuesIn(text, 'holdfast_rtt_seconds_sum');
    const { main: count = 0 } = valuesIn(text, 'holdfast_rtt_seconds_count');
    expect(count).toBeGreaterThanOrEqual(10);
    expect(Math.abs((sum / count) * 1_000 - (scene.proxy.truth.rttMs ?? 0))).toBeLessThan(5);
  });

  test('are the same for Prometheus and for OpenTelemetry, series by series', async () => {
    const scene = await stage();
    await live(scene);
    await scene.client.service.disconnect('main');
    const [ours, theirs] = [told(scene.prometheus()), translated(await scene.reader.read())];
    expect(Object.keys(ours).length).toBeGreaterThan(25);
    expect(theirs).toEqual(ours);
  });

  test('outlive the service', async () => {
    const scene = await stage();
    await live(scene);
    await scene.client.service.disconnect('main');
    const before = told(scene.prometheus());
    await scene.client.service.destroy();
    const after = told(scene.prometheus());
    const totals = (values: Record<string, number>): string[] =>
      Object.entries(values).flatMap(([name, value]) => (/_(total|count) /.test(name) ? `${name} ${value}` : []));
    expect(totals(after)).toEqual(totals(before));
    expect(totals(translated(await scene.reader.read())).toSorted()).toEqual(totals(before).toSorted());
  });
});
