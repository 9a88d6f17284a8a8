import { note } from './note.ts';
import { CANDIDATES } from './peers/candidates.ts';
import { ask, carry } from './peers/jobs.ts';
import { TRIALS } from './peers/loads.ts';
import { Pairs, type Pair } from './peers/pairs.ts';
import type { Measure } from './rounds.ts';

const REQUESTS = [1, 100];

/**
 * Ours through all loads and round trips once, with every promise checked: each message as it was sent, to the last character, once and in order; each receipt with the end that its wire promises; each answer to its own
 * question; the audit log intact, and each transition in it the same when it is replayed.
 *
 * @returns What was broken.
 */
export async function benchVerify(): Promise<string[]> {
  process.env['HOLDFAST_VERIFY'] = '1';
  const jobs = [
    ...TRIALS.map((trial) => ({ name: trial.name, run: (pair: Pair) => carry(pair, trial) })),
    ...REQUESTS.map((inFlight) => ({
      name: `round trips, ${inFlight} in flight`,
      run: (pair: Pair) => ask(pair, { count: 4_000, inFlight }),
    })),
  ];
  const broken: string[] = [];
  for (const candidate of CANDIDATES.filter(({ name }) => name.startsWith('holdfast')))
    for (const { name, run } of jobs) {
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
