// asked for this long before they end, but not before half of their life is over
const LEAD_MS = 30_000;

/** How long a client's credentials hold, and when to ask for fresh ones. Times in epoch ms. */
export class Lease {
  #expiresAt: number | undefined;
  #needAt = Infinity;

  /** `expiresAt` absent: they hold for ever. */
  constructor(expiresAt: number | undefined, now: number) {
    this.renew(expiresAt, now);
  }

  /** As it is told to the client: a whole number. */
  get expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  /** Fresh ones have come. */
  renew(expiresAt: number | undefined, now: number): void {
    const end = wholeEnd(expiresAt);
    this.#expiresAt = end;
    this.#needAt = end === undefined ? Infinity : end - Math.min(LEAD_MS, (end - now) / 2);
  }

  /** Looks at the time, and again before `untilMs` have passed. @returns Whether they are over, or fresh ones are needed, which is said once. */
  look(now: number, untilMs: number): 'expired' | 'needed' | null {
    if (this.#expiresAt !== undefined && now >= this.#expiresAt) return 'expired';
    if (now + untilMs <= this.#needAt) return null;
    this.#needAt = Infinity;
    return 'needed';
  }
}

// a token may say it in fractions of a second; what is no time has ended
function wholeEnd(expiresAt: number | undefined): number | undefined {
  if (expiresAt === undefined || expiresAt === Infinity) return undefined;
  return expiresAt > 0 ? Math.floor(Math.min(expiresAt, Number.MAX_SAFE_INTEGER)) : 0;
}
