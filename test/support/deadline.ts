const POLL_MS = 5;

/**
 * Waits for something that happens in its own time, elsewhere: resolves with what `read` gives as soon as it gives anything
 * but `false`, `null` or `undefined`.
 *
 * @throws Error with `what` once the deadline has passed.
 */
export async function until<Value>(
  what: string,
  read: () => Value | false | null | undefined,
  deadlineMs = 10_000,
): Promise<Value> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = read();
    if (value !== false && value !== null && value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`Not within ${deadlineMs} ms: ${what}.`);
    await pause(POLL_MS);
  }
}

/** Lets time pass, for tests whose subject is time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
