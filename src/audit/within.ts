import type { Clock } from '../transport/clock.ts';

/** Resolves with whether something was over in time; what it rejects with goes on. Its timer is gone either way. */
export async function within(clock: Clock, deadlineMs: number, act: () => Promise<unknown>): Promise<boolean> {
  let timer: unknown;
  const over = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => {
      resolve(false);
    }, deadlineMs);
  });
  try {
    return await Promise.race([act().then(() => true), over]);
  } finally {
    clock.clearTimeout(timer);
  }
}
