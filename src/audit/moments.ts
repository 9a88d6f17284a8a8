/** When something is on record. */
export interface Instant {
  /** In ms since 1970. */
  at: number;
  /** By the clock that never runs backwards; `null` where that is not known. */
  mono: number | null;
  /** Which run of the log it belongs to: the clock begins anew in each. */
  run: number;
}

/** How long it is from one to the other, in ms: the clock of the wall may have been set in the meantime. Never negative. */
export function msBetween(one: Instant, other: Instant): number {
  const hasClock = one.run === other.run && one.mono !== null && other.mono !== null;
  const ms = hasClock ? (other.mono ?? 0) - (one.mono ?? 0) : other.at - one.at;
  return Math.max(0, Math.round(ms * 1_000) / 1_000);
}

/** Both together, to a microsecond as each of them: sums of fractions drift. */
export function msSum(one: number, other: number): number {
  return Math.round((one + other) * 1_000) / 1_000;
}

/** How much of that lies after `from`. */
export function msAfter(from: number | null, one: Instant, other: Instant): number {
  if (from === null || one.at >= from) return msBetween(one, other);
  return other.at <= from ? 0 : other.at - from;
}
