import type { BatchObservableResult, Histogram, Meter, MetricOptions, Observable } from '@opentelemetry/api';
import { CATALOG, METRIC_KEYS, type Definition, type HistogramKey, type PlainKey } from './catalog.ts';
import { Collector } from './collector.ts';
import type { MetricsOptions, MetricsSource } from './source.ts';

/**
 * Tells a meter of OpenTelemetry the metrics of a service from now on: the same as {@link createMetrics}, under the names from which OpenTelemetry
 * makes those for Prometheus. Totals are told when they are collected, round trips and times to connect as they are measured.
 *
 * @returns Ends that, and removes every listener.
 */
export function instrument(service: MetricsSource, meter: Meter, options: MetricsOptions = {}): () => void {
  const histograms = new Map<HistogramKey, Histogram>();
  const observables = new Map<PlainKey, Observable>();
  for (const key of METRIC_KEYS) {
    if (isHistogram(key))
      histograms.set(key, meter.createHistogram(CATALOG[key].name, instrumentOptions(CATALOG[key])));
    else observables.set(key, createObservable(meter, CATALOG[key]));
  }
  const collector = new Collector(service, {
    ...options,
    measured: (metric, type, seconds) => histograms.get(metric)?.record(seconds, { service: type }),
  });
  const instruments = [...observables.values()];
  const observe = (result: BatchObservableResult): void => {
    for (const { metric, value, labels } of collector.readings()) {
      const observable = observables.get(metric);
      if (observable) result.observe(observable, value, labels);
    }
  };
  meter.addBatchObservableCallback(observe, instruments);
  return () => {
    meter.removeBatchObservableCallback(observe, instruments);
    collector.stop();
  };
}

function isHistogram(key: keyof typeof CATALOG): key is HistogramKey {
  return CATALOG[key].kind === 'histogram';
}

function instrumentOptions({ help, unit, bounds }: Definition): MetricOptions {
  return { description: help, unit, ...(bounds && { advice: { explicitBucketBoundaries: [...bounds] } }) };
}

function createObservable(meter: Meter, definition: Definition): Observable {
  const options = instrumentOptions(definition);
  switch (definition.kind) {
    case 'counter':
      return meter.createObservableCounter(definition.name, options);
    case 'upDownCounter':
      return meter.createObservableUpDownCounter(definition.name, options);
    default:
      return meter.createObservableGauge(definition.name, options);
  }
}
