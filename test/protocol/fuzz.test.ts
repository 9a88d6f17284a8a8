import { describe, expect, test } from 'vitest';

import type { InboundData } from '../../src/errors.ts';
import type { Side } from '../../src/protocol/frames.ts';
import { ProtocolViolation } from '../../src/protocol/violation.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import { bent, chanceFrom, pick } from '../support/bending.ts';
import { dataOf, FRAME_VECTORS, VECTOR_LIMITS, VIOLATION_VECTORS } from './vectors.ts';
import { makeCompression } from '../support/compression.ts';

// `npm run test:long` asks for more
const RUNS = Number(process.env['HOLDFAST_FUZZ_RUNS'] ?? 5_000);
const SEED = Number(process.env['HOLDFAST_FUZZ_SEED'] ?? 1);

const seeds = [...FRAME_VECTORS, ...VIOLATION_VECTORS].map(dataOf);
describe('reading frames', () => {
  test(`ends in a frame or in a violation, for ${RUNS} frames that chance has bent, on both ends`, () => {
    const chance = chanceFrom(SEED);
    const outcomes = { frame: 0, violation: 0 };
    for (let run = 0; run < RUNS; run++) {
      const data = bent(seeds[pick(chance, seeds.length)] ?? '', chance);
      for (const from of ['client', 'server'] as const) outcomes[outcomeOf(data, from, run)] += 1;
    }
    // both kinds are many: else it is the bending that is at fault
    expect(Math.min(outcomes.frame, outcomes.violation)).toBeGreaterThan(RUNS / 20);
  });
});

function outcomeOf(data: InboundData, from: Side, run: number): 'frame' | 'violation' {
  try {
    const frame = readFrame(data, {
      from,
      limits: VECTOR_LIMITS,
      compression: makeCompression({ hasWindow: true }),
    });
    expect(typeof frame.t).toBe('string');
    return 'frame';
  } catch (error) {
    if (error instanceof ProtocolViolation) return 'violation';
    throw new Error(`run ${run} of seed ${SEED} threw something else`, { cause: error });
  }
}
