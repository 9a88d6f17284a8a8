import type { ConnectionState, EnhancedWebSocketService } from 'holdfast';

/** A connection changed its state, at this time in ms. */
export interface Change {
  previous: ConnectionState;
  current: ConnectionState;
  atMs: number;
}

/** What a service with one connection told of its state and its round trips. */
export class HealthRecord {
  readonly changes: Change[] = [];
  /** In ms, as measured. */
  readonly roundTrips: number[] = [];
  /** The smoothed round trip after each of them. */
  readonly smoothed: number[] = [];
  readonly #looks = new Set<() => void>();

  constructor(service: EnhancedWebSocketService) {
    service.on('status', ({ previous, current }) => {
      this.changes.push({ previous, current, atMs: performance.now() });
      this.#look();
    });
    service.on('roundTrip', ({ connectionId, rttMs }) => {
      this.roundTrips.push(rttMs);
      const smoothedMs = service.getHealthInfo(connectionId)?.roundTrips?.smoothedMs;
      if (smoothedMs !== undefined) this.smoothed.push(smoothedMs);
      this.#look();
    });
  }

  /** Resolves as soon as it is so, or when the time is over. @returns Whether it is so. */
  comesToBe(isSo: () => boolean, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (is: boolean): void => {
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve(is);
      };
      const look = (): void => {
        if (isSo()) settle(true);
      };
      const timer = setTimeout(() => {
        settle(isSo());
      }, withinMs);
      this.#looks.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of [...this.#looks]) look();
  }
}

/** From a time to the first change into a state after it, in ms; `null` where there is none, or no time. */
export function timeTo(state: ConnectionState, sinceMs: number | null, changes: readonly Change[]): number | null {
  if (sinceMs === null) return null;
  const change = changes.find(({ current, atMs }) => current === state && atMs >= sinceMs);
  return change ? change.atMs - sinceMs : null;
}

/** How often an open connection was taken for degraded, or that was taken back, from a time on. */
export function flapsOf(changes: readonly Change[], sinceMs = -Infinity): number {
  return changes.filter(({ previous, current, atMs }) => atMs >= sinceMs && isUp(previous) && isUp(current)).length;
}

function isUp(state: ConnectionState): boolean {
  return state === 'open' || state === 'degraded';
}
