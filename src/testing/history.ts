/** What happened in one run, in readable lines, and the first rule that was broken in it. */
export class History {
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #lines: { at: number; what: string | (() => string) }[] = [];
  #end: number | undefined;
  /** The first one, if any. */
  breach: string | undefined;
  /** What was thrown, where that is what broke it. */
  cause: unknown;

  /** @param now In ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#startedAt = now();
  }

  /** Ms since the run began. */
  get at(): number {
    return this.#now() - this.#startedAt;
  }

  /** Something happened. What is dear to write is written only if anybody reads it. */
  note(what: string | (() => string)): void {
    this.#lines.push({ at: this.at, what });
  }

  /** A rule is broken. What follows it may be its consequence, and is not counted. */
  fail(what: string, cause?: unknown): void {
    this.note(`BROKEN: ${what}`);
    this.#end ??= this.#lines.length;
    if (this.breach !== undefined) return;
    this.breach = what;
    this.cause = cause;
  }

  /** Something was thrown that should not have been. Where from is not told in the history: the same run has the same one, whoever asks for it. */
  threw(who: string, cause: unknown): void {
    this.fail(`${who} ${String(cause)}`, cause);
  }

  /** Fails unless something holds. */
  require(holds: boolean, what: () => string): void {
    if (!holds) this.fail(what());
  }

  /** The last lines, down to the breach if there was one. */
  tail(count: number): string {
    const end = this.#end ?? this.#lines.length;
    return this.#lines
      .slice(Math.max(0, end - count), end)
      .map(({ at, what }) => `${at.toFixed(1).padStart(9)}  ${typeof what === 'string' ? what : what()}`)
      .join('\n');
  }
}
