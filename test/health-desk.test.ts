import { describe, expect, test } from 'vitest';

import { HealthDesk } from '../src/health-desk.ts';
import type { Member } from '../src/member.ts';
import type { Monitor } from '../src/monitor.ts';

/** What the desk asks of a monitor, and nothing else. */
interface Standing {
  serviceType?: string;
  grade?: Monitor['grade'];
  overall?: number | null;
  /** Whether it is monitored at all. */
  isMonitored?: boolean;
}

function deskOf(standings: Record<string, Standing>): { desk: HealthDesk; asked: unknown[] } {
  const asked: unknown[] = [];
  const members = Object.entries(standings).map(([id, standing]): [string, Member] => {
    const { serviceType = 'chat', grade = 'healthy', overall = 100, isMonitored = true } = standing;
    const monitor = {
      grade,
      overall,
      info: () => `info of ${id}`,
      trend: (rangeMs: number) => (asked.push(rangeMs), `trend of ${id}`),
      recommendations: () => [`advice on ${id}`],
    };
    const member = { connection: { serviceType }, monitor: () => (isMonitored ? monitor : undefined) };
    return [id, member as unknown as Member];
  });
  return { desk: new HealthDesk(new Map(members)), asked };
}

describe('the desk where health is asked about', () => {
  test('knows nothing of nobody, nor of a connection that is not monitored', () => {
    const { desk } = deskOf({ a: { isMonitored: false } });
    for (const id of ['a', 'nobody'])
      expect([desk.info(id), desk.trend(id, 1_000), desk.recommendations(id)]).toEqual([null, null, []]);
    expect(desk.summary()).toMatchObject({ total: 0, healthy: 0, averageScore: null });
  });

  test('asks the connection that is meant', () => {
    const { desk, asked } = deskOf({ a: {}, b: {} });
    expect([desk.info('b'), desk.trend('b', 5_000), desk.recommendations('b')]).toEqual([
      'info of b',
      'trend of b',
      ['advice on b'],
    ]);
    expect(asked).toEqual([5_000]);
  });

  test.each([0, -1, NaN, -Infinity, '1000', undefined, null, {}])(
    'refuses %j as a range, whoever is meant',
    (range) => {
      const { desk, asked } = deskOf({ a: {} });
      for (const id of ['a', 'nobody'])
        expect(() => desk.trend(id, range as number)).toThrow(
          expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error,
        );
      expect(asked).toEqual([]);
    },
  );

  test('counts each connection under its grade, and means the scores that are known', () => {
    const { desk } = deskOf({
      a: { overall: 100 },
      b: { grade: 'degraded', overall: 55 },
      c: { grade: 'critical', overall: 0 },
      d: { grade: 'unknown', overall: null },
      e: { isMonitored: false },
    });
    expect(desk.summary()).toMatchObject({
      total: 4,
      healthy: 1,
      degraded: 1,
      critical: 1,
      unknown: 1,
      averageScore: 52,
    });
  });

  test('has no mean where no score is known', () => {
    const { desk } = deskOf({ a: { grade: 'unknown', overall: null } });
    expect(desk.summary()).toMatchObject({ total: 1, unknown: 1, averageScore: null });
  });

  test('counts those of each service type apart, whatever it is called', () => {
    const { desk } = deskOf({
      a: {},
      b: { serviceType: 'log', grade: 'critical', overall: 0 },
      c: { serviceType: '__proto__' },
    });
    const { byService } = desk.summary();
    expect(Object.keys(byService)).toEqual(['chat', 'log', '__proto__']);
    expect([byService['chat'], byService['log']]).toMatchObject([
      { total: 1, healthy: 1, averageScore: 100 },
      { total: 1, critical: 1, averageScore: 0 },
    ]);
  });
});
