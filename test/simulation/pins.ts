import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

import { simulate } from '../../src/testing/simulate.ts';

const FILE = new URL('./pins.json', import.meta.url);

/** One with each choice of a wire: required, preferred, and plain. */
export const PINNED_SEEDS = [1, 42, 2026];

/** The hashes of the histories of some seeds, as they are committed: every machine, process and version of Node is held to the same. */
export type Pins = Readonly<Record<string, string>>;

/** Those that are committed. */
export function committed(): Pins {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Pins;
}

/** Writes down what these seeds come to now, for somebody to commit. */
export async function pin(): Promise<Pins> {
  const pins: Record<string, string> = {};
  for (const seed of PINNED_SEEDS) pins[seed] = hashOf((await simulate({ seed, shrinkRuns: 0 })).history);
  writeFileSync(FILE, `${JSON.stringify(pins, null, 2)}\n`);
  return pins;
}

/** The hash of a history, in hexadecimal digits. */
export function hashOf(history: string): string {
  return createHash('sha256').update(history).digest('hex');
}
