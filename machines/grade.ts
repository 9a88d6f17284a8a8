import type { Grade } from '../src/core/score.ts';

export type { Grade };

/**
 * When a grade is given and when it is taken back: by so many of the last samples, and not at the same score. A link whose scores lie about
 * one threshold, or that has one bad moment in five, keeps the grade it has.
 */
export const GRADING = {
  samples: 5,
  /** So many of them make a grade worse. */
  toFall: 3,
  /** And so many make it better: a link that is slow every other time is a slow one. */
  toRise: 5,
  /** Below `enter` a sample is a poor one; from `leave` a good one; between them it speaks for no change. */
  degraded: { enter: 60, leave: 70 },
  critical: { enter: 25, leave: 40 },
} as const;

const RANKS: readonly Grade[] = ['unknown', 'healthy', 'degraded', 'critical'];
const { samples, toFall, toRise, degraded, critical } = GRADING;

/** Whether a sample is no poor one. */
export function isFine(score: number): boolean {
  return score >= degraded.enter;
}

/** Whether a sample is a good one. */
export function isGood(score: number): boolean {
  return score >= degraded.leave;
}

/** Whether a sample speaks against `critical`. */
export function isLessThanCritical(score: number): boolean {
  return score >= critical.leave;
}

/** Whether the last samples, this one included, allow `healthy` where the grade was worse. */
export function showsHealthy(recent: readonly number[], score: number): boolean {
  return areAll(recent, score, isGood);
}

/** Whether they call for `degraded`, or worse. */
export function showsDegraded(recent: readonly number[], score: number): boolean {
  return areMost(recent, score, (each) => !isFine(each));
}

/** Whether they call for `critical`. */
export function showsCritical(recent: readonly number[], score: number): boolean {
  return areMost(recent, score, (each) => each < critical.enter);
}

/** Whether they allow to leave `critical`. */
export function showsLessThanCritical(recent: readonly number[], score: number): boolean {
  return areAll(recent, score, isLessThanCritical);
}

/** The grade of a score that changes slowly by itself. */
export function gradeOf(score: number): Grade {
  if (isFine(score)) return 'healthy';
  return score < critical.enter ? 'critical' : 'degraded';
}

/** Of two grades that are known, the worse. */
export function worse(one: Grade, other: Grade): Grade {
  return RANKS.indexOf(one) < RANKS.indexOf(other) ? other : one;
}

/** The last samples, this one included. */
export function withSample(recent: readonly number[], score: number): readonly number[] {
  return [...recent, score].slice(-samples);
}

// the sample itself has to speak for the change: it is not made on account of those before
function areMost(recent: readonly number[], score: number, are: (score: number) => boolean): boolean {
  return are(score) && withSample(recent, score).filter(are).length >= toFall;
}

function areAll(recent: readonly number[], score: number, are: (score: number) => boolean): boolean {
  return withSample(recent, score).filter(are).length >= toRise;
}
