import type { LifeCost, LoadCost, WatchedOrders, Way } from './audit-process.ts';
import { keepResults } from './keeping.ts';
import { note } from './note.ts';
import { Process } from './peers/process.ts';
import { interleaved, type Comparison, type Measure } from './rounds.ts';
import { reported, type Bar, type FigureColumn, type Section } from './section.ts';

const ROUNDS = 7;
// a run of them is short, and hears of everything else on the machine
const LOAD_ROUNDS = 15;
// the code of a connection's life is long, and is not run often
const LEADING = 6;
const CONNECTIONS = 200;
const MOST = 1.5;
const MOST_PER_MESSAGE = 1.1;

const LIVES: readonly (FigureColumn & { key: LifeCost })[] = [
  { key: 'start', heading: 'start', digits: 0 },
  { key: 'recover', heading: 'lose and recover', digits: 0 },
  { key: 'stop', heading: 'stop', digits: 0 },
  { key: 'life', heading: 'all of it', digits: 0 },
];
const LOADS: readonly (FigureColumn & { key: LoadCost })[] = [
  { key: 'sent', heading: 'sent', digits: 0 },
  { key: 'received', heading: 'received', digits: 0 },
];

/** In the order of the tables: how it is called there, and whether the project has set a bound. */
const WAYS: readonly { way: Exclude<Way, 'none'>; name: string; isBound?: boolean }[] = [
  { way: 'memory', name: 'log in memory', isBound: true },
  { way: 'file', name: 'log in a file', isBound: true },
  { way: 'each message', name: 'log of each message' },
  { way: 'observer', name: 'observer that does nothing' },
  { way: 'inspector', name: 'inspector of Stately' },
];

/** What an audit log and an inspector cost: for each connection and what happens to it, and for each message. Writes `bench/results/audit.*` as well. */
export async function benchAudit(report: (section: Section) => void): Promise<void> {
  const { sections, tell } = reported(report);
  const started = new Map<Way, Process<WatchedOrders>>();
  const of = (way: Way): Process<WatchedOrders> => {
    const known = started.get(way) ?? new Process<WatchedOrders>('../audit-process.ts', [way]);
    started.set(way, known);
    return known;
  };
  try {
    const lives = await compared('lives', ROUNDS, (way) => of(way).ask('lives', CONNECTIONS));
    tell({
      title: `CPU µs for each of ${CONNECTIONS} connections`,
      figures: LIVES,
      base: 'nobody',
      results: lives,
      bars: bounded(lives).map(({ name, ratios }) => barOf(name, ratios['life']?.median, MOST)),
    });
    const loads = await compared('messages', LOAD_ROUNDS, (way) => of(way).ask('load'));
    tell({
      title: 'CPU ns for each message of an open connection',
      figures: LOADS,
      base: 'nobody',
      results: loads,
      bars: bounded(loads).flatMap(({ name, ratios }) =>
        LOADS.map(({ key, heading }) => barOf(`${name}, ${heading}`, ratios[key]?.median, MOST_PER_MESSAGE)),
      ),
    });
  } finally {
    for (const one of started.values()) one.stop();
  }
  keepResults(ACCOUNT, sections);
}

async function compared<Figure extends string>(
  what: string,
  rounds: number,
  measured: (way: Way) => Promise<Measure<Figure>>,
): Promise<Comparison[]> {
  note(what);
  const [nobody, ...results] = await interleaved(
    () => measured('none'),
    WAYS.map(({ way, name }) => ({ name, run: () => measured(way) })),
    { rounds, leading: LEADING },
  );
  return [...(nobody ? [{ ...nobody, name: 'nobody watches' }] : []), ...results];
}

function bounded(results: readonly Comparison[]): Comparison[] {
  return results.filter((one) => WAYS.some(({ name, isBound }) => isBound && name === one.name));
}

function barOf(name: string, value = Number.NaN, most: number): Bar {
  return { name, value, most };
}

const ACCOUNT = {
  name: 'audit',
  title: 'What an audit log and an inspector cost',
  versions: ['@statelyai/inspect'],
  notes: `CPU time of a process, garbage collection and other threads included, a process for each way to watch, and the ratio of each run to the runs that nobody watches just before and after it: medians, then the
least and the most of ${ROUNDS} rounds, ${LOAD_ROUNDS} of messages, after ${LEADING} that are thrown away. Logs are at their default level, but for the one of each message, in memory. An inspector's events go nowhere: what it costs to make and to copy them is what is measured. Sockets are objects
without a network, so that what a connection does itself is all there is; with a network the ratios are smaller. What is not attached costs nothing: then nothing of it runs.`,
};
