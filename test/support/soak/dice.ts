import { drawFrom } from '../../../src/core/chance.ts';

/** What chance decides, the same for the same seed. */
export interface Dice {
  /** A whole number from 0 to below a limit. */
  below(limit: number): number;
  /** A whole number between two, both included. */
  between(least: number, most: number): number;
  /** Whether something happens that does so with this probability. */
  happens(probability: number): boolean;
  shuffled<Item>(items: readonly Item[]): Item[];
}

export function diceOf(seed: number): Dice {
  let state = seed;
  const draw = (): number => {
    const step = drawFrom(state);
    state = step.seed;
    return step.draw;
  };
  const below = (limit: number): number => Math.floor(draw() * limit);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    happens: (probability) => draw() < probability,
    shuffled: (items) =>
      items
        .map((item) => ({ item, at: draw() }))
        .sort((one, other) => one.at - other.at)
        .map(({ item }) => item),
  };
}
