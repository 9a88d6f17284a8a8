import { setTimeout as sleep } from 'node:timers/promises';
import type { WireName } from 'holdfast';

import { bothWays } from '../test/support/shaped-proxy.ts';
import { detour, hole, observe, steady, type Course, type Hole, type Scene } from './health-course.ts';
import { rowOf } from './health-table.ts';
import type { Comparison } from './rounds.ts';
import type { FigureColumn, Section } from './section.ts';

/** A course, by the number of its run. */
type Outline = (run: number) => Course;

const WIRES: readonly WireName[] = ['plain', 'holdfast.v1'];
/** Of each course. What befalls it comes at another moment of the interval each time. */
const RUNS = 8;
const INTERVAL_MS = 25_000;
const SAMPLES = 15;
const WITHIN_MS = 120_000;
const STEADY_MS = 600_000;
// from the end of the first attempt that is lost in a hole to beyond the end of the second
const LEAST_HOLE_MS = 10_000;
const TALK_MS = 2_000;
const TICK_MS = 30_000;
const NEAR = bothWays({ delayMs: 10 });

const STEADY: readonly Outline[] = [
  () => ({ name: '20 ms', shape: NEAR, play: steady(SAMPLES, STEADY_MS) }),
  () => ({ name: '400 ms', shape: bothWays({ delayMs: 200 }), play: steady(SAMPLES, STEADY_MS) }),
  () => ({
    name: '400 ± 150 ms',
    shape: bothWays({ delayMs: 200, jitterMs: 75 }),
    play: steady(SAMPLES, STEADY_MS),
  }),
  () => ({
    name: '20 ms, 1 % stalls of 300 ms',
    shape: bothWays({ delayMs: 10, stalls: { probability: 0.01, ms: 300 } }),
    play: steady(SAMPLES, STEADY_MS),
  }),
];

const FAULTS: readonly Outline[] = [
  holes('blackhole', { directions: ['up', 'down'] }),
  holes('blackhole up', { directions: ['up'] }),
  holes('blackhole down', { directions: ['down'] }),
  holes('blackhole, one message sent into it', { directions: ['up', 'down'], meanwhile: sendOnce }),
  holes('blackhole up, a message each 2 s down', { directions: ['up'], meanwhile: talk }),
  (run) => ({
    name: '1,200 ms until that is noticed',
    shape: NEAR,
    play: detour({ from: NEAR, to: bothWays({ delayMs: 600 }), afterMs: momentOf(run), withinMs: WITHIN_MS }),
  }),
];

const MEASURED: readonly FigureColumn[] = [
  { key: 'truthMs', heading: 'truth ms', digits: 1, isBare: true },
  { key: 'p50Ms', heading: 'p50 ms', digits: 1 },
  { key: 'offPercent', heading: 'off by %', digits: 1 },
  { key: 'smoothedMs', heading: 'SRTT ms', digits: 1 },
  { key: 'flaps', heading: 'flaps', digits: 0 },
  { key: 'healthy', heading: 'runs healthy', digits: 0, isBare: true },
];

const NOTICED: readonly FigureColumn[] = [
  { key: 'degradedS', heading: 'degraded s', digits: 1 },
  { key: 'givenUpS', heading: 'given up s', digits: 1 },
  { key: 'openS', heading: 'open again s', digits: 1 },
  { key: 'flaps', heading: 'flaps', digits: 0 },
  { key: 'givenUp', heading: 'runs given up', digits: 0, isBare: true },
];

/** What is known of links whose truth is known, and how soon. Default options throughout; takes about seven minutes. */
export async function benchLinks(): Promise<Section[]> {
  const courses = [...STEADY, ...FAULTS];
  const cells = WIRES.flatMap((wire) => courses.map((outline) => ({ wire, outline })));
  const progress = { runs: 0, of: cells.length * RUNS };
  const ticker = setInterval(() => {
    process.stderr.write(`links: ${progress.runs} of ${progress.of} runs are through\n`);
  }, TICK_MS);
  // all at once, for what they do most is wait; not at the same moments, for a probe is not to wait for others
  const rows = await Promise.all(
    cells.map((cell, index) => allRuns(cell, (INTERVAL_MS / RUNS) * (index / cells.length), progress)),
  ).finally(() => {
    clearInterval(ticker);
  });
  const isSteady = (index: number): boolean => index % courses.length < STEADY.length;
  return [
    {
      title: `links, ${SAMPLES} measurements each; ${RUNS} runs`,
      figures: MEASURED,
      results: rows.filter((_, index) => isSteady(index)),
    },
    {
      title: `what befalls a link of 20 ms, at moments spread over the interval, and the time from its beginning, or its end; ${RUNS} runs`,
      figures: NOTICED,
      results: rows.filter((_, index) => !isSteady(index)),
    },
  ];
}

async function allRuns(
  { wire, outline }: { wire: WireName; outline: Outline },
  offsetMs: number,
  progress: { runs: number },
): Promise<Comparison> {
  const runs = Array.from({ length: RUNS }, async (_, run) => {
    await sleep(momentOf(run) + offsetMs);
    const sighting = await observe(outline(run), { wire, seed: run + 1 });
    progress.runs += 1;
    return sighting;
  });
  return rowOf(`${wire}: ${outline(0).name}`, await Promise.all(runs));
}

function holes(name: string, what: Pick<Hole, 'directions' | 'meanwhile'>): Outline {
  return (run) => ({
    name,
    shape: NEAR,
    play: hole({
      ...what,
      afterMs: momentOf(run),
      lastsMs: LEAST_HOLE_MS + (LEAST_HOLE_MS * run) / RUNS,
      withinMs: WITHIN_MS,
    }),
  });
}

/** Each run at another moment of the interval. */
function momentOf(run: number): number {
  return (run * INTERVAL_MS) / RUNS;
}

function sendOnce({ send }: Scene): () => void {
  send('is anybody there?');
  return () => undefined;
}

function talk({ peer }: Scene): () => void {
  const timer = setInterval(() => {
    peer.say('anybody is here');
  }, TALK_MS);
  return () => {
    clearInterval(timer);
  };
}
