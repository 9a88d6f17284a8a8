export { instrument } from './opentelemetry.ts';
export { createMetrics, type Metrics } from './prometheus.ts';
export type { MetricsOptions, MetricsSource } from './source.ts';
