import type { Attempt, Counted, Outage, OutageEnd, Wait } from './explanation.ts';
import { msBetween, msSum, type Instant } from './moments.ts';

const MOST_KEPT = 100;

/** An outage that is not over. */
interface Open {
  account: Outage;
  attempt: { account: Attempt; since: Instant } | null;
}

/** What is known of a loss. */
export type Loss = Pick<
  Outage,
  'openedAt' | 'openMs' | 'isStartKnown' | 'generation' | 'failure' | 'wire' | 'event' | 'lateSince' | 'silentMs'
> & { before: Counted | null };

/** The outages of one connection: of each what was waited for, what was tried, and how it ended. */
export class Outages {
  /** How many lie in the time asked about. */
  total = 0;
  /** How long those that are over took. */
  #pastMs = 0;
  readonly #from: number | null;
  readonly #kept: Outage[] = [];
  #open: Open | null = null;

  constructor(from: number | null) {
    this.#from = from;
  }

  get isDown(): boolean {
    return this.#open !== null;
  }

  begin({ before, ...loss }: Loss, since: Instant): void {
    const account: Outage = {
      ...loss,
      lostAt: since.at,
      waits: [],
      attempts: [],
      attempted: 0,
      gaveUpAt: null,
      end: null,
      durationMs: 0,
      hasGap: false,
      messages: { before, after: before },
    };
    this.#open = { account, attempt: null };
  }

  /** So much time has passed, of which there are records. */
  spend(ms: number): void {
    const { account } = this.#open ?? {};
    if (account) account.durationMs = msSum(account.durationMs, ms);
  }

  wait(wait: Wait): void {
    const { waits } = this.#open?.account ?? {};
    if (waits && waits.length < MOST_KEPT) waits.push(wait);
  }

  tries(generation: number | null, since: Instant): void {
    if (!this.#open) return;
    const { account } = this.#open;
    const attempt: Attempt = { at: since.at, generation, result: null, durationMs: null, failure: null };
    account.attempted += 1;
    if (account.attempts.length < MOST_KEPT) account.attempts.push(attempt);
    this.#open.attempt = { account: attempt, since };
  }

  tried(outcome: Pick<Attempt, 'result' | 'failure' | 'generation'>, at: Instant): void {
    const attempt = this.#open?.attempt;
    if (!this.#open || !attempt) return;
    this.#open.attempt = null;
    Object.assign(attempt.account, outcome, { durationMs: msBetween(attempt.since, at) });
  }

  gaveUp(at: number): void {
    if (this.#open) this.#open.account.gaveUpAt = at;
  }

  counted(counts: Counted | null): void {
    if (this.#open) this.#open.account.messages.after = counts;
  }

  /** Records are missing. */
  gap(): void {
    if (this.#open) this.#open.account.hasGap = true;
  }

  end(end: OutageEnd): void {
    if (!this.#open) return;
    const { account } = this.#open;
    this.#open = null;
    account.end = end;
    if (this.#from !== null && end.at < this.#from) return;
    this.total += 1;
    this.#pastMs = msSum(this.#pastMs, account.durationMs);
    this.#kept.push(account);
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
  }

  /** What is to be told of them at the end of what was read. */
  get told(): { outages: Outage[]; disconnects: number; downMs: number } {
    const open = this.#open?.account;
    const outages = [...this.#kept, ...(open ? [open] : [])].slice(-MOST_KEPT);
    return {
      outages,
      disconnects: this.total + (open ? 1 : 0),
      downMs: msSum(this.#pastMs, open?.durationMs ?? 0),
    };
  }
}
