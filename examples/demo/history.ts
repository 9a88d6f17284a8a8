import { ConnectionError, type ConnectionState, type EnhancedWebSocketService } from 'holdfast';

import type { ServiceName } from './client.ts';

interface Drop {
  at: number;
  generation: number;
  /** The error's code. */
  code: string;
}

interface Opening {
  at: number;
  /** Whether its session is the one from before. */
  isResumed: boolean;
}

/** A session on holdfast.v1 that was lost. */
interface Discontinuity {
  why: string;
  /** How many messages nobody can say anything of. */
  inDoubt: number;
}

/** A wait that was announced. */
export interface Retry {
  delayMs: number;
  attempt: number;
  /** The HTTP status of the handshake that was refused before; `null` where none was. */
  httpStatus: number | null;
}

/** What has happened to one connection, as its events told. Times are those of `performance.now()`. */
export class History {
  /** Each loss of an open socket. */
  readonly drops: Drop[] = [];
  readonly retries: Retry[] = [];
  readonly openings: Opening[] = [];
  readonly discontinuities: Discontinuity[] = [];
  state: ConnectionState = 'idle';
  /** The socket in use or last used, from 1. */
  generation = 0;
  openedAt = 0;

  /** Whether messages flow. */
  get isUsable(): boolean {
    return this.state === 'open' || this.state === 'degraded';
  }

  /** Whether this socket was lost. */
  isDead(generation: number): boolean {
    return this.drops.some((drop) => drop.generation === generation);
  }
}

/** Writes the events of a service into the histories of its connections. */
export function keepHistories(service: EnhancedWebSocketService, of: (name: ServiceName) => History): void {
  // each service type of the demo has one connection
  const historyOf = (serviceType: string): History => of(serviceType as ServiceName);
  service.on('status', ({ serviceType, current }) => {
    historyOf(serviceType).state = current;
  });
  service.on('opened', ({ serviceType, generation, isResumed }) => {
    const at = performance.now();
    const history = historyOf(serviceType);
    Object.assign(history, { generation, openedAt: at });
    history.openings.push({ at, isResumed });
  });
  service.on('discontinuity', ({ serviceType, why, inDoubt }) => {
    historyOf(serviceType).discontinuities.push({ why, inDoubt });
  });
  service.on('closed', ({ serviceType, error }) => {
    const history = historyOf(serviceType);
    // a socket that the client closed itself was not lost
    if (!error) return;
    history.drops.push({
      at: performance.now(),
      generation: history.generation,
      code: error.code,
    });
  });
  service.on('retrying', ({ serviceType, delayMs, attempt, error }) => {
    const httpStatus = (error instanceof ConnectionError ? error.httpStatus : undefined) ?? null;
    historyOf(serviceType).retries.push({ delayMs, attempt, httpStatus });
  });
}
