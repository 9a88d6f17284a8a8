import { describe, expect, test } from 'vitest';

import { drawFrom } from '../../src/core/chance.ts';
import type { InboundData } from '../../src/errors.ts';
import { pakoDeflater } from '../../src/protocol/deflater.ts';
import type { Side } from '../../src/protocol/frames.ts';
import { ProtocolViolation } from '../../src/protocol/violation.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import { dataOf, FRAME_VECTORS, VECTOR_LIMITS, VIOLATION_VECTORS } from './vectors.ts';

// `npm run test:long` asks for more
const RUNS = Number(process.env['HOLDFAST_FUZZ_RUNS'] ?? 5_000);
const SEED = Number(process.env['HOLDFAST_FUZZ_SEED'] ?? 1);

const seeds = [...FRAME_VECTORS, ...VIOLATION_VECTORS].map(dataOf);
// what is put where it does not belong
const oddities = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\u0000',
  '\ud800',
  '-',
  'e',
  '.',
  '1e999',
  '__proto__',
  'null',
];

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
    const frame = readFrame(data, { from, limits: VECTOR_LIMITS, deflater: pakoDeflater });
    expect(typeof frame.t).toBe('string');
    return 'frame';
  } catch (error) {
    if (error instanceof ProtocolViolation) return 'violation';
    throw new Error(`run ${run} of seed ${SEED} threw something else`, { cause: error });
  }
}

/** One to four small changes. */
function bent(data: InboundData, chance: () => number): InboundData {
  const times = 1 + pick(chance, 4);
  if (typeof data === 'string') {
    let text = data;
    for (let time = 0; time < times; time++) text = bentText(text, chance);
    return text;
  }
  let bytes = new Uint8Array(data);
  for (let time = 0; time < times; time++) bytes = bentBytes(bytes, chance);
  return bytes.slice().buffer;
}

function bentText(text: string, chance: () => number): string {
  const at = pick(chance, text.length + 1);
  const to = at + pick(chance, 8);
  switch (pick(chance, 6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(to);
    case 2:
      return text.slice(0, at) + (oddities[pick(chance, oddities.length)] ?? '') + text.slice(at);
    case 3:
      return text.slice(0, at) + String.fromCharCode(pick(chance, 0x10000)) + text.slice(at + 1);
    case 4:
      return text.slice(0, to) + text.slice(at);
    default:
      // a number becomes another
      return text.replace(/\d+/, () => String(Math.floor(chance() * 10 ** pick(chance, 20))));
  }
}

function bentBytes(bytes: Uint8Array<ArrayBuffer>, chance: () => number): Uint8Array<ArrayBuffer> {
  const at = pick(chance, bytes.length + 1);
  switch (pick(chance, 4)) {
    case 0:
      return bytes.slice(0, at);
    case 1: {
      const changed = bytes.slice();
      if (at < changed.length) changed[at] = pick(chance, 256);
      return changed;
    }
    case 2:
      return new Uint8Array([...bytes.subarray(0, at), pick(chance, 256), ...bytes.subarray(at)]);
    default:
      return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + pick(chance, 8))]);
  }
}

function pick(chance: () => number, below: number): number {
  return Math.floor(chance() * below);
}

/** Draws that are the same for the same seed. */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    const drawn = drawFrom(state);
    state = drawn.seed;
    return drawn.draw;
  };
}
