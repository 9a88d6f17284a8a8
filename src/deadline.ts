import { failure } from './core/recovery.ts';
import type { Settled } from './endpoint.ts';
import type { Clock } from './transport/clock.ts';

export interface Deadline {
  clock: Clock;
  timeoutMs: number;
  /** What it is to be late. */
  code: 'CREDENTIALS_TIMEOUT' | 'URL_TIMEOUT';
}

/**
 * A step that has to end in time. An attempt gets its deadlines from the states of its chart; what goes on beside an open link has this.
 *
 * @returns Abandons the step.
 */
export function within(
  { clock, timeoutMs, code }: Deadline,
  step: (settled: Settled) => () => void,
  settled: Settled,
): () => void {
  const timer = clock.setTimeout(() => {
    abandon();
    settled(failure(code));
  }, timeoutMs);
  const abandon = step((failed) => {
    clock.clearTimeout(timer);
    settled(failed);
  });
  return () => {
    clock.clearTimeout(timer);
    abandon();
  };
}
