import { describe, expect, test } from 'vitest';

import type { OutageEnd, Wait } from '../../src/audit/explanation.ts';
import { Outages, type Loss } from '../../src/audit/outages.ts';

const at = (seconds: number) => ({ at: seconds * 1_000, mono: seconds * 1_000, run: 1 });
const LOSS: Loss = {
  ...{
    openedAt: 0,
    openMs: 1,
    isStartKnown: true,
    generation: 1,
    failure: null,
    wire: null,
    event: null,
    lateSince: null,
  },
  ...{ silentMs: null, before: null },
};
const endAt = (seconds: number): OutageEnd => ({
  ...{ at: seconds * 1_000, how: 'open', isCertain: true, generation: 2, session: null, lost: null },
});

describe('outages', () => {
  test('last for the time that passes until their end, and one that is not over for as long as was read', () => {
    const outages = new Outages(null);
    outages.begin(LOSS, at(1));
    outages.spend(500);
    outages.spend(1_500);
    outages.end(endAt(3));
    outages.spend(7_000);
    outages.begin(LOSS, at(10));
    outages.spend(4_000);
    expect(outages.isDown).toBe(true);
    expect(outages.told).toMatchObject({
      ...{ disconnects: 2, downMs: 6_000 },
      outages: [
        { durationMs: 2_000, end: { how: 'open' } },
        { durationMs: 4_000, end: null },
      ],
    });
  });

  test('have their waits and attempts, of which a hundred are kept', () => {
    const outages = new Outages(null);
    outages.begin(LOSS, at(1));
    for (let index = 0; index < 150; index++) {
      outages.wait({ at: index } as Wait);
      outages.tries(index, at(2));
      outages.tried({ result: 'failed', failure: null, generation: index }, at(5));
    }
    const [outage] = outages.told.outages;
    expect([outage?.waits.length, outage?.attempts.length, outage?.attempted]).toEqual([100, 100, 150]);
    expect(outage?.attempts[7]).toEqual({
      at: 2_000,
      generation: 7,
      result: 'failed',
      durationMs: 3_000,
      failure: null,
    });
  });

  test('are kept where they are the last hundred, and all are counted', () => {
    const outages = new Outages(null);
    for (let index = 0; index < 150; index++) {
      outages.begin(LOSS, at(index));
      outages.spend(500);
      outages.end(endAt(index + 0.5));
    }
    const told = outages.told;
    expect([told.outages.length, told.disconnects, told.downMs]).toEqual([100, 150, 75_000]);
    expect(told.outages.map(({ lostAt }) => lostAt)).toEqual(Array.from({ length: 100 }, (_, n) => (n + 50) * 1_000));
    outages.begin(LOSS, at(200));
    expect([outages.told.outages.length, outages.told.outages[0]?.lostAt]).toEqual([100, 51_000]);
    expect(outages.told.outages.at(-1)?.lostAt).toBe(200_000);
  });

  test('that were over before the time asked about are not told of', () => {
    const outages = new Outages(5_000);
    outages.begin(LOSS, at(1));
    outages.end(endAt(3));
    outages.begin(LOSS, at(4));
    outages.spend(2_000);
    outages.end(endAt(7));
    expect(outages.told).toMatchObject({ disconnects: 1, downMs: 2_000 });
  });

  test('hear of nothing while there is none', () => {
    const outages = new Outages(null);
    outages.wait({ at: 0 } as Wait);
    outages.tries(1, at(1));
    outages.tried({ result: 'opened', failure: null, generation: 1 }, at(1));
    outages.gap();
    outages.gaveUp(1);
    outages.counted(null);
    outages.spend(5);
    outages.end(endAt(1));
    expect(outages.told).toEqual({ outages: [], disconnects: 0, downMs: 0 });
  });
});
