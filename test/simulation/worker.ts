// Runs the seeds that it is given, and tells of each portion.
import { parentPort } from 'node:worker_threads';

import { PLAYS, type Play, type PlayName, type Result } from './plays.ts';
import { Sights } from './sights.ts';

/** Seeds to run. */
export interface Portion {
  of: PlayName;
  first: number;
  count: number;
}

/** What came of them. */
export interface Report {
  results: (Result & { ms: number })[];
  states: string[];
  transitions: string[];
}

// errors are made by the thousand here, and nobody reads where
Error.stackTraceLimit = 0;

parentPort?.on('message', ({ of, first, count }: Portion) => {
  void (async () => {
    const sights = new Sights();
    const results: Report['results'] = [];
    const play: Play = PLAYS[of];
    for (let seed = first; seed < first + count; seed++) {
      const began = performance.now();
      const { breach, faults, virtualMs, strikes } = await play.run(seed, sights);
      results.push({ seed, breach, faults, virtualMs, ...(strikes && { strikes }), ms: performance.now() - began });
    }
    const report: Report = { results, states: [...sights.states], transitions: [...sights.transitions] };
    parentPort?.postMessage(report);
  })();
});
