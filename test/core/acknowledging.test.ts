import { describe, expect, test } from 'vitest';

import { Acknowledging, ackPolicyFor } from '../../src/core/acknowledging.ts';

const policy = { messages: 4, bytes: 100, delayMs: 50 };
const at = (now: number, bytes = 0): { now: number; bytes: number } => ({ now, bytes });

describe('an acknowledgement', () => {
  test('waits for its time, counted from the first message that it is for', () => {
    const acknowledging = new Acknowledging(policy);
    expect(acknowledging.accepted(1, at(1_000))).toBe(50);
    expect(acknowledging.accepted(2, at(1_030))).toBe(20);
    expect(acknowledging.accepted(3, at(1_090))).toBe(0);
  });

  test('does not wait when many messages are waiting for it (trap 10)', () => {
    const acknowledging = new Acknowledging(policy);
    expect(acknowledging.accepted(3, at(1_000))).toBe(50);
    expect(acknowledging.accepted(4, at(1_001))).toBe(0);
  });

  test('does not wait when many bytes are waiting for it, and counts those anew once it has gone', () => {
    const acknowledging = new Acknowledging(policy);
    expect(acknowledging.accepted(1, at(1_000, 60))).toBe(50);
    expect(acknowledging.accepted(2, at(1_000, 40))).toBe(0);
    acknowledging.told(2);
    expect(acknowledging.accepted(3, at(1_000, 60))).toBe(50);
  });

  test.each([
    [{ messages: 2_048, bytes: 1_048_576 }, 256, 262_144],
    [{ messages: 100, bytes: 1_000 }, 25, 250],
    [{ messages: 0, bytes: 0 }, 1, 1],
  ])('of a window %o is due at %i messages or %i bytes at the latest', (window, messages, bytes) => {
    expect(ackPolicyFor(window)).toEqual({ messages, bytes, delayMs: 50 });
  });

  test('begins to wait anew after the peer was told', () => {
    const acknowledging = new Acknowledging(policy);
    acknowledging.accepted(3, at(1_000));
    acknowledging.told(3);
    expect(acknowledging.accepted(3, at(1_020))).toBeNull();
    expect(acknowledging.accepted(6, at(1_040))).toBe(50);
    expect(acknowledging.accepted(7, at(1_040))).toBe(0);
  });

  test('is not due while there is nothing to tell', () => {
    expect(new Acknowledging(policy).accepted(0, at(1_000))).toBeNull();
  });

  test('knows for how many messages it is due: for those after the last that the peer was told of', () => {
    const acknowledging = new Acknowledging(policy);
    expect([acknowledging.pendingTo(0), acknowledging.pendingTo(3)]).toEqual([0, 3]);
    acknowledging.told(3);
    expect([acknowledging.pendingTo(3), acknowledging.pendingTo(5), acknowledging.pendingTo(1)]).toEqual([0, 2, 0]);
  });
});
