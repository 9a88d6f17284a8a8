import { describe, expect, test } from 'vitest';

import type { Failure } from '../src/core/recovery.ts';
import { within } from '../src/deadline.ts';
import type { Settled } from '../src/endpoint.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

class Step {
  readonly clock = new SimulatedClock();
  readonly told: (string | null)[] = [];
  abandoned = 0;
  settle: Settled = () => undefined;
  readonly abandon = within(
    { clock: this.clock, timeoutMs: 100, code: 'URL_TIMEOUT' },
    (settled) => {
      this.settle = settled;
      return () => {
        this.abandoned += 1;
      };
    },
    (failed: Failure | null) => this.told.push(failed && failed.code),
  );
}

describe('a step with a deadline', () => {
  test('that ends in time is told as it ended, and leaves no timer', () => {
    const step = new Step();
    step.clock.advance(99);
    step.settle(null);
    expect([step.told, step.clock.pending(), step.abandoned]).toEqual([[null], 0, 0]);
  });

  test('that ends at once leaves no timer', () => {
    const clock = new SimulatedClock();
    const told: unknown[] = [];
    const atOnce = (settled: Settled): (() => void) => {
      settled(null);
      return () => undefined;
    };
    within({ clock, timeoutMs: 100, code: 'CREDENTIALS_TIMEOUT' }, atOnce, (failed) => told.push(failed));
    expect([told, clock.pending()]).toEqual([[null], 0]);
  });

  test('that does not is abandoned, and told to be late', () => {
    const step = new Step();
    step.clock.advance(100);
    expect([step.told, step.abandoned]).toEqual([['URL_TIMEOUT'], 1]);
  });

  test('that is abandoned is told no more, and leaves no timer', () => {
    const step = new Step();
    step.abandon();
    expect([step.abandoned, step.clock.pending(), step.told]).toEqual([1, 0, []]);
  });
});
