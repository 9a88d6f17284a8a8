import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CATALOG, METRIC_KEYS, prometheusName, type Definition } from '../../src/metrics/catalog.ts';

const definitions = METRIC_KEYS.map((key): Definition => CATALOG[key]);
const NAMES = [
  'holdfast_connections',
  'holdfast_transitions_total',
  'holdfast_reconnects_total',
  'holdfast_errors_total',
  'holdfast_connect_duration_seconds',
  'holdfast_rtt_seconds',
  'holdfast_messages_total',
  'holdfast_io_bytes_total',
  'holdfast_outbox_messages',
  'holdfast_dropped_messages_total',
  'holdfast_health_ratio',
  'holdfast_health_connections',
];

describe('the catalog of metrics', () => {
  test('has exactly the names that dashboards are built on', () => {
    expect(definitions.map(prometheusName)).toEqual(NAMES);
  });

  test('has names and labels that Prometheus takes, and none that it keeps for itself', () => {
    for (const definition of definitions) {
      expect(prometheusName(definition)).toMatch(/^[a-z][a-z_]*$/);
      for (const label of definition.labels) expect(label).toMatch(/^(?!service$|le$|quantile$)[a-z]+$/);
    }
  });

  test('describes each metric in one line that needs no escaping', () => {
    for (const { help } of definitions) expect(help).toMatch(/^[^\\\n]+\.$/);
  });

  test('has buckets from small to large', () => {
    for (const { kind, bounds = [] } of definitions) {
      expect(bounds.length > 0).toBe(kind === 'histogram');
      expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
    }
  });

  test('is the table in the README, row by row', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const [, after = ''] = readme.split('<!-- metrics:start -->');
    const [table = ''] = after.split('<!-- metrics:end -->');
    expect(table.trim().split('\n').slice(2)).toEqual(definitions.map(rowOf));
  });
});

function rowOf(definition: Definition): string {
  const { kind, name, unit, labels, help } = definition;
  const type = kind === 'upDownCounter' ? 'gauge' : kind;
  const labelled = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${prometheusName(definition)}\` | ${type} | ${labelled} | \`${name}\`, \`${unit}\` | ${help} |`;
}
