// Runs the seeds that it is given, and tells of each portion.
import { parentPort } from 'node:worker_threads';

import { run, type Outcome } from './run.ts';
import { Sights } from './sights.ts';

/** Seeds to run. */
export interface Portion {
  first: number;
  count: number;
}

/** What came of them. */
export interface Report {
  outcomes: (Outcome & { ms: number })[];
  states: string[];
  transitions: string[];
}

// errors are made by the thousand here, and nobody reads where
Error.stackTraceLimit = 0;

parentPort?.on('message', ({ first, count }: Portion) => {
  void (async () => {
    const sights = new Sights();
    const outcomes: Report['outcomes'] = [];
    for (let seed = first; seed < first + count; seed++) {
      const began = performance.now();
      const outcome = await run(
        seed,
        {},
        {
          heard: (turn) => {
            sights.take(turn);
          },
        },
      );
      outcomes.push({ ...outcome, ms: performance.now() - began });
    }
    const report: Report = { outcomes, states: [...sights.states], transitions: [...sights.transitions] };
    parentPort?.postMessage(report);
  })();
});
