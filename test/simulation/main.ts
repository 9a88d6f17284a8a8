// `npm run simulate -- --seed 42` shows what happens with one seed; `-- --seeds 1000 [--first 1] [--workers 2] [--write]` runs many, and says, or writes down, what came of them. `--of wire` does
// so with the simulation that sees every frame. `--pin` writes down the histories that every machine is held to.
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

import type { FaultKind } from '../../src/testing/faults.ts';
import { runMany } from './crew.ts';
import { hashOf, pin } from './pins.ts';
import { PLAYS, type Again, type Play, type PlayName } from './plays.ts';
import { Sights } from './sights.ts';
import { summaryOf } from './summary.ts';
import type { Report } from './worker.ts';

const { values } = parseArgs({
  options: {
    of: { type: 'string', default: 'everything' },
    seed: { type: 'string' },
    faults: { type: 'string' },
    steps: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    write: { type: 'boolean', default: false },
    pin: { type: 'boolean', default: false },
  },
});

if (!(values.of in PLAYS)) throw new RangeError(`--of takes ${Object.keys(PLAYS).join(' or ')}, and not ${values.of}.`);
const of = values.of as PlayName;
process.exitCode = await (values.pin
  ? pinned()
  : values.seed === undefined
    ? many()
    : one(numberOf(values.seed, 'seed')));

async function pinned(): Promise<number> {
  for (const [seed, hash] of Object.entries(await pin())) process.stdout.write(`seed ${seed}: history ${hash}\n`);
  return 0;
}

async function one(seed: number): Promise<number> {
  const { breach, faults, history, again } = await PLAYS[of].tell(seed, lessOf(values));
  process.stdout.write(`${history}\n\nseed ${seed}, with ${faults.join(', ') || 'no fault'}\n`);
  process.stdout.write(`history ${hashOf(history)}\n`);
  process.stdout.write(breach === null ? 'every promise was kept\n' : `BROKEN: ${breach}\n`);
  if (again !== null) process.stdout.write(`again: npm run simulate -- ${again}\n`);
  return breach === null ? 0 : 1;
}

async function many(): Promise<number> {
  const [first, seeds] = [numberOf(values.first, 'first'), numberOf(values.seeds, 'seeds')];
  const workers = numberOf(values.workers, 'workers');
  const began = performance.now();
  const sights = new Sights();
  const results: Report['results'] = [];
  const take = (report: Report): void => {
    results.push(...report.results);
    sights.add(report);
    for (const { seed, breach } of report.results)
      if (breach !== null)
        process.stderr.write(`\nseed ${seed}: ${breach}\n  npm run simulate -- --of ${of} --seed ${seed}\n`);
    progress(results.length, seeds);
  };
  await runMany({ of, first, seeds, workers, take });
  const seconds = (performance.now() - began) / 1_000;
  const play: Play = PLAYS[of];
  const summary = summaryOf({ of, play, first, results, sights, seconds, workers });
  process.stdout.write(`\n${summary}`);
  if (values.write) writeFileSync(new URL(`../../visualizations/${play.kept}`, import.meta.url), summary);
  return results.some(({ breach }) => breach !== null) ? 1 : 0;
}

function progress(done: number, all: number): void {
  const bar = '█'.repeat(Math.floor((done / all) * 30)).padEnd(30, '░');
  if (process.stderr.isTTY) process.stderr.write(`\r${bar} ${done} of ${all}`);
  else if (done % 1_000 === 0) process.stderr.write(`${done} of ${all}\n`);
}

function numberOf(text: string, name: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`--${name} takes a whole number from 1 on, and not ${text}.`);
}

function lessOf({ faults, steps }: { faults?: string; steps?: string }): Again {
  const listOf = (text: string): string[] => (text === 'none' ? [] : text.split(','));
  return {
    ...(faults !== undefined && { faults: listOf(faults) as FaultKind[] }),
    ...(steps !== undefined && { steps: listOf(steps).map((part) => numberOf(part, 'steps')) }),
  };
}
