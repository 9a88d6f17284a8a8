import type { ConnectionStatus, ErrorCode, ServiceEvents } from '../index.ts';

/** What a service tells of the messages of one type of service, since it was made. */
export interface Traffic {
  messagesOut: number;
  messagesIn: number;
  bytesOut: number;
  bytesIn: number;
  dropped: Readonly<Partial<Record<ErrorCode, number>>>;
}

export type Grade = 'unknown' | 'healthy' | 'degraded' | 'critical';

/** What a service tells of the health of one connection. */
export interface Health {
  grade: Grade;
  /** `null` while nothing is known. */
  score: { overall: number | null };
}

interface MeasuredEvents extends Pick<ServiceEvents, 'status' | 'opened' | 'retrying' | 'error'> {
  roundTrip: { connectionId: string; serviceType: string; rttMs: number };
}

/** What metrics are read from: any `EnhancedWebSocketService`. */
export interface MetricsSource {
  on<Type extends keyof MeasuredEvents>(type: Type, listener: (event: MeasuredEvents[Type]) => unknown): () => void;
  getConnections(): readonly ConnectionStatus[];
  getTraffic(): Readonly<Record<string, Traffic>>;
  getHealthInfo(connectionId: string): Health | null;
}

/** How metrics are collected. */
export interface MetricsOptions {
  /** Time that never goes back, in ms, by which connecting is timed. @default performance.now */
  now?: () => number;
}
