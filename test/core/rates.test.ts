import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Rates, type Totals } from '../../src/core/rates.ts';
import { hostileNumber, hostileTimes, impossible } from '../support/hostile.ts';

const NOTHING: Totals = { messagesOut: 0, messagesIn: 0, bytesOut: 0, bytesIn: 0 };

/** A connection that counts its frames, as the runtime does: noted first, then counted. */
class Counted {
  readonly rates = new Rates();
  readonly totals = { ...NOTHING };

  constructor(at = 0) {
    this.rates.note(at, this.totals);
  }

  send(at: number, messages = 1, bytes = 10): this {
    this.rates.note(at, this.totals);
    this.totals.messagesOut += messages;
    this.totals.bytesOut += bytes * messages;
    return this;
  }

  receive(at: number, bytes: number): this {
    this.rates.note(at, this.totals);
    this.totals.messagesIn += 1;
    this.totals.bytesIn += bytes;
    return this;
  }

  /** One message each `everyMs`, from one time up to another. */
  sendEvery(everyMs: number, from: number, until: number): this {
    for (let at = from; at < until; at += everyMs) this.send(at);
    return this;
  }

  at(at: number): Totals {
    return this.rates.perSecond(at, this.totals);
  }
}

describe('rates', () => {
  test('are zero before the first note, and zero after it', () => {
    const rates = new Rates();
    const totals = { messagesOut: 5, messagesIn: 5, bytesOut: 5, bytesIn: 5 };
    expect(rates.perSecond(60_000, totals)).toEqual(NOTHING);
    rates.note(60_000, totals);
    expect(rates.perSecond(61_000, totals)).toEqual(NOTHING);
  });

  test('tell each kind apart', () => {
    const connection = new Counted().send(1_000, 4, 25).receive(2_000, 600);
    expect(connection.at(10_000)).toEqual({ messagesOut: 0.4, bytesOut: 10, messagesIn: 0.1, bytesIn: 60 });
  });

  test.each([20_000, 59_999, 60_000, 61_234, 150_000, 599_999])('of a steady flow are that flow, after %i ms', (at) => {
    expect(new Counted().sendEvery(100, 0, at).at(at).messagesOut).toBeCloseTo(10, 0);
  });

  test('are those of the time since the first note, while the window is longer', () => {
    expect(new Counted(5_000).send(5_000, 30).at(8_000).messagesOut).toBe(10);
  });

  test('make no second of less: what came in an instant is not multiplied', () => {
    const connection = new Counted(5_000).send(5_000, 3);
    expect(connection.at(5_000).messagesOut).toBe(3);
    expect(connection.at(5_010).messagesOut).toBe(3);
  });

  test('do not explode after a reconnect: 5000 messages long ago are over, and the new socket is no new time (original fault 42)', () => {
    const connection = new Counted().sendEvery(10, 0, 50_000);
    expect(connection.totals.messagesOut).toBe(5_000);
    expect(connection.at(50_000).messagesOut).toBe(100);
    // gone for ten minutes; open again, one message
    connection.send(650_000);
    expect(connection.at(651_000).messagesOut).toBeLessThan(0.02);
  });

  test('do not explode when the reconnect takes no time at all (original fault 42)', () => {
    const connection = new Counted().send(0, 5_000);
    connection.send(40_000);
    expect(connection.at(41_000).messagesOut).toBeLessThan(125);
  });

  test('count what was carried before an idle time as spread over the idle time', () => {
    expect(new Counted().send(1_000, 600).at(31_000).messagesOut).toBeCloseTo(600 / 31, 6);
  });

  test('forget what is older than the window, with a note and without', () => {
    const connection = new Counted().send(1_000, 600);
    expect(connection.at(59_000).messagesOut).toBeGreaterThan(10);
    expect(connection.at(65_000)).toEqual(NOTHING);
    expect(connection.send(65_000).at(65_000).messagesOut).toBeLessThan(0.02);
  });

  test('have the window and the buckets that were asked for', () => {
    const rates = new Rates({ windowMs: 4_000, buckets: 4 });
    rates.note(0, NOTHING);
    const totals = { ...NOTHING, messagesOut: 12 };
    expect(rates.perSecond(3_000, totals).messagesOut).toBe(4);
    expect(rates.perSecond(3_999, totals).messagesOut).toBeCloseTo(3, 2);
    expect(rates.perSecond(4_000, totals).messagesOut).toBe(0);
  });

  test('are not changed by being looked at', () => {
    const connection = new Counted().send(1_000, 600);
    connection.at(1e12);
    expect(connection.at(30_000).messagesOut).toBe(20);
  });

  test('are those of the last note for a time before it: what came in minutes did not come in a second', () => {
    expect(new Counted().sendEvery(100, 0, 30_000).at(0).messagesOut).toBeCloseTo(12, 6);
  });

  test('take no longer to know after days of traffic', () => {
    const connection = new Counted();
    for (let at = 0; at < 5_000 * 50_000; at += 5_000) connection.send(at, 5);
    expect(connection.at(5_000 * 50_000).messagesOut).toBeCloseTo(1, 6);
  });

  test('of totals that went down are zero', () => {
    const rates = new Rates();
    rates.note(0, { messagesOut: 9, messagesIn: 9, bytesOut: 9, bytesIn: 9 });
    expect(rates.perSecond(10_000, { ...NOTHING, bytesIn: 19 })).toEqual({ ...NOTHING, bytesIn: 1 });
  });

  test('go on when the clock was set back: what is to come has not been', () => {
    const connection = new Counted().send(1_000, 60).send(50_000, 60);
    connection.send(30_000, 30);
    expect(connection.at(30_000).messagesOut).toBe(5);
    expect(connection.send(100_000, 55).at(100_000).messagesOut).toBe(1);
  });

  test('go on when the clock jumped ahead by years', () => {
    const connection = new Counted().send(1_000, 60).send(3.2e11, 55);
    expect(connection.at(3.2e11).messagesOut).toBe(1);
  });

  test.each([NaN, Infinity, -Infinity, Number.MAX_VALUE])('take a time that is %d for the last', (at) => {
    const connection = new Counted().send(10_000, 30);
    connection.rates.note(at, connection.totals);
    expect(connection.at(at)).toEqual(connection.at(10_000));
  });

  test('are possible, whatever the clock and the totals do', () => {
    const anyTotals: fc.Arbitrary<Totals> = fc.record({
      messagesOut: hostileNumber,
      messagesIn: hostileNumber,
      bytesOut: hostileNumber,
      bytesIn: hostileNumber,
    });
    const someTotals = fc.array(anyTotals, { minLength: 1, maxLength: 10 });
    const anyOptions = fc.record({
      windowMs: fc.constantFrom(1, 1_000, 60_000, 1e12),
      buckets: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(hostileTimes, someTotals, anyOptions, (times, totals, options) => {
        const rates = new Rates(options);
        for (const [index, at] of times.entries()) {
          rates.note(at, totals[index % totals.length] ?? NOTHING);
          const now = totals[(index * 7) % totals.length] ?? NOTHING;
          expect(impossible(rates.perSecond(at, now))).toEqual([]);
          expect(impossible(rates.perSecond(times[(index * 31) % times.length] ?? 0, now))).toEqual([]);
        }
      }),
    );
  });

  test('are never more than all there was, in a second', () => {
    fc.assert(
      fc.property(hostileTimes, (times) => {
        const connection = new Counted();
        for (const at of times) {
          connection.send(at);
          expect(connection.at(at).messagesOut).toBeLessThanOrEqual(connection.totals.messagesOut);
        }
      }),
    );
  });
});
