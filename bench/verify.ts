import { note } from './note.ts';
import { CANDIDATES, HOLDFAST_PLAIN } from './peers/candidates.ts';
import { livesOf } from './peers/crowd.ts';
import { DROPS, type Drop } from './peers/drop-proxy.ts';
import { dropped } from './peers/drops.ts';
import { ask, carry, pace } from './peers/jobs.ts';
import { TRIALS } from './peers/loads.ts';
import { Pairs, type Pair } from './peers/pairs.ts';
import type { Measure } from './rounds.ts';

const REQUESTS = [1, 100];
const CONNECTIONS = 100;
const OPEN_MS = 3_000;
// longer than a hole stays unnoticed under traffic
const AFTER_MS = 10_000;

interface Job {
  name: string;
  /** Whether it is only promised by who resumes. */
  isResuming?: boolean;
  run: (pair: Pair) => Promise<Measure<'faults'>>;
}

/**
 * Ours once through loads, round trips, an even pace and lost connections, with every promise checked: each message as it was sent, once and in order, also when the connection is lost under it on a wire that promises that; each receipt with the
 * end that its wire promises; each answer to its own question; the audit log intact, and each transition in it the same when it is replayed.
 *
 * @returns What was broken.
 */
export async function benchVerify(): Promise<string[]> {
  process.env['HOLDFAST_VERIFY'] = '1';
  const jobs: readonly Job[] = [
    ...TRIALS.map((trial) => ({ name: trial.name, run: (pair: Pair) => carry(pair, trial) })),
    ...REQUESTS.map((inFlight) => ({
      name: `round trips, ${inFlight} in flight`,
      run: (pair: Pair) => ask(pair, { count: 4_000, inFlight }),
    })),
    { name: 'an even pace', run: (pair) => pace(pair, { direction: 'up', perSecond: 20_000, seconds: 1 }) },
    {
      name: `${CONNECTIONS} connections, all lost at once`,
      run: (pair) => livesOf(pair, { connections: CONNECTIONS, isLost: true }),
    },
    ...DROPS.map((how): Job => ({
      name: `lost under traffic: ${how}`,
      isResuming: true,
      run: (pair) => lost(pair, how),
    })),
  ];
  const broken: string[] = [];
  for (const candidate of CANDIDATES.filter(({ name }) => name.startsWith('holdfast')))
    for (const { name, run, isResuming = false } of jobs) {
      // what was in the buffer of a socket is told to be unknown there, and no more is promised
      if (isResuming && candidate === HOLDFAST_PLAIN) continue;
      const pairs = new Pairs();
      try {
        const { faults }: Measure<'faults'> = await run(await pairs.of(candidate));
        if (faults > 0)
          broken.push(`${candidate.name}, ${name}: ${faults} messages were lost, doubled, reordered or changed`);
        note(`${candidate.name}, ${name}: ${faults > 0 ? 'BROKEN' : 'kept'}`);
      } catch (error) {
        broken.push(`${candidate.name}, ${name}: ${String(error)}`);
        note(`${candidate.name}, ${name}: BROKEN`);
      } finally {
        await pairs.stop();
      }
    }
  return broken;
}

async function lost(pair: Pair, how: Drop): Promise<Measure<'faults'>> {
  const { lost, doubled, reordered } = await dropped(pair, { how, openMs: OPEN_MS, afterMs: AFTER_MS });
  await pair.client.ask('close');
  return { faults: lost + doubled + reordered };
}
