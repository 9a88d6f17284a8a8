import { check } from './core/rules.ts';
import type { HealthCounts, HealthInfo, HealthSummary, HealthTrend, Recommendation } from './health-info.ts';
import type { Member } from './member.ts';
import type { Monitor } from './monitor.ts';
import { trendRule } from './schema.ts';

/** How one connection is. */
type Standing = Pick<Monitor, 'grade' | 'overall'>;

/** Where the health of a service's connections is asked about. Of connections that nobody knows, and while health is not monitored, it knows nothing. */
export class HealthDesk {
  readonly #members: ReadonlyMap<string, Member>;

  constructor(members: ReadonlyMap<string, Member>) {
    this.#members = members;
  }

  info(connectionId: string): HealthInfo | null {
    return this.#monitorOf(connectionId)?.info() ?? null;
  }

  summary(): HealthSummary {
    const byService = new Map<string, Standing[]>();
    for (const { connection, monitor } of this.#members.values()) {
      const known = monitor();
      if (!known) continue;
      const standings = byService.get(connection.serviceType) ?? [];
      standings.push({ grade: known.grade, overall: known.overall });
      byService.set(connection.serviceType, standings);
    }
    const counts = [...byService].map(([type, standings]) => [type, countsOf(standings)] as const);
    return Object.freeze({ ...countsOf([...byService.values()].flat()), byService: Object.fromEntries(counts) });
  }

  /** @throws {ConfigurationError} `INVALID_OPTIONS` for a range that is no positive number. */
  trend(connectionId: string, rangeMs: number): HealthTrend | null {
    check(trendRule, { rangeMs });
    return this.#monitorOf(connectionId)?.trend(rangeMs) ?? null;
  }

  recommendations(connectionId: string): Recommendation[] {
    return this.#monitorOf(connectionId)?.recommendations() ?? [];
  }

  #monitorOf(connectionId: string): Monitor | undefined {
    return this.#members.get(connectionId)?.monitor();
  }
}

function countsOf(standings: readonly Standing[]): HealthCounts {
  const scores = standings.flatMap(({ overall }) => overall ?? []);
  const grades = { healthy: 0, degraded: 0, critical: 0, unknown: 0 };
  for (const { grade } of standings) grades[grade] += 1;
  const averageScore =
    scores.length === 0 ? null : Math.round(scores.reduce((sum, score) => sum + score, 0) / scores.length);
  return { total: standings.length, ...grades, averageScore };
}
