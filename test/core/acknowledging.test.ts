import { describe, expect, test } from 'vitest';

import { Acknowledging } from '../../src/core/acknowledging.ts';

const policy = { messages: 4, delayMs: 50 };

describe('an acknowledgement', () => {
  test('waits for its time, counted from the first message that it is for (trap 10)', () => {
    const acknowledging = new Acknowledging(policy);
    expect(acknowledging.accepted(1, 1_000)).toBe(50);
    expect(acknowledging.accepted(2, 1_030)).toBe(20);
    expect(acknowledging.accepted(3, 1_090)).toBe(0);
  });

  test('does not wait when many messages are waiting for it (trap 10)', () => {
    const acknowledging = new Acknowledging(policy);
    expect(acknowledging.accepted(3, 1_000)).toBe(50);
    expect(acknowledging.accepted(4, 1_001)).toBe(0);
  });

  test('begins to wait anew after the peer was told', () => {
    const acknowledging = new Acknowledging(policy);
    acknowledging.accepted(3, 1_000);
    acknowledging.told(3);
    expect(acknowledging.accepted(3, 1_020)).toBeNull();
    expect(acknowledging.accepted(6, 1_040)).toBe(50);
    expect(acknowledging.accepted(7, 1_040)).toBe(0);
  });

  test('is not due while there is nothing to tell', () => {
    expect(new Acknowledging(policy).accepted(0, 1_000)).toBeNull();
  });

  test('knows for how many messages it is due: for those after the last that the peer was told of', () => {
    const acknowledging = new Acknowledging(policy);
    expect([acknowledging.pendingTo(0), acknowledging.pendingTo(3)]).toEqual([0, 3]);
    acknowledging.told(3);
    expect([acknowledging.pendingTo(3), acknowledging.pendingTo(5), acknowledging.pendingTo(1)]).toEqual([0, 2, 0]);
  });
});
