import { describe, expect, test } from 'vitest';

import { Rates } from '../../src/core/rates.ts';

describe('rates', () => {
  test('are zero before the first note', () => {
    const totals = { messagesOut: 5, messagesIn: 5, bytesOut: 5, bytesIn: 5 };
    expect(new Rates().perSecond(0, totals)).toEqual({ messagesOut: 0, messagesIn: 0, bytesOut: 0, bytesIn: 0 });
  });
});
