import { ConnectionError, type HoldfastError } from './errors.ts';
import type { EventSource } from './events.ts';
import type { Clock } from './transport/clock.ts';

export interface OpeningOptions {
  signal: AbortSignal | undefined;
  timeoutMs: number | undefined;
}

interface Waiter {
  resolve(): void;
  reject(error: HoldfastError): void;
}

/** Those who wait for a connection to open. Each is answered exactly once, and leaves no timer or listener behind. */
export class Openings {
  readonly #waiters = new Set<Waiter>();
  readonly #source: EventSource;
  readonly #clock: Clock;
  readonly #lastFailure: () => HoldfastError | null;

  /** `lastFailure`: why it is not open yet, as far as something failed. */
  constructor(source: EventSource, clock: Clock, lastFailure: () => HoldfastError | null) {
    this.#source = source;
    this.#clock = clock;
    this.#lastFailure = lastFailure;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves when the connection opens; rejects when it ends, when the signal is aborted, or when the time is up. */
  wait({ signal, timeoutMs }: OpeningOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
        this.#clock.clearTimeout(timer);
      };
      const waiter: Waiter = {
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => {
        waiter.reject(new ConnectionError('CONNECT_ABORTED', { ...this.#source, cause: signal?.reason }));
      };
      const timer =
        timeoutMs === undefined
          ? undefined
          : this.#clock.setTimeout(() => {
              waiter.reject(
                new ConnectionError('CONNECT_DEADLINE', { ...this.#source, cause: this.#lastFailure() ?? undefined }),
              );
            }, timeoutMs);
      signal?.addEventListener('abort', onAbort);
      this.#waiters.add(waiter);
      if (signal?.aborted) onAbort();
    });
  }

  opened(): void {
    for (const waiter of [...this.#waiters]) waiter.resolve();
  }

  ended(error: HoldfastError): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }
}
