/** How long something is waited for. */
export interface Patience {
  /** @default for as long as the signal lets */
  ms?: number;
  signal: AbortSignal;
}

/**
 * Waits for the first thing that is reported; `null` when time is up before. `listen` starts listening, and returns what ends
 * that: it is called in any case.
 */
export async function waitFor<Value>(
  listen: (report: (value: Value) => void) => () => void,
  { ms, signal }: Patience,
): Promise<Value | null> {
  if (signal.aborted) return null;
  const cleanups: (() => void)[] = [];
  try {
    return await new Promise<Value | null>((resolve) => {
      const giveUp = (): void => {
        resolve(null);
      };
      const timer = ms === undefined ? undefined : setTimeout(giveUp, ms);
      signal.addEventListener('abort', giveUp);
      cleanups.push(
        () => {
          clearTimeout(timer);
        },
        () => {
          signal.removeEventListener('abort', giveUp);
        },
        listen(resolve),
      );
    });
  } finally {
    for (const cleanup of cleanups) cleanup();
  }
}
