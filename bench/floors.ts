import { keepResults } from './keeping.ts';
import { note } from './note.ts';
import { asking, carrying } from './peers.ts';
import { BARE_BATCHES, BARE_IDLE, HOLDFAST, RAW } from './peers/candidates.ts';
import { idleSection } from './peers/idle.ts';
import { TRIALS } from './peers/loads.ts';
import { Pairs } from './peers/pairs.ts';
import { reported, type Section } from './section.ts';

const FULLY = { rounds: 5, leading: 3 };
const TRIPS = [
  { count: 10_000, inFlight: 1 },
  { count: 50_000, inFlight: 100 },
];
const TWO = [BARE_BATCHES, HOLDFAST];

/** What the platform itself costs whoever does no more than has to be done. Writes `bench/results/floors.*` as well. */
export async function benchFloors(report: (section: Section) => void): Promise<void> {
  const { sections, tell } = reported(report);
  const pairs = new Pairs();
  try {
    for (const trial of TRIALS) tell(await carrying(pairs, trial, TWO, FULLY));
    for (const how of TRIPS) tell(await asking(pairs, how, TWO, FULLY));
  } finally {
    await pairs.stop();
  }
  tell(await idleSection(note, { candidates: [RAW, ...BARE_IDLE, HOLDFAST] }));
  keepResults(ACCOUNT, sections);
}

const ACCOUNT = {
  name: 'floors',
  title: 'What the platform itself costs',
  notes: `Measured as \`npm run bench\` does, ${FULLY.rounds} rounds. \`bare batches\` does with messages what \`holdfast.v1\` does and nothing around it: messages of a turn share a frame by the same clock, are kept until they are acknowledged, and acknowledged after 256 of them or
50 ms. No states, no limits, no outbox, no order of priorities, no deadlines, no resuming, no checks, no health, no record. A bound that it does not reach is out of reach for whoever does more; between it and \`holdfast.v1\` lies what the rest costs.
The idle ones beside raw do no more than ping each 25 s and take the round trip; with XState, of nine actors one takes two events each time.`,
};
