import { describe, expect, test } from 'vitest';

import { factsAfter, factsOf, failureOf, freshFacts, numberOf } from '../../src/audit/facts.ts';
import { failed } from '../support/audit-story.ts';

describe('the facts of a connection', () => {
  test('follow from a whole context, and from changes by path', () => {
    const facts = factsOf({ retries: 2, failure: failed('LINK_DEAD'), seed: 7 });
    expect(facts).toEqual({ retries: 2, failure: failed('LINK_DEAD') });
    const after = factsAfter(facts, { 'failure.code': 'CONNECTION_LOST', 'failure.closure': { code: 1006 }, seed: 8 });
    expect(failureOf(after.failure)).toMatchObject({ code: 'CONNECTION_LOST', closure: { code: 1006 } });
    expect(failureOf(factsAfter(after, { failure: null }).failure)).toBeNull();
    expect(facts.failure).toEqual(failed('LINK_DEAD'));
  });

  test('are of no other shape whatever a log says', () => {
    for (const nonsense of [null, 7, 'text', [], { failure: 'text' }]) {
      expect(failureOf(factsOf(nonsense).failure)).toBeNull();
      expect(failureOf(factsAfter(freshFacts(), nonsense).failure)).toBeNull();
    }
    const paths = { '__proto__.x': 1, 'failure.__proto__.x': 1, [`failure${'.a'.repeat(50_000)}`]: 1 };
    expect(factsAfter(freshFacts(), paths)).toHaveProperty('failure');
    expect(({} as { x?: unknown }).x).toBeUndefined();
    expect([numberOf(1), numberOf('1'), numberOf(Number.NaN), numberOf(undefined)]).toEqual([1, null, null, null]);
  });
});
