/** The longest delay that a timer can hold, in ms; a longer one fires at once. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** How long a connection waits between attempts. All times in milliseconds. */
export interface BackoffPolicy {
  /** The shortest wait of the second and every later retry of an episode. */
  baseMs: number;
  /** The longest wait; applied before the draw, so that the draw still spreads clients at the cap. */
  capMs: number;
  /** The first retry after a stable connection, and a retry that good news sets off, comes within this time. */
  promptMs: number;
  /** While the network is reported absent, a retry is still made about this often: the report may be wrong. */
  offlineMs: number;
  /** While the page is hidden, retries are this far apart. */
  hiddenMs: number;
}

/** What the wait before a retry depends on, beside the policy and the draw. */
export interface RetryFacts {
  /** Which retry of the episode this is, from 1. */
  retry: number;
  /** Whether the connection that was lost had been open for the stable period. */
  wasStable: boolean;
  /** The shortest wait that the peer asked for. */
  retryAfterMs: number;
}

/** Chooses a wait in ms. `draw` is a number in [0, 1). */
export type DelayFormula = (policy: BackoffPolicy, draw: number, facts: RetryFacts) => number;

/**
 * The wait before a retry: full jitter between the base and min(cap, base·2ⁿ). The first retry after a stable
 * connection is prompt instead: most drops are one-off, and the spread is enough to break up a herd.
 *
 * A floor is lengthened by up to its own length, no less than the base and no more than the cap: all clients of a server are told the
 * same time, and are not to come back at the same instant.
 *
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function retryDelayMs(policy: BackoffPolicy, draw: number, facts: RetryFacts): number {
  const step = facts.wasStable ? facts.retry - 1 : facts.retry;
  const delayMs = step < 1 ? draw * policy.promptMs : between(policy.baseMs, ceilingMs(policy, step), draw);
  return floored(delayMs, { policy, draw, facts });
}

/** The wait before the retry that good news (online, visible, awake) sets off: spread, so that an office does not return as one. */
export function promptDelayMs(policy: BackoffPolicy, draw: number, facts: RetryFacts): number {
  return floored(draw * policy.promptMs, { policy, draw, facts });
}

/** The wait of a retry made although the network is reported absent: the upper half of `offlineMs`, and never less than with a network. */
export function offlineDelayMs(policy: BackoffPolicy, draw: number, facts: RetryFacts): number {
  return seldom(policy.offlineMs, retryDelayMs(policy, draw, facts), draw);
}

/** The wait of a retry made while the page is hidden: the upper half of `hiddenMs`, and never less than a visible page waits. */
export function hiddenDelayMs(policy: BackoffPolicy, draw: number, facts: RetryFacts): number {
  return seldom(policy.hiddenMs, retryDelayMs(policy, draw, facts), draw);
}

function seldom(aboutMs: number, leastMs: number, draw: number): number {
  return Math.max(leastMs, Math.round(between(aboutMs / 2, aboutMs, draw)));
}

// whatever sets a retry off, a peer that asked for time has it
function floored(
  delayMs: number,
  { policy, draw, facts: { retryAfterMs } }: { policy: BackoffPolicy; draw: number; facts: RetryFacts },
): number {
  const spreadMs = Math.max(policy.baseMs, Math.min(policy.capMs, retryAfterMs));
  const leastMs = retryAfterMs > 0 ? retryAfterMs + draw * spreadMs : 0;
  return Math.min(MAX_DELAY_MS, Math.round(Math.max(delayMs, leastMs)));
}

function ceilingMs({ baseMs, capMs }: BackoffPolicy, step: number): number {
  // 2 ** 31 already exceeds every allowed cap; the bound keeps an endless episode out of Infinity
  return Math.max(baseMs, Math.min(capMs, baseMs * 2 ** Math.min(step, 31)));
}

function between(low: number, high: number, draw: number): number {
  return low + draw * (high - low);
}
