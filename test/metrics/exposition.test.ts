import fc from 'fast-check';
import { Counter, Gauge, Histogram as PeerHistogram, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { CATALOG, METRIC_KEYS, prometheusName, type Definition } from '../../src/metrics/catalog.ts';
import type { Reading } from '../../src/metrics/counts.ts';
import { expose, type Histograms } from '../../src/metrics/exposition.ts';
import { Histogram } from '../../src/metrics/histogram.ts';
import { familiesIn, samplesIn, type ParsedSample } from './parsed.ts';

const HOSTILE = [
  'plain',
  'quo"te',
  'back\\slash',
  'new\nline',
  '\\n',
  '\\"\n\\',
  '} 1\nfake{a="b"} 2 #',
  '日本 🙂',
  ' ',
  '\t\r',
];
const NONE: Histograms = { connectDuration: new Map(), rtt: new Map() };

const connectionsOf = (service: string, value = 1): Reading => ({
  metric: 'connections',
  labels: { service, state: 'open' },
  value,
});

function histogramsOf(measurements: readonly (readonly [service: string, seconds: number])[]): Histograms {
  const rtt = new Map<string, Histogram>();
  for (const [service, seconds] of measurements) {
    const histogram = rtt.get(service) ?? new Histogram(CATALOG.rtt.bounds);
    histogram.add(seconds);
    rtt.set(service, histogram);
  }
  return { connectDuration: new Map(), rtt };
}

/** What prom-client writes when it is given the same values. */
async function peerText(readings: readonly Reading[], rtts: readonly (readonly [string, number])[]): Promise<string> {
  const registry = new Registry();
  for (const key of METRIC_KEYS) {
    const definition: Definition = CATALOG[key];
    const labelNames = ['service', ...definition.labels];
    const options = { name: prometheusName(definition), help: definition.help, labelNames, registers: [registry] };
    const mine = readings.filter(({ metric }) => metric === key);
    if (key === 'rtt' && rtts.length > 0) {
      const histogram = new PeerHistogram({ ...options, buckets: [...CATALOG.rtt.bounds] });
      for (const [service, seconds] of rtts) histogram.observe({ service }, seconds);
    } else if (mine.length > 0) {
      const metric = definition.kind === 'counter' ? new Counter(options) : new Gauge(options);
      for (const { labels, value } of mine) metric.inc(labels, value);
    }
  }
  return registry.metrics();
}

/** The samples of a text in an order that does not depend on who wrote it. */
function sorted(text: string): ParsedSample[] {
  const key = ({ name, labels }: ParsedSample): string => JSON.stringify([name, Object.entries(labels).toSorted()]);
  return samplesIn(text).toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

describe('the text for Prometheus', () => {
  test('is empty where nothing is known', () => {
    expect(expose([], NONE)).toBe('');
  });

  test('is what the format asks for, to the letter', () => {
    const readings: Reading[] = [
      { metric: 'messages', labels: { service: 'chat', direction: 'in' }, value: 12 },
      connectionsOf('chat', 2),
      { metric: 'messages', labels: { service: 'chat', direction: 'out' }, value: 1e21 },
    ];
    expect(expose(readings, NONE)).toBe(
      [
        '# HELP holdfast_connections Connections that are known at present, by the state they are in.',
        '# TYPE holdfast_connections gauge',
        'holdfast_connections{service="chat",state="open"} 2',
        '# HELP holdfast_messages_total Messages that were handed to a socket (out) or came from one (in).',
        '# TYPE holdfast_messages_total counter',
        'holdfast_messages_total{service="chat",direction="in"} 12',
        'holdfast_messages_total{service="chat",direction="out"} 1e+21',
        '',
      ].join('\n'),
    );
  });

  test('has a histogram as buckets that add up, a sum and a count, by service', () => {
    const histograms = histogramsOf([
      ['chat', 0.02],
      ['chat', 0.3],
      ['terminal', 99],
    ]);
    const samples = samplesIn(expose([], histograms)).map(
      ({ name, labels: { service, le = '' }, value }) => `${name} ${service} ${le} ${value}`,
    );
    expect(samples).toContain('holdfast_rtt_seconds_bucket chat 0.025 1');
    expect(samples).toContain('holdfast_rtt_seconds_bucket chat 0.25 1');
    expect(samples).toContain('holdfast_rtt_seconds_bucket chat 0.5 2');
    expect(samples).toContain('holdfast_rtt_seconds_bucket terminal 10 0');
    expect(samples).toContain('holdfast_rtt_seconds_bucket terminal +Inf 1');
    expect(samples).toContain('holdfast_rtt_seconds_sum chat  0.32');
    expect(samples).toContain('holdfast_rtt_seconds_count chat  2');
  });

  test.each(HOSTILE)('says the service %j as it is called, and nothing else of it', (service) => {
    expect(samplesIn(expose([connectionsOf(service)], NONE))).toEqual([
      { name: 'holdfast_connections', labels: { service, state: 'open' }, value: '1' },
    ]);
  });

  test('holds one line per series, whatever a service is called', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 });
    const property = fc.property(names, (services) => {
      const text = expose(
        services.map((service) => connectionsOf(service)),
        NONE,
      );
      expect(samplesIn(text).map(({ labels }) => labels['service'])).toEqual(services);
      expect(text.split('\n').length).toBe(services.length + 3);
    });
    fc.assert(property);
  });

  test('says what prom-client says when it is given the same values', async () => {
    const readings = HOSTILE.flatMap((service, index): Reading[] => [
      connectionsOf(service, index),
      { metric: 'transitions', labels: { service, from: 'open', to: 'backoff' }, value: index * 1e9 },
      { metric: 'health', labels: { service }, value: index / 7 },
    ]);
    const rtts = HOSTILE.flatMap((service, index) =>
      [0.001, 0.1, 0.2, 77].map((rtt) => [service, rtt * index] as const),
    );
    const ours = expose(readings, histogramsOf(rtts));
    const peers = await peerText(readings, rtts);
    expect(familiesIn(ours)).toEqual(familiesIn(peers));
    expect(sorted(ours)).toEqual(sorted(peers));
    expect(sorted(ours).length).toBeGreaterThan(150);
  });
});
