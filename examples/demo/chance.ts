/** A number in [0, 1). */
export type Draw = () => number;

/** Chance that can be had again: the same seed draws the same numbers. Source: Mulberry32, Tommy Ettinger, 2017. */
export function chanceOf(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number from the first to below the second. */
export function between(low: number, high: number, draw: Draw): number {
  return low + draw() * (high - low);
}

/** The same things in another order. */
export function shuffled<Item>(items: readonly Item[], draw: Draw): Item[] {
  return items
    .map((item) => ({ item, place: draw() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
