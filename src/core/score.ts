/** How a connection is: `unknown` until there is evidence either way. */
export type Grade = 'unknown' | 'healthy' | 'degraded' | 'critical';

/** Which part of a connection's health is meant. */
export type ScorePart = 'latency' | 'stability' | 'capacity';

/** How well a connection is, in whole numbers from 0 (useless) to 100 (nothing is wrong). */
export interface Scores {
  /** The lowest of the parts that are known: a chain is as strong as its weakest link. `null` without evidence. */
  overall: number | null;
  /** `null` without a round trip. */
  latency: number | null;
  stability: number;
  capacity: number;
  /** The part that overall is taken from; `null` where overall is 100, or unknown. */
  weakest: ScorePart | null;
}

/** Troubles of late, each a count that halves every {@link TROUBLE_HALF_LIFE_MS}. */
export interface Troubles {
  /** Open connections that ended without being asked to. */
  losses: number;
  /** Pings that were not answered in time. */
  missedPongs: number;
  /** Attempts to connect that failed. */
  failedAttempts: number;
  /** Errors that are neither a loss nor a failed attempt: each trouble counts once. */
  errors: number;
}

/** What waits to be sent, and how much may. */
export interface Backlog {
  messages: number;
  bytes: number;
  /** `Infinity`: no limit. */
  maxMessages: number;
  maxBytes: number;
  /** How long the oldest message has waited, in ms; 0 when none waits. */
  oldestMs: number;
}

/** What scores are computed from. */
export interface ScoreFacts {
  /** `null` before the first. */
  roundTrips: { smoothedMs: number; jitterMs: number } | null;
  /** A round trip that takes longer is slow. More than 0. */
  slowMs: number;
  troubles: Troubles;
  backlog: Backlog;
  isOpen: boolean;
  /** Whether enough has happened for a judgement: a new connection is neither well nor unwell. */
  hasEvidence: boolean;
}

/** The round trip that is slow unless something else is said: a person who types waits for it. */
export const DEFAULT_SLOW_MS = 500;

/** A trouble counts half after five minutes: recent enough to be worth knowing, and over within the hour. */
export const TROUBLE_HALF_LIFE_MS = 300_000;

/** The age of the oldest waiting message at which an open connection counts as full. */
const FULL_AGE_MS = 10_000;

// a queue may be a tenth full without anything being wrong: a burst is what it is for
const FREE_FILL = 0.1;

/** What each trouble weighs, in losses. */
const WEIGHTS: Readonly<Troubles> = { losses: 1, missedPongs: 0.5, failedAttempts: 0.5, errors: 0.25 };

/** Scores by the round trip, as a multiple of what is slow; linear in between. */
const LATENCY_CURVE: readonly (readonly [ratio: number, score: number])[] = [
  [0.2, 100],
  [0.5, 90],
  [1, 70],
  [2, 40],
  [4, 10],
  [8, 0],
];

/**
 * The scores of a connection. They tell of trouble that is there, never of little traffic or a short life.
 *
 * - **latency**: {@link latencyScore} of the smoothed round trip and its jitter together.
 * - **stability**: 100 · 2^(-trouble / 2), where trouble = losses + missed pongs / 2 + failed attempts / 2 + errors / 4, each decayed
 *   with a half-life of five minutes. One loss just now: 71; two: 50; four: 25.
 * - **capacity**: 100 while the backlog is up to a tenth full, from there in a line down to 0 when it is full. How full it is
 *   is the largest of messages / maxMessages, bytes / maxBytes and, while the connection is open, the age of the oldest waiting
 *   message / 10 s. What is unlimited is never full.
 * - **overall**: the lowest of those that are known.
 */
export function scoresOf(facts: ScoreFacts): Scores {
  const { roundTrips, slowMs, troubles, backlog, isOpen, hasEvidence } = facts;
  const latency = roundTrips && latencyScore(roundTrips.smoothedMs + roundTrips.jitterMs, slowMs);
  const stability = stabilityScore(troubles);
  const capacity = capacityScore(Math.max(fillOf(backlog), isOpen ? part(backlog.oldestMs, FULL_AGE_MS) : 0));
  const parts: readonly (readonly [ScorePart, number])[] = [
    ['latency', latency ?? 100],
    ['stability', stability],
    ['capacity', capacity],
  ];
  const overall = hasEvidence ? Math.min(...parts.map(([, score]) => score)) : null;
  const [weakest = null] = parts.find(([, score]) => score < 100 && score === overall) ?? [];
  return { overall, latency, stability, capacity, weakest };
}

/**
 * The score of a round trip: 100 up to a fifth of `slowMs`, 90 at half of it, 70 at it, 40 at twice, 10 at four times, 0 from
 * eight times on; linear in between.
 */
export function latencyScore(ms: number, slowMs: number = DEFAULT_SLOW_MS): number {
  const ratio = ms / slowMs;
  const upper = LATENCY_CURVE.findIndex(([at]) => ratio <= at);
  const [above, below] = [LATENCY_CURVE[upper], LATENCY_CURVE[upper - 1]];
  // a round trip that is no number is no trouble
  if (!above) return ratio > 0 ? 0 : 100;
  if (!below) return above[1];
  const way = (ratio - below[0]) / (above[0] - below[0]);
  return Math.round(below[1] + way * (above[1] - below[1]));
}

/** How full a queue is, from 0 to 1: by messages or by bytes, whichever is more. */
export function fillOf({ messages, bytes, maxMessages, maxBytes }: Backlog): number {
  return Math.max(part(messages, maxMessages), part(bytes, maxBytes));
}

/** The stability of a connection alone: see {@link scoresOf}. */
export function stabilityScore({ losses, missedPongs, failedAttempts, errors }: Troubles): number {
  const trouble =
    weighed(losses, WEIGHTS.losses) +
    weighed(missedPongs, WEIGHTS.missedPongs) +
    weighed(failedAttempts, WEIGHTS.failedAttempts) +
    weighed(errors, WEIGHTS.errors);
  return Math.round(100 * 2 ** (-trouble / 2));
}

function capacityScore(fill: number): number {
  return Math.round(100 * Math.min(1, (1 - fill) / (1 - FREE_FILL)));
}

function weighed(count: number, weight: number): number {
  return count > 0 ? count * weight : 0;
}

// no part of nothing, and none of what has no end
function part(amount: number, most: number): number {
  const share = amount / most;
  return share > 0 ? Math.min(1, share) : 0;
}
