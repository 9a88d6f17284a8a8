import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { quickSections } from './peers.ts';
import type { Comparison } from './rounds.ts';
import { printed, type Section } from './section.ts';

/** A ratio to raw, by what it is of: the best of all rounds over raw's best, which other work on the machine moves least. */
type Ratios = Record<string, number>;

const kept = new URL('./results/quick.json', import.meta.url);
// a fall by more than a quarter is one
const LEAST_OF_KEPT = 0.75;
// beside how many processes that never rest: what is kept is to hold on a machine that has other work
const KEEPING_RUNS = [0, 1, 2];
// for as long as a measurement may take, and no longer, should nobody be left to stop them
const RESTLESS =
  'const end = Date.now() + 300_000; while (Date.now() < end) JSON.stringify(Array.from({ length: 1e5 }, (_, index) => ({ index })));';
// of these less is better
const COSTS = ['p50'];

/**
 * Ours beside raw in a minute, held against what was kept: a ratio that has fallen by more than a quarter is measured again, and is told if it has still. `isWriting`: keeps what is measured, the worst of three runs: alone, beside one process that never rests, and beside two.
 *
 * @returns What has fallen.
 */
export async function benchQuick({ isWriting }: { isWriting: boolean }): Promise<string[]> {
  if (isWriting) {
    let worst: Ratios = {};
    for (const others of KEEPING_RUNS) worst = joined(worst, await beside(others, measured), worse);
    writeFileSync(kept, `${JSON.stringify(worst, null, 2)}\n`);
    return [];
  }
  if (!existsSync(kept)) throw new Error('Nothing was kept to be compared with: npm run bench -- --quick --write');
  const before = JSON.parse(readFileSync(kept, 'utf8')) as Ratios;
  const first = await measured();
  if (fallen(before, first).length === 0) return [];
  process.stdout.write('something has fallen: once more\n');
  return fallen(before, joined(first, await measured(), better));
}

/** What is worse by more than a quarter than it was. */
export function fallen(before: Ratios, now: Ratios): string[] {
  return Object.entries(before).flatMap(([name, was]) => {
    const is = now[name] ?? Number.NaN;
    const share = isCost(name) ? was / is : is / was;
    return share >= LEAST_OF_KEPT ? [] : [`${name} was ${was.toFixed(2)} of raw, and is ${is.toFixed(2)}`];
  });
}

async function beside<Result>(others: number, work: () => Promise<Result>): Promise<Result> {
  const restless = Array.from({ length: others }, () => spawn(process.execPath, ['-e', RESTLESS], { stdio: 'ignore' }));
  try {
    return await work();
  } finally {
    for (const one of restless) one.kill();
  }
}

async function measured(): Promise<Ratios> {
  const sections = await quickSections();
  for (const section of sections) process.stdout.write(`${printed(section)}\n`);
  return ratiosOf(sections);
}

/** The figures that are looked at, of all who are held against raw, which is the first of each section. */
export function ratiosOf(sections: readonly Pick<Section, 'title' | 'results'>[]): Ratios {
  const ratios = sections.flatMap(({ title, results: [raw, ...others] }) =>
    others.flatMap((own) =>
      ['capacity', 'p50', 'perSecond'].flatMap((figure): [string, number][] => {
        // what a clock says of throughput moves with whatever else runs here
        const isClocked = figure === 'perSecond' && 'capacity' in own.values;
        const ratio = bestOf(own, figure) / bestOf(raw, figure);
        return Number.isNaN(ratio) || isClocked ? [] : [[`${own.name}, ${title}, ${figure}`, ratio]];
      }),
    ),
  );
  return Object.fromEntries(ratios);
}

function bestOf(one: Comparison | undefined, figure: string): number {
  const spread = one?.values[figure];
  return (isCost(figure) ? spread?.least : spread?.most) ?? Number.NaN;
}

function joined(some: Ratios, others: Ratios, pick: (name: string, one: number, other: number) => number): Ratios {
  return Object.fromEntries(
    Object.entries(others).map(([name, ratio]) => [name, pick(name, some[name] ?? ratio, ratio)]),
  );
}

function worse(name: string, one: number, other: number): number {
  return isCost(name) ? Math.max(one, other) : Math.min(one, other);
}

function better(name: string, one: number, other: number): number {
  return isCost(name) ? Math.min(one, other) : Math.max(one, other);
}

function isCost(name: string): boolean {
  return COSTS.some((figure) => name.endsWith(figure));
}
