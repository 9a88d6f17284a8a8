/**
 * Calls the application's code so that whatever it does stays its own: a throw, or a rejection of what it returns, goes to
 * `report` and nowhere else.
 */
export function isolated<Args extends unknown[]>(
  listener: (...args: Args) => unknown,
  args: Args,
  report: (cause: unknown) => void,
): void {
  try {
    const returned = listener(...args);
    if (isThenable(returned)) returned.then(undefined, report);
  } catch (cause) {
    report(cause);
  }
}

/**
 * A promise that may be left alone: its rejection is still seen by whoever awaits it, and never becomes an unhandled one.
 * What it tells is told by events and counters as well.
 */
export function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
