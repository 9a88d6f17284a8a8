import { Worker } from 'node:worker_threads';

import type { PlayName } from './plays.ts';
import type { Portion, Report } from './worker.ts';

const PORTION = 10;
// the young of a simulation die young: room for them is time saved
const YOUNG_MB = 64;
// a worker does not inherit what loads TypeScript
const LOADING = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)});
});`;

export interface CrewOptions {
  of: PlayName;
  first: number;
  seeds: number;
  workers: number;
  /** Hears of each portion. */
  take: (report: Report) => void;
}

/** Runs many seeds in worker threads. Rejects if one of those ends before its work does. */
export async function runMany({ of, first, seeds, workers, take }: CrewOptions): Promise<void> {
  let next = first;
  const portion = (): Portion | null => {
    const count = Math.min(PORTION, first + seeds - next);
    next += count;
    return count > 0 ? { of, first: next - count, count } : null;
  };
  await Promise.all(Array.from({ length: Math.min(workers, seeds) }, () => work(portion, take)));
}

function work(portion: () => Portion | null, take: (report: Report) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(LOADING, {
      eval: true,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const ask = (): void => {
      const given = portion();
      if (given) worker.postMessage(given);
      else resolve(worker.terminate().then(() => undefined));
    };
    worker.on('message', (report: Report) => {
      take(report);
      ask();
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      reject(new Error(`A worker ended with ${code}, and its work was not done.`));
    });
    ask();
  });
}
