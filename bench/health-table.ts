import type { Sighting } from './health-course.ts';
import { quantile, type Comparison, type Spread } from './rounds.ts';

/** The figures of one run by name; `null` for what did not happen. */
export type Figures = Readonly<Record<string, number | null>>;

/** What a run over a link shows. */
export function figuresOf(sighting: Sighting): Figures {
  const { truthMs, p50Ms, smoothed, degradedMs, givenUpMs, openMs, flaps } = sighting;
  return {
    truthMs,
    p50Ms,
    offPercent: truthMs === null || p50Ms === null ? null : (Math.abs(p50Ms - truthMs) / truthMs) * 100,
    smoothedMs: smoothed.at(-1) ?? null,
    degradedS: secondsOf(degradedMs),
    givenUpS: secondsOf(givenUpMs),
    openS: secondsOf(openMs),
    flaps,
  };
}

/** A row of all runs of one kind: of each figure the median, the least and the most of those runs that have it. */
export function rowOf(name: string, sightings: readonly Sighting[]): Comparison {
  const runs = sightings.map(figuresOf);
  const spreads = Object.keys(runs[0] ?? {}).flatMap((figure): [string, Spread][] => {
    const numbers = runs.flatMap((run) => run[figure] ?? []);
    if (numbers.length === 0) return [];
    const [median, least, most] = [quantile(numbers, 0.5), Math.min(...numbers), Math.max(...numbers)];
    return [[figure, { median, least, most }]];
  });
  const counts = {
    healthy: countOf(sightings.filter(({ grade }) => grade === 'healthy')),
    givenUp: countOf(sightings.filter(({ givenUpMs }) => givenUpMs !== null)),
  };
  return { name, values: { ...Object.fromEntries(spreads), ...counts }, ratios: {} };
}

function countOf({ length }: readonly unknown[]): Spread {
  return { median: length, least: length, most: length };
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}
