import { writeFileSync } from 'node:fs';

import { countText, growthPicture, lifeTitle, spreadTitle } from './growth-picture.ts';
import { keepResults } from './keeping.ts';
import { note } from './note.ts';
import { candidateNamed, HOLDFAST, HOLDFAST_PLAIN, RAW } from './peers/candidates.ts';
import { livesOf, type LifeFigure } from './peers/crowd.ts';
import type { Candidate } from './peers/ends.ts';
import { carry } from './peers/jobs.ts';
import { Pairs, type Pair } from './peers/pairs.ts';
import { terminal } from './payloads.ts';
import { alone, interleaved, marked, quantile, type Comparison, type Measure } from './rounds.ts';
import { reported, type Bar, type FigureColumn, type Section } from './section.ts';
import { BURSTS } from './turns.ts';

const CROWDS = [1, 10, 100, 1_000, 10_000];
const FEW = 100;
const SPREADS = [1, 10, 100, 1_000];
const ROUNDS = 2;
// one of few connections is too cheap to be measured alone
const LIVES: Readonly<Record<number, number>> = { 1: 3, 10: 2 };
const MESSAGES = 50_000;
const MOST_TIMES = 1.3;
const COSTS = ['start', 'recover', 'stop'] as const;

const FIGURES: readonly (FigureColumn & { key: LifeFigure })[] = [
  { key: 'start', heading: 'start', digits: 0 },
  { key: 'recover', heading: 'lose and recover', digits: 0 },
  { key: 'stop', heading: 'stop', digits: 0 },
  { key: 'serverStart', heading: 'server: start', digits: 0, isBare: true },
  { key: 'serverRecover', heading: 'recover', digits: 0, isBare: true },
  { key: 'serverStop', heading: 'stop', digits: 0, isBare: true },
  { key: 'heap', heading: 'heap kB', digits: 1, isBare: true },
  { key: 'serverHeap', heading: 'server heap kB', digits: 1, isBare: true },
];
const CARRYING: readonly FigureColumn[] = [
  { key: 'capacity', heading: 'capacity/s', digits: 0 },
  { key: 'clientMicros', heading: 'client CPU µs', digits: 2, isBare: true },
  { key: 'serverMicros', heading: 'server CPU µs', digits: 2, isBare: true },
];

const OTHERS = ['partysocket', 'socket.io, tuned'].map(candidateNamed);
const CANDIDATES: readonly Candidate[] = [RAW, HOLDFAST, HOLDFAST_PLAIN, ...OTHERS];

/** What one more connection costs, by how many there are, and what many of them carry together. Writes `bench/results/growth.*` as well. */
export async function benchGrowth(report: (section: Section) => void): Promise<void> {
  const { sections, tell } = reported(report);
  const pairs = new Pairs();
  try {
    const lives = await livesOfAll(pairs);
    for (const [index, { name }] of CANDIDATES.entries()) tell(crowdSection(name, lives[index] ?? []));
    for (const connections of SPREADS) tell(await spreadSection(pairs, connections));
  } finally {
    await pairs.stop();
  }
  keepResults(ACCOUNT, sections);
  writeFileSync(new URL('./results/growth.svg', import.meta.url), growthPicture(sections));
}

/** Of each candidate, of each crowd, each round. */
type Lives = readonly (readonly Measure<LifeFigure>[])[];

// everybody in turn, a crowd after the other; a round before the first is thrown away, for it measures the compiler
async function livesOfAll(pairs: Pairs): Promise<Lives[]> {
  const all = CANDIDATES.map(() => CROWDS.map((): Measure<LifeFigure>[] => []));
  for (let round = 0; round <= ROUNDS; round++)
    for (const [at, connections] of CROWDS.entries())
      for (const [index, candidate] of CANDIDATES.entries()) {
        if (round === 0 && connections > FEW) continue;
        note(`round ${round} of ${ROUNDS}: ${connections} × ${candidate.name}`);
        const measure = await meanLife(await pairs.of(candidate), connections);
        if (round > 0) all[index]?.[at]?.push(measure);
      }
  return all;
}

async function meanLife(pair: Pair, connections: number): Promise<Measure<LifeFigure>> {
  const lives: Measure<LifeFigure>[] = [];
  for (let life = 0; life < (LIVES[connections] ?? 1); life++)
    lives.push(await livesOf(pair, { connections, isLost: pair.candidate !== RAW }));
  const mean = (figure: LifeFigure): number => lives.reduce((sum, one) => sum + one[figure], 0) / lives.length;
  const figures = Object.keys(lives[0] ?? {}) as LifeFigure[];
  return Object.fromEntries(figures.map((figure) => [figure, mean(figure)])) as Measure<LifeFigure>;
}

function crowdSection(name: string, lives: Lives): Section {
  const results = CROWDS.map((connections, index): Comparison => {
    const measures = lives[index] ?? [];
    const isInvalid = measures.some(({ faults }) => faults > 0);
    return alone(`${countText(connections)}${isInvalid ? ' INVALID' : ''}`, measures);
  });
  return {
    title: lifeTitle(name),
    figures: FIGURES,
    results,
    ...(name === HOLDFAST.name && { bars: COSTS.map((cost) => growthBar(cost, lives)) }),
  };
}

function growthBar(cost: (typeof COSTS)[number], lives: Lives): Bar {
  const few = lives[CROWDS.indexOf(FEW)] ?? [];
  const ratios = (lives.at(-1) ?? []).map((many, round) => many[cost] / (few[round]?.[cost] ?? Number.NaN));
  const value = quantile(ratios, 0.5);
  const name = `holdfast.v1, ${cost}, ${CROWDS.at(-1)} against ${FEW}`;
  return { name, value, most: MOST_TIMES };
}

async function spreadSection(pairs: Pairs, connections: number): Promise<Section> {
  note(`${MESSAGES} messages over ${connections} connections`);
  const load = { payloads: terminal, direction: 'up', shape: BURSTS, messages: MESSAGES, connections } as const;
  const run = (candidate: Candidate) => async () => carry(await pairs.of(candidate), load);
  const [raw, ...others] = CANDIDATES;
  const rest = others.map((candidate) => ({ name: candidate.name, run: run(candidate) }));
  const results = await interleaved(run(raw ?? RAW), rest, { rounds: ROUNDS });
  return { title: spreadTitle(connections), figures: CARRYING, results: results.map(marked) };
}

const ACCOUNT = {
  name: 'growth',
  title: 'What one more connection costs',
  versions: ['partysocket', 'socket.io'],
  notes: `Medians; beside them the least and the most of ${ROUNDS} rounds. Client and server are processes of their own, a pair for each candidate, and everybody has a turn with each number of connections before the
next. 64 handshakes are under way at once. All connections are reset at once by the server, and each carries a message once all of them are open again: a candidate that loses one is INVALID. CPU is that of the whole
process, garbage collection included, and of the half second after it; with 1 and 10 connections, that is mostly the process itself. Heap is what is in use after a collection, for each connection.

![Cost and throughput by the number of connections](growth.svg)`,
};
