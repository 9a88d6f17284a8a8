/**
 * One step of a seeded generator: the next seed, and the number in [0, 1) that this step draws.
 *
 * A connection keeps its seed in its context, so that everything drawn after its start is a function of recorded facts
 * and a replay chooses the same delays. Statistical quality matters here only for spreading retries, never for secrets.
 *
 * Source: mulberry32, Tommy Ettinger, public domain.
 */
export function drawFrom(seed: number): { seed: number; draw: number } {
  const next = (seed + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(next ^ (next >>> 15), next | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return { seed: next, draw: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 };
}

/** Turns a number in [0, 1), as `Math.random` gives it, into a seed. Anything else becomes the seed 0. */
export function seedFrom(random: number): number {
  return random >= 0 && random < 1 ? Math.floor(random * 2 ** 32) : 0;
}

/** A name that no other draw gives: 16 hexadecimal digits of two numbers in [0, 1). It tells apart, and guards nothing. */
export function nameFrom(first: number, second: number): string {
  return [first, second].map((random) => seedFrom(random).toString(16).padStart(8, '0')).join('');
}
