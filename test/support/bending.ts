import { drawFrom } from '../../src/core/chance.ts';
import type { InboundData } from '../../src/errors.ts';

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

/** A frame after one to four small changes by chance. */
export function bent(data: InboundData, chance: () => number): InboundData {
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

/** A whole number below another. */
export function pick(chance: () => number, below: number): number {
  return Math.floor(chance() * below);
}

/** Draws that are the same for the same seed. */
export function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    const drawn = drawFrom(state);
    state = drawn.seed;
    return drawn.draw;
  };
}
