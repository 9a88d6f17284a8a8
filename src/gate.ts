import type { ErrorCode } from './errors.ts';
import type { SendOptions } from './receipt.ts';

/** Why a message is not taken. */
export interface Obstacle {
  code: ErrorCode;
  cause?: unknown;
}

/** Whether a connection takes messages at all. */
export class Gate {
  // why nothing is accepted at present; undefined while messages may wait
  #closed: Obstacle | undefined;

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Accepts messages again. */
  open(): void {
    this.#closed = undefined;
  }

  /** Refuses what comes from now on. */
  close(code: ErrorCode, cause?: unknown): void {
    this.#closed = { code, cause };
  }

  /** What stands against accepting a message now. `canWait`: it may leave at once, or wait until it can. */
  obstacle({ signal }: SendOptions, canWait: boolean): Obstacle | undefined {
    if (this.#closed) return this.#closed;
    if (!canWait) return { code: 'NOT_OPEN' };
    return signal?.aborted ? { code: 'SEND_ABORTED', cause: signal.reason } : undefined;
  }
}
