import { setTimeout as sleep } from 'node:timers/promises';

/** How often a condition is looked at. */
const LOOK_EVERY_MS = 10;

export interface Patience {
  withinMs: number;
  /** Ends the wait with a rejection. */
  signal: AbortSignal;
}

/** Waits this long. Rejects when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal });
}

/** Waits until the condition holds; tells whether it did in time. */
export async function until(condition: () => boolean, { withinMs, signal }: Patience): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() >= deadline) return false;
    await pause(LOOK_EVERY_MS, signal);
  }
  return true;
}
