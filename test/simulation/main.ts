// `npm run simulate -- --seed 42` shows what happens with one seed; `-- --seeds 1000 [--first 1] [--workers 2]` runs many, and writes down what came of them.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

import { run } from './run.ts';
import { Sights } from './sights.ts';
import { summaryOf } from './summary.ts';
import type { Portion, Report } from './worker.ts';

const PORTION = 10;
// a worker does not inherit what loads TypeScript
const LOADING = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)});
});`;
const KEPT = new URL('../../visualizations/simulation.md', import.meta.url);

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    write: { type: 'boolean', default: false },
  },
});

process.exitCode = values.seed === undefined ? await many() : await one(numberOf(values.seed, 'seed'));

async function one(seed: number): Promise<number> {
  let text = '';
  const { breach, faults } = await run(seed, {}, { told: (history) => (text = history) });
  process.stdout.write(`${text}\n\nseed ${seed}, with ${faults.join(', ') || 'no fault'}\n`);
  process.stdout.write(`history ${createHash('sha256').update(text).digest('hex')}\n`);
  process.stdout.write(breach === null ? 'every promise was kept\n' : `BROKEN: ${breach}\n`);
  return breach === null ? 0 : 1;
}

async function many(): Promise<number> {
  const [first, seeds] = [numberOf(values.first, 'first'), numberOf(values.seeds, 'seeds')];
  const workers = numberOf(values.workers, 'workers');
  const began = performance.now();
  const sights = new Sights();
  const outcomes: Report['outcomes'] = [];
  let next = first;
  const take = ({ outcomes: more, states, transitions }: Report): void => {
    outcomes.push(...more);
    for (const name of states) sights.states.add(name);
    for (const name of transitions) sights.transitions.add(name);
    progress(outcomes.length, seeds);
  };
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(LOADING, { eval: true, execArgv: [] });
      const ask = (): void => {
        const count = Math.min(PORTION, first + seeds - next);
        if (count <= 0) {
          resolve(worker.terminate().then(() => undefined));
          return;
        }
        worker.postMessage({ first: next, count } satisfies Portion);
        next += count;
      };
      worker.on('message', (report: Report) => {
        take(report);
        ask();
      });
      worker.on('error', reject);
      ask();
    });
  await Promise.all(Array.from({ length: workers }, work));
  const seconds = (performance.now() - began) / 1_000;
  const summary = summaryOf({ first, outcomes, sights, seconds, workers });
  process.stdout.write(`\n${summary}`);
  if (values.write) writeFileSync(KEPT, summary);
  return outcomes.some(({ breach }) => breach !== null) ? 1 : 0;
}

function progress(done: number, all: number): void {
  const bar = '█'.repeat(Math.floor((done / all) * 30)).padEnd(30, '░');
  if (process.stderr.isTTY) process.stderr.write(`\r${bar} ${done} of ${all}`);
  else if (done % 1_000 < PORTION) process.stderr.write(`${done} of ${all}\n`);
}

function numberOf(text: string, name: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`--${name} takes a whole number from 1 on, and not ${text}.`);
}
