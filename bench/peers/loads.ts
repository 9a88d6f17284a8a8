import { bytes, largeRecords, manyBytes, records, terminal, tiny } from '../payloads.ts';
import { BURSTS, SINGLES, SMALL_BURSTS } from '../turns.ts';
import type { Load } from './jobs.ts';

/** A load, and what the project asks of `holdfast.v1` with it: how many times raw's capacity. */
export interface Trial extends Load {
  name: string;
  least: number;
  goal?: number;
  /** Whether it is looked at in passing. */
  isQuick?: boolean;
}

const UP = 'up' as const;
const DOWN = 'down' as const;

/** What is carried, in the order of the table of goals; so many messages that it is not the compiler that is measured. */
export const TRIALS: readonly Trial[] = [
  trial({ payloads: terminal, direction: UP, shape: BURSTS, messages: 100_000 }, 3.5, 6),
  trial({ payloads: terminal, direction: UP, shape: SMALL_BURSTS, messages: 60_000 }, 2, 3.5),
  trial({ payloads: terminal, direction: UP, shape: SINGLES, messages: 20_000 }, 0.9, 3),
  trial({ payloads: tiny, direction: UP, shape: BURSTS, messages: 100_000 }, 3.5),
  trial({ payloads: records, direction: UP, shape: BURSTS, messages: 60_000 }, 2, 2.5),
  trial({ payloads: largeRecords, direction: UP, shape: BURSTS, messages: 16_000 }, 0.95, 1.05),
  trial({ payloads: bytes, direction: UP, shape: BURSTS, messages: 60_000 }, 3, 5),
  trial({ payloads: manyBytes, direction: UP, shape: BURSTS, messages: 16_000 }, 1, 1.2),
  trial({ payloads: terminal, direction: DOWN, shape: BURSTS, messages: 100_000 }, 3.5, 7),
  trial({ payloads: terminal, direction: DOWN, shape: SMALL_BURSTS, messages: 60_000 }, 2),
  trial({ payloads: terminal, direction: DOWN, shape: SINGLES, messages: 20_000 }, 0.9, 3),
  trial({ payloads: tiny, direction: DOWN, shape: BURSTS, messages: 100_000 }, 3.5),
  trial({ payloads: records, direction: DOWN, shape: BURSTS, messages: 60_000 }, 2),
  trial({ payloads: largeRecords, direction: DOWN, shape: BURSTS, messages: 16_000 }, 0.95),
  trial({ payloads: bytes, direction: DOWN, shape: BURSTS, messages: 60_000 }, 3),
  trial({ payloads: manyBytes, direction: DOWN, shape: BURSTS, messages: 16_000 }, 1),
];

// what the project says most about is looked at in passing
function trial(load: Load, least: number, goal?: number): Trial {
  const { payloads, direction, shape } = load;
  const name = `${payloads.name}, ${direction}, ${shape.name}`;
  const isQuick = payloads === terminal && shape !== SMALL_BURSTS;
  return { ...load, name, least, ...(goal !== undefined && { goal }), isQuick };
}
