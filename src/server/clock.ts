/** Time, as a server and its store need it. */
export interface StoreClock {
  /** Epoch ms. */
  now(): number;
  setTimeout(fire: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The platform's clock. */
export const platformClock: StoreClock = {
  now: () => Date.now(),
  setTimeout: (fire, ms) => globalThis.setTimeout(fire, ms),
  clearTimeout: (timer) => {
    globalThis.clearTimeout(timer as NodeJS.Timeout | undefined);
  },
};
