import { EnhancedWebSocketService } from 'holdfast';
import { keepResults } from './keeping.ts';
import { lifeOf } from './near-life.ts';
import { NearSocket } from './near-socket.ts';
import { alone, quantile, type Measure } from './rounds.ts';
import type { Bar, FigureColumn, Section } from './section.ts';

type Cost = 'start' | 'recover' | 'stop';

const FEW = 100;
const SIZES = [FEW, 1_000, 10_000];
const ROUNDS = 3;
// a life of few connections is over before it can be measured
const LEAST_LIVED = 1_000;
const MOST = 1.3;

const COSTS: readonly (FigureColumn & { key: Cost })[] = [
  { key: 'start', heading: 'start', digits: 0 },
  { key: 'recover', heading: 'lose and recover', digits: 0 },
  { key: 'stop', heading: 'stop', digits: 0 },
];

/** What each of many connections costs: opened, lost all at once and open again, stopped. Writes `bench/results/supervision.*` as well. */
export async function benchSupervision(report: (section: Section) => void): Promise<void> {
  const rounds: Measure<Cost>[][] = [];
  // a round before the first is thrown away, for it measures the compiler
  for (let round = 0; round <= ROUNDS; round++) {
    const measures: Measure<Cost>[] = [];
    for (const size of SIZES) measures.push(await livesOf(size));
    rounds.push(measures);
  }
  const counted = rounds.slice(1);
  const section: Section = {
    title: 'CPU µs for each connection of a service, by how many it has',
    figures: COSTS,
    results: SIZES.map((size, index) =>
      alone(
        `${size.toLocaleString('en')} connections`,
        counted.flatMap((measures) => measures[index] ?? []),
      ),
    ),
    bars: COSTS.map(({ key, heading }) => barOf(`${heading}, ${SIZES.at(-1)} against ${FEW}`, key, counted)),
  };
  report(section);
  keepResults(ACCOUNT, [section]);
}

function barOf(name: string, key: Cost, rounds: readonly (readonly Measure<Cost>[])[]): Bar {
  const ratios = rounds.map((measures) => (measures.at(-1)?.[key] ?? Number.NaN) / (measures[0]?.[key] ?? Number.NaN));
  const value = quantile(ratios, 0.5);
  return { name, value, most: MOST };
}

/** As many services one after the other as it takes for `LEAST_LIVED` connections to live. */
async function livesOf(size: number): Promise<Measure<Cost>> {
  const sum = { start: 0, recover: 0, stop: 0 };
  const lives = Math.max(1, LEAST_LIVED / size);
  for (let life = 0; life < lives; life++) {
    const costs = await lifeOf(serviceOf(), size);
    for (const { key } of COSTS) sum[key] += costs[key] / (lives * size);
  }
  return sum;
}

function serviceOf(): EnhancedWebSocketService {
  return new EnhancedWebSocketService({
    services: { main: { url: 'ws://127.0.0.1:1/', retry: { baseMs: 100 } } },
    WebSocket: NearSocket,
  });
}

const ACCOUNT = {
  name: 'supervision',
  title: 'What supervision costs',
  notes: `CPU time of the process, garbage collection included, for each connection: medians, then the least and the most of ${ROUNDS} rounds. Sockets are objects
that open in the next turn of the event loop, so that no network is measured; 64 connections dial at once, as by default. The bars are medians of the ratios within each round.`,
};
