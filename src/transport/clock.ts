/** Time as the library is given it: XState's own clock and the wall. */
export interface Clock {
  /** Milliseconds since the Unix epoch. It may jump, as the wall clock does. */
  now(): number;
  /** Milliseconds on a clock that never runs backwards, for measuring. @default `now` */
  monotonicNow?(): number;
  /** Calls `callback` once, `delayMs` from now; returns what {@link Clock.clearTimeout} takes. */
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** Milliseconds for measuring, of a clock that may have no other time than that of the wall. */
export function monotonicNow(clock: Pick<Clock, 'now' | 'monotonicNow'>): number {
  return clock.monotonicNow?.() ?? clock.now();
}

/**
 * The platform's clock. Nothing is read from the platform before a method is called.
 *
 * @param options.unref In Node, whether a pending timer lets the process end. Default: `false`.
 */
export function systemClock({ unref = false }: { unref?: boolean } = {}): Clock {
  return {
    now: () => Date.now(),
    monotonicNow: () => performance.now(),
    setTimeout(callback, delayMs) {
      const handle = globalThis.setTimeout(callback, delayMs);
      if (unref) release(handle);
      return handle;
    },
    clearTimeout(handle) {
      globalThis.clearTimeout(handle as Parameters<typeof globalThis.clearTimeout>[0]);
    },
  };
}

/** Lets the process end although this timer is pending; does nothing where timers do not hold a process. */
export function release(handle: unknown): void {
  (handle as { unref?: () => void } | null | undefined)?.unref?.();
}
