import { createHash } from 'node:crypto';
import { describe, expect, expectTypeOf, test } from 'vitest';

import { MOST } from '../../src/protocol/fields.ts';
import {
  FRAMES,
  SUBPROTOCOL,
  VERSION,
  type ClientFrame,
  type FrameFrom,
  type ServerFrame,
  type WireMessage,
} from '../../src/protocol/frames.ts';

/** One hash for each version that was ever released. A frame that changes needs a new version, and a row here. */
const HASHES: Record<number, string> = {
  1: '693220c27ff0c0d216a2618a79518a8f827aaee0ae1d3bc6fa77398bdb444e1c',
};

describe('the frames', () => {
  test('are those of their version', () => {
    const hash = createHash('sha256').update(canonical({ FRAMES, MOST })).digest('hex');
    expect(hash).toBe(HASHES[VERSION]);
  });

  test('have a hash that any change of a field, a kind or a bound changes', () => {
    const changed = { FRAMES: { ...FRAMES, client: { ...FRAMES.client, auth: { tok: 'text' } } }, MOST };
    expect(canonical(changed)).not.toBe(canonical({ FRAMES, MOST }));
    expect(canonical({ b: 1, a: 2 })).toBe(canonical({ a: 2, b: 1 }));
  });

  test('name their version in the subprotocol', () => {
    expect(SUBPROTOCOL).toBe(`holdfast.v${VERSION}`);
  });

  test('are typed by their table', () => {
    expectTypeOf<Extract<ClientFrame, { t: 'ack' }>>().toEqualTypeOf<{
      t: 'ack';
      a: number;
      w?: { m: number; b: number };
    }>();
    expectTypeOf<Extract<ServerFrame, { t: 'hello' }>>().toBeNever();
    expectTypeOf<Extract<ClientFrame, { t: 'hello' }>['resume']>().toEqualTypeOf<
      { sid: string; tok: string; ep: string; rx: number; lo: number; hi: number } | undefined
    >();
    expectTypeOf<WireMessage['d']>().toBeUnknown();
    expectTypeOf<Extract<FrameFrom<'client'>, { t: 'm' }>['b']>().toEqualTypeOf<WireMessage[]>();
  });
});

/** The same text for the same table, in whatever order it is written. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}
