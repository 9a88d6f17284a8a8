import { CATALOG, type HistogramKey } from './catalog.ts';
import { Collector } from './collector.ts';
import { expose } from './exposition.ts';
import { Histogram } from './histogram.ts';
import type { MetricsOptions, MetricsSource } from './source.ts';

/** The metrics of one service, until they are stopped. */
export interface Metrics {
  /**
   * All of them, in Prometheus' text format 0.0.4, to be answered as `text/plain; version=0.0.4; charset=utf-8`. Never throws; after the service is
   * destroyed its last totals stay.
   */
  prometheus(): string;
  /** Removes every listener. What had been counted stays, and counts no further. */
  stop(): void;
}

/**
 * Collects the metrics of a service from now on, for Prometheus to fetch. Every series has the label `service`, the type of the service; no label
 * is made of an id, a URL, or what a user or a peer wrote. The README has a row for each metric.
 */
export function createMetrics(service: MetricsSource, options: MetricsOptions = {}): Metrics {
  const histograms = { connectDuration: new Map<string, Histogram>(), rtt: new Map<string, Histogram>() };
  const histogramOf = (metric: HistogramKey, type: string): Histogram => {
    const histogram = histograms[metric].get(type) ?? new Histogram(CATALOG[metric].bounds);
    histograms[metric].set(type, histogram);
    return histogram;
  };
  const collector = new Collector(service, {
    ...options,
    measured: (metric, type, seconds) => {
      histogramOf(metric, type).add(seconds);
    },
  });
  return {
    prometheus: () => expose(collector.readings(), histograms),
    stop: () => {
      collector.stop();
    },
  };
}
