import { createActor, fromCallback, setup } from 'xstate';
import { describe, expect, test } from 'vitest';

import { healthMachine, type HealthEdge, type HealthEvent, type HeartbeatPolicy } from '../../machines/health.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

const policy: HeartbeatPolicy = { intervalMs: 25_000, promptMs: 1_000, lateMs: 2_500, timeoutMs: 10_000 };

/** A health actor whose peer answers each probe at once with a measurement of so much. */
class Graded {
  readonly clock = new SimulatedClock();
  readonly told: string[] = [];
  /** When probes went out. */
  readonly probes: number[] = [];
  readonly missed: number[] = [];
  /** What is measured next; `null`: the peer is silent. */
  score: number | null = 100;
  readonly #start = this.clock.now();
  readonly #parent;

  constructor(isGraded = true) {
    const health = healthMachine.provide({
      actors: {
        probe: fromCallback(({ sendBack }) => {
          this.probes.push(this.#now);
          const { score } = this;
          if (score === null) return;
          this.clock.setTimeout(() => {
            sendBack({ type: 'link.heard' });
            this.measure(score);
          }, 0);
        }),
        gauge: fromCallback(({ receive }) => {
          receive(() => this.missed.push(this.#now));
        }),
      },
    });
    const machine = setup({ types: { events: {} as HealthEdge }, actors: { health } }).createMachine({
      invoke: { id: 'health', src: 'health', input: { connectionId: 'c1', policy, isGraded } },
      on: {
        'health.*': {
          actions: ({ event }) => this.told.push(event.type === 'health.graded' ? event.grade : event.type.slice(7)),
        },
      },
    });
    this.#parent = createActor(machine, { clock: this.clock }).start();
  }

  get #now(): number {
    return this.clock.now() - this.#start;
  }

  tell(event: HealthEvent): void {
    this.#parent.getSnapshot().children['health']?.send(event);
  }

  measure(...scores: number[]): void {
    for (const score of scores) this.tell({ type: 'sampled', score });
  }
}

describe('the grade of a link', () => {
  test('is known soon after it opened, and is measured from then on at its interval (pain 59)', () => {
    const g = new Graded();
    g.clock.advance(999);
    expect([g.told, g.probes]).toEqual([[], []]);
    g.clock.advance(60_000);
    expect([g.told, g.probes]).toEqual([['healthy'], [1_000, 26_000, 51_000]]);
  });

  test('falls soon after the link became slow: a measurement that speaks against it is repeated promptly', () => {
    const g = new Graded();
    g.clock.advance(2_000);
    g.score = 30;
    g.clock.advance(27_999);
    expect(g.probes).toEqual([1_000, 26_000, 27_000, 28_000]);
    expect(g.told).toEqual(['healthy', 'poor', 'degraded']);
    g.clock.advance(23_000);
    expect(g.probes.at(-1)).toBe(28_000);
  });

  test('rises as soon, and says so', () => {
    const g = new Graded();
    g.measure(30, 30, 30);
    g.told.length = 0;
    g.clock.advance(60_000);
    expect(g.told.filter((word) => word !== 'poor')).toEqual(['recovered', 'healthy']);
    expect(g.probes[2]).toBeLessThan(30_000);
  });

  test('is not changed by one bad moment, nor by scores about one threshold', () => {
    const g = new Graded();
    g.measure(100, 0, 100, 100, 0, 61, 65, 61, 66, 100, 62, 65, 0, 100);
    expect(g.told).toEqual(['healthy']);
    g.measure(20, 20, 20);
    g.told.length = 0;
    g.measure(26, 30, 39, 25, 39, 30);
    expect(g.told.filter((word) => word !== 'poor')).toEqual([]);
  });

  test('goes through degraded to critical and back, and says poor with each measurement meanwhile', () => {
    const g = new Graded();
    g.measure(100, 50, 50, 50, 10, 10, 10);
    expect(g.told).toEqual(['healthy', 'poor', 'degraded', 'poor', 'poor', 'poor', 'critical']);
    g.told.length = 0;
    g.measure(50, 50, 50, 50, 50, 80, 80, 80, 80, 80);
    const poor = ['poor', 'poor', 'poor', 'poor'];
    expect(g.told).toEqual([...poor, 'poor', 'degraded', ...poor, 'recovered', 'healthy']);
  });

  test('does not come and go on a link that is slow every other time', () => {
    const g = new Graded();
    for (let round = 0; round < 50; round++) g.measure(100, 50);
    expect(g.told.filter((word) => word !== 'poor')).toEqual(['healthy', 'degraded']);
  });

  test('is given up when nobody measures any more, with what it held up; and begins when somebody does', () => {
    const g = new Graded();
    g.measure(20, 20, 20);
    g.told.length = 0;
    g.tell({ type: 'grading', isGraded: true });
    expect(g.told).toEqual([]);
    g.tell({ type: 'grading', isGraded: false });
    g.measure(20, 20, 20);
    expect(g.told).toEqual(['unknown', 'recovered']);
    g.tell({ type: 'grading', isGraded: true });
    g.measure(100);
    expect(g.told).toEqual(['unknown', 'recovered', 'healthy']);
  });

  test('is unknown again for a link that takes the place of another', () => {
    const g = new Graded();
    g.measure(10, 10, 10);
    g.tell({ type: 'watch', policy });
    expect(g.told.slice(-1)).toEqual(['unknown']);
    g.measure(100);
    expect(g.told.slice(-1)).toEqual(['healthy']);
  });

  test('keeps a link degraded that answers again and is slow; and does not, one that is not slow', () => {
    const g = new Graded();
    g.measure(30, 30, 30);
    g.score = null;
    g.tell({ type: 'probe' });
    g.clock.advance(3_000);
    g.told.length = 0;
    g.tell({ type: 'link.heard' });
    expect(g.told).toEqual([]);
    const other = new Graded();
    other.measure(100);
    other.score = null;
    other.tell({ type: 'probe' });
    other.clock.advance(3_000);
    other.tell({ type: 'link.heard' });
    expect([other.told, other.missed.length]).toEqual([['healthy', 'late', 'recovered'], 1]);
  });

  test('is not given where nobody measures, and an answer that is overdue is told all the same', () => {
    const g = new Graded(false);
    g.score = null;
    g.measure(10, 10, 10);
    g.clock.advance(60_000);
    expect([g.told, g.missed]).toEqual([['late', 'dead'], []]);
  });
});
