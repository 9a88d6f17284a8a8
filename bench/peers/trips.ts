import { quantile, type Measure } from '../rounds.ts';
import type { ClientEnd } from './ends.ts';

/** Asks so often, with so many questions that have no answer yet. Times in µs. */
export async function trips(
  end: ClientEnd,
  { count, inFlight }: { count: number; inFlight: number },
  micros: () => number,
): Promise<Measure<'p50' | 'p99' | 'perSecond' | 'faults'>> {
  const times: number[] = [];
  let asked = 0;
  let faults = 0;
  const lane = async (): Promise<void> => {
    while (asked < count) {
      const n = asked++;
      const at = micros();
      const answer = (await end.ask({ type: 'input', data: 'ls -la', n } as { n: number })) as { n?: number };
      times.push(micros() - at);
      if (answer.n !== n) faults += 1;
    }
  };
  const began = micros();
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (micros() - began) / 1e6;
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), perSecond: count / seconds, faults };
}
