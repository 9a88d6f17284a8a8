import { describe, expect, test } from 'vitest';

import { Journal } from '../../src/cli/journal.ts';
import { STEP_IDS, type Step } from '../../src/cli/step.ts';

function start() {
  const told: Step[] = [];
  const time = { ms: 0 };
  const journal = new Journal(
    (step) => told.push(step),
    () => time.ms,
  );
  return { journal, told, time };
}

describe('the journal', () => {
  test('takes what a step finds and how long that took, and hands on the rest', async () => {
    const { journal, told, time } = start();
    const found = await journal.take('name', () => {
      time.ms = 12.345;
      return Promise.resolve({ verdict: 'passed' as const, detail: 'found', facts: { a: 1 }, lookup: 'more' });
    });
    expect(found.lookup).toBe('more');
    expect(told).toEqual([{ id: 'name', verdict: 'passed', detail: 'found', facts: { a: 1 }, durationMs: 12.3 }]);
    expect(journal.steps).toEqual(told);
  });

  test('notes as skipped what was not reached, up to a step or to the end, and tells which one failed', () => {
    const { journal } = start();
    journal.note('address', { verdict: 'passed', detail: '' });
    journal.note('name', { verdict: 'failed', detail: '' });
    journal.skipTo('tls');
    expect(journal.steps.slice(2)).toEqual([
      { id: 'network', verdict: 'skipped', detail: 'name failed', durationMs: 0 },
    ]);
    journal.note('clock', { verdict: 'passed', detail: '' });
    journal.skipTo(null);
    expect(journal.steps.map(({ id }) => id).toSorted()).toEqual(STEP_IDS.toSorted());
  });

  test('says of what was not reached without a failure that it was too late', () => {
    const { journal } = start();
    journal.skipTo('name');
    expect(journal.steps).toMatchObject([{ detail: 'the connection had ended, or the time was up' }]);
  });
});
