import { CATALOG, METRIC_KEYS, prometheusName, type Definition, type HistogramKey, type MetricKey } from './catalog.ts';
import type { Labels, Reading } from './counts.ts';
import type { Histogram } from './histogram.ts';

/** The histograms of each metric, by type of service. */
export type Histograms = Readonly<Record<HistogramKey, ReadonlyMap<string, Histogram>>>;

interface Sample {
  suffix: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** All that is known, as Prometheus reads it. A metric without a series is left out. Source: Prometheus, text format 0.0.4. */
export function expose(readings: readonly Reading[], histograms: Histograms): string {
  const samples = new Map<MetricKey, Sample[]>(METRIC_KEYS.map((key) => [key, []]));
  for (const { metric, labels, value } of readings) samples.get(metric)?.push({ suffix: '', labels, value });
  for (const [metric, byService] of Object.entries(histograms) as [HistogramKey, ReadonlyMap<string, Histogram>][]) {
    for (const [service, histogram] of byService) samples.get(metric)?.push(...samplesOf(histogram, { service }));
  }
  return [...samples].map(([metric, list]) => (list.length > 0 ? family(CATALOG[metric], list) : '')).join('');
}

function samplesOf({ buckets, sum }: Histogram, labels: Labels): Sample[] {
  return [
    ...buckets.map(({ bound, count }) => ({
      suffix: '_bucket',
      labels: { ...labels, le: numberText(bound) },
      value: count,
    })),
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: buckets.at(-1)?.count ?? 0 },
  ];
}

function family(definition: Definition, samples: readonly Sample[]): string {
  const name = prometheusName(definition);
  const type = definition.kind === 'upDownCounter' ? 'gauge' : definition.kind;
  const lines = samples.map(({ suffix, labels, value }) => `${name}${suffix}${labelText(labels)} ${numberText(value)}`);
  return `# HELP ${name} ${definition.help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  return value === Infinity ? '+Inf' : `${value}`;
}
