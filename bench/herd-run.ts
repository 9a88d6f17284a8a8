import { drawFrom } from '../src/core/chance.ts';
import type { Loss, Way } from './herd-ways.ts';

/** One server that all clients lose at the same instant. */
export interface Outage extends Loss {
  name: string;
  clients: number;
  seed: number;
  /** From the loss until the server takes connections again, in ms. */
  backAfterMs: number;
}

/** What the server sees of it. */
export interface Stampede {
  /** Connections made in each 100 ms from the loss on. */
  returned: number[];
  /** The most of them. */
  peak: number;
  /** The most attempts within 100 ms, those that failed included. */
  peakOfAttempts: number;
  /** From the moment the server is there to the moment half of the clients are back, and so on, in ms; `null`: they never are. */
  halfMs: number | null;
  mostMs: number | null;
  allMs: number | null;
}

/** One way through one outage. */
export interface Course {
  way: Way;
  seen: Stampede;
}

/** The width of what is counted together. */
export const SLOT_MS = 100;
const LONGEST_MS = 3_600_000;

/** Lets all clients come back, each by chance of its own. An attempt takes no time; a server that is there takes all who come. */
export function stampede(way: Way, outage: Outage): Stampede {
  const { clients, backAfterMs } = outage;
  const attempts: number[] = [];
  const times: number[] = [];
  const chance = chanceFrom(outage.seed);
  for (let client = 0; client < clients; client++) {
    const waits = way.client(outage, { seed: Math.floor(chance() * 2 ** 32), random: chance });
    let at = 0;
    do {
      const waitMs = waits();
      at = waitMs === null ? Infinity : at + waitMs;
      if (at < LONGEST_MS) count(attempts, at);
    } while (at < backAfterMs);
    if (at < LONGEST_MS) times.push(at);
  }
  times.sort((a, b) => a - b);
  const returned: number[] = [];
  for (const at of times) count(returned, at);
  const until = (part: number): number | null => {
    const at = times[Math.ceil(clients * part) - 1];
    return at === undefined ? null : at - backAfterMs;
  };
  return {
    returned: Array.from({ length: returned.length }, (_, slot) => returned[slot] ?? 0),
    peak: highest(returned),
    peakOfAttempts: highest(attempts),
    halfMs: until(0.5),
    mostMs: until(0.95),
    allMs: until(1),
  };
}

function count(slots: number[], at: number): void {
  const slot = Math.floor(at / SLOT_MS);
  slots[slot] = (slots[slot] ?? 0) + 1;
}

function highest(slots: readonly (number | undefined)[]): number {
  return slots.reduce<number>((most, those = 0) => Math.max(most, those), 0);
}

function chanceFrom(start: number): () => number {
  let seed = start;
  return () => {
    const drawn = drawFrom(seed);
    seed = drawn.seed;
    return drawn.draw;
  };
}
