import { pause } from '../deadline.ts';
import type { Chance } from '../../../src/testing/chance.ts';
import type { ServerLives } from './server-lives.ts';

/** How often each fault was inflicted. */
export interface Inflicted {
  killed: number;
  /** For less time than a link may be silent, and for more. */
  frozenBriefly: number;
  frozenLong: number;
  killedFrozen: number;
}

type Fault = keyof Inflicted;

// in any order
const ROUND: readonly Fault[] = ['killed', 'frozenBriefly', 'frozenLong', 'killed', 'frozenLong', 'killedFrozen'];

/** Kills and freezes a server at random, for so long, and at least once in each way; at the end it lives, and is not frozen. */
export async function inflict(server: ServerLives, chance: Chance, durationMs: number): Promise<Inflicted> {
  const inflicted: Inflicted = { killed: 0, frozenBriefly: 0, frozenLong: 0, killedFrozen: 0 };
  const endMs = performance.now() + durationMs;
  for (let round = 1; ; round++)
    for (const fault of shuffled(ROUND, chance)) {
      if (round > 1 && performance.now() >= endMs) return inflicted;
      await pause(chance.between(200, 2_200));
      await faults[fault](server, chance);
      inflicted[fault] += 1;
    }
}

function shuffled<Item>(items: readonly Item[], chance: Chance): Item[] {
  return items
    .map((item) => ({ item, at: chance.draw() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

const faults: Record<Fault, (server: ServerLives, chance: Chance) => Promise<void>> = {
  killed: async (server, chance) => {
    await server.present.kill();
    await pause(chance.between(0, 1_500));
    await server.start();
  },
  frozenBriefly: async (server, chance) => {
    server.present.freeze();
    await pause(chance.between(20, 500));
    server.present.thaw();
  },
  frozenLong: async (server, chance) => {
    server.present.freeze();
    await pause(chance.between(1_400, 3_000));
    server.present.thaw();
  },
  killedFrozen: async (server, chance) => {
    server.present.freeze();
    await pause(chance.between(100, 2_000));
    await faults.killed(server, chance);
  },
};
