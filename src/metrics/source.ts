import type { EnhancedWebSocketService } from '../index.ts';

/** What metrics are read from: any `EnhancedWebSocketService`. */
export type MetricsSource = Pick<EnhancedWebSocketService, 'on' | 'getConnections' | 'getTraffic' | 'getHealthInfo'>;

/** How metrics are collected. */
export interface MetricsOptions {
  /** Time that never goes back, in ms, by which connecting is timed. @default performance.now */
  now?: () => number;
}
