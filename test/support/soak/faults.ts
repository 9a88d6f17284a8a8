import { pause } from '../deadline.ts';
import type { Dice } from './dice.ts';
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
export async function inflict(server: ServerLives, dice: Dice, durationMs: number): Promise<Inflicted> {
  const inflicted: Inflicted = { killed: 0, frozenBriefly: 0, frozenLong: 0, killedFrozen: 0 };
  const endMs = performance.now() + durationMs;
  for (let round = 1; ; round++)
    for (const fault of dice.shuffled(ROUND)) {
      if (round > 1 && performance.now() >= endMs) return inflicted;
      await pause(dice.between(200, 2_200));
      await faults[fault](server, dice);
      inflicted[fault] += 1;
    }
}

const faults: Record<Fault, (server: ServerLives, dice: Dice) => Promise<void>> = {
  killed: async (server, dice) => {
    await server.present.kill();
    await pause(dice.between(0, 1_500));
    await server.start();
  },
  frozenBriefly: async (server, dice) => {
    server.present.freeze();
    await pause(dice.between(20, 500));
    server.present.thaw();
  },
  frozenLong: async (server, dice) => {
    server.present.freeze();
    await pause(dice.between(1_400, 3_000));
    server.present.thaw();
  },
  killedFrozen: async (server, dice) => {
    server.present.freeze();
    await pause(dice.between(100, 2_000));
    await faults.killed(server, dice);
  },
};
