import { describe, expect, test } from 'vitest';

import type { CountsRecord, FateRecord } from '../../src/audit/record.ts';
import { Tally } from '../../src/audit/tally.ts';

const counts = (fields: Partial<CountsRecord>): CountsRecord =>
  ({ kind: 'counts', droppedBy: {}, ...fields }) as CountsRecord;
const fate = (fields: Partial<FateRecord>): FateRecord => ({ kind: 'fate', direction: 'out', ...fields }) as FateRecord;

describe('a tally', () => {
  test('has nothing before the first count, and then what it says', () => {
    const tally = new Tally(null);
    expect([tally.total, tally.account]).toEqual([null, null]);
    tally.count(counts({ accepted: 3, sent: 1, waiting: 2, dropped: 1, droppedBy: { EXPIRED: 1 } }), 10);
    expect(tally.account).toEqual({
      ...{ at: 10, accepted: 3, sent: 1, acknowledged: 0, dropped: 1, unknown: 0, waiting: 2, refused: 0, received: 0 },
      stranded: 0,
      droppedBy: { EXPIRED: 1 },
    });
  });

  test('goes on where a new connection of the same id, or a new process, begins at nothing', () => {
    const tally = new Tally(null);
    tally.count(counts({ accepted: 3, sent: 3 }), 10);
    tally.count(counts({ accepted: 1, sent: 1 }), 20);
    tally.restart();
    tally.count(counts({ accepted: 5, sent: 4 }), 30);
    expect(tally.total).toMatchObject({ at: 30, accepted: 9, sent: 8 });
  });

  test('says how many waited when their process ended, and of what was refused that it was', () => {
    const tally = new Tally(null);
    tally.count(counts({ accepted: 5, sent: 2, waiting: 3 }), 10);
    tally.restart();
    tally.count(counts({ accepted: 1, sent: 1 }), 20);
    expect(tally.account).toMatchObject({ accepted: 6, sent: 3, waiting: 0, stranded: 3 });
    tally.fate(fate({ fate: 'refused', id: 'm9', because: 'QUEUE_FULL' }), 30);
    expect(tally.losses).toEqual([{ at: 30, id: 'm9', fate: 'refused', because: 'QUEUE_FULL' }]);
  });

  test('counts what lies in the time asked about', () => {
    const tally = new Tally(15);
    tally.count(counts({ accepted: 3, dropped: 1, droppedBy: { EXPIRED: 1 } }), 10);
    tally.count(counts({ accepted: 7, dropped: 4, droppedBy: { EXPIRED: 1, PURGED: 3 } }), 20);
    expect(tally.account).toMatchObject({ accepted: 4, dropped: 3, droppedBy: { PURGED: 3 } });
    expect(tally.total).toMatchObject({ accepted: 7, dropped: 4 });
  });

  test('keeps the first hundred messages that are lost, and counts all', () => {
    const tally = new Tally(5);
    tally.fate(fate({ fate: 'dropped', id: 'early' }), 1);
    for (let index = 0; index < 150; index++) tally.fate(fate({ fate: 'unknown', id: `m${index}` }), 10);
    for (const other of ['sent', 'acknowledged'] as const) tally.fate(fate({ fate: other }), 10);
    tally.fate(fate({ fate: 'received', direction: 'in' }), 10);
    expect([tally.lost, tally.losses.length]).toEqual([150, 100]);
    expect(tally.losses[0]).toEqual({ at: 10, id: 'm0', fate: 'unknown', because: null });
  });
});
