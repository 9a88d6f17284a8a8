import type {
  ConnectionState,
  ConnectionStatus,
  ErrorCode,
  HealthCounts,
  HealthInfo,
  HealthSummary,
  MessageOf,
  ServiceEvents,
  Services,
  Traffic,
} from '../../src/index.ts';
import { HoldfastError } from '../../src/index.ts';
import type { MetricsSource } from '../../src/metrics/source.ts';

type Told = ServiceEvents<MessageOf<Services>>;

/** A service of which the test says what it tells. */
export class FakeService implements MetricsSource {
  readonly #listeners = new Map<string, Set<(event: never) => unknown>>();
  connections: ConnectionStatus[] = [];
  traffic: Record<string, Traffic> = {};
  /** By type of service; nothing is known of the others. */
  health: Record<string, HealthCounts> = {};

  on<Type extends keyof Told>(type: Type, listener: (event: Told[Type]) => unknown): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  getConnections(): ConnectionStatus[] {
    return this.connections;
  }

  getTraffic(): Record<string, Traffic> {
    return this.traffic;
  }

  getHealthInfo(): HealthSummary;
  getHealthInfo(connectionId: string): HealthInfo | null;
  getHealthInfo(connectionId?: string): HealthSummary | HealthInfo | null {
    return connectionId === undefined ? { ...healthOf({}), byService: this.health } : null;
  }

  /** How many listeners there are. */
  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  emit<Type extends keyof Told>(type: Type, event: Told[Type]): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }

  /** A connection goes through these states, and tells it. */
  moves(connectionId: string, ...states: ConnectionState[]): void {
    for (const [index, current] of states.slice(1).entries()) {
      const previous = states[index] ?? 'idle';
      this.emit('status', { ...sourceOf(connectionId), previous, current });
    }
  }

  opens(connectionId: string, isReconnect = false): void {
    const link = { generation: 1, attempt: 0, wire: 'plain', isResumed: false } as const;
    this.emit('opened', { ...sourceOf(connectionId), isReconnect, ...link });
  }

  /** It will be tried again, after a failure of this code. */
  retries(connectionId: string, code: ErrorCode | null): void {
    const error = code && new HoldfastError(code, sourceOf(connectionId));
    const facts = { delayMs: 100, attempt: 1, maxRetries: Infinity, waitingFor: 'delay' } as const;
    this.emit('retrying', { ...sourceOf(connectionId), ...facts, error });
  }
}

/** `terminal:one` is a connection of the service `terminal`. */
export function sourceOf(connectionId: string): { connectionId: string; serviceType: string } {
  return { connectionId, serviceType: connectionId.split(':')[0] ?? '' };
}

export function statusOf(connectionId: string, state: ConnectionState, waiting = 0): ConnectionStatus {
  return {
    ...sourceOf(connectionId),
    state,
    detail: state,
    since: 0,
    attempt: 0,
    retryAt: null,
    generation: 1,
    flow: 'detached',
    wire: null,
    rttMs: null,
    lastError: null,
    messages: {
      accepted: waiting,
      sent: 0,
      acknowledged: 0,
      dropped: 0,
      droppedBy: {},
      unknown: 0,
      waiting,
      waitingBytes: 0,
      refused: 0,
      received: 0,
    },
  };
}

export function trafficOf(traffic: Partial<Traffic>): Traffic {
  return { messagesOut: 0, messagesIn: 0, bytesOut: 0, bytesIn: 0, dropped: {}, ...traffic };
}

export function healthOf(counts: Partial<HealthCounts>): HealthCounts {
  return { total: 0, healthy: 0, degraded: 0, critical: 0, unknown: 0, averageScore: null, ...counts };
}
