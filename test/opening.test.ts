import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';

import { HoldfastError } from '../src/errors.ts';
import { Openings } from '../src/opening.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { fateOf, microtasks } from './support/service.ts';

const SOURCE = { connectionId: 'c', serviceType: 's' };
const NONE = { signal: undefined, timeoutMs: undefined };

function openings(lastFailure: HoldfastError | null = null): { openings: Openings; clock: SimulatedClock } {
  const clock = new SimulatedClock();
  return { openings: new Openings(SOURCE, clock, () => lastFailure), clock };
}

describe('those who wait for an opening', () => {
  test('are all told of it, and none waits any more', async () => {
    const { openings: waiting } = openings();
    const fates = [fateOf(waiting.wait(NONE)), fateOf(waiting.wait(NONE))];
    expect(waiting.size).toBe(2);
    waiting.opened();
    await microtasks();
    expect([fates.map(({ kind }) => kind), waiting.size]).toEqual([['resolved', 'resolved'], 0]);
  });

  test('are told the same error when it ends instead', async () => {
    const { openings: waiting } = openings();
    const error = new HoldfastError('SERVICE_DESTROYED');
    const fates = [fateOf(waiting.wait(NONE)), fateOf(waiting.wait(NONE))];
    waiting.ended(error);
    waiting.opened();
    await microtasks();
    expect(fates.map((fate) => fate.error)).toEqual([error, error]);
  });

  test.each(['opened', 'ended', 'aborted', 'late'] as const)('leave no timer and no listener when %s', async (how) => {
    const { openings: waiting, clock } = openings();
    const controller = new AbortController();
    const fate = fateOf(waiting.wait({ signal: controller.signal, timeoutMs: 100 }));
    expect([clock.pending(), getEventListeners(controller.signal, 'abort').length]).toEqual([1, 1]);
    const ways = {
      opened: () => waiting.opened(),
      ended: () => waiting.ended(new HoldfastError('SERVICE_DESTROYED')),
      aborted: () => controller.abort('gone'),
      late: () => clock.advance(100),
    };
    ways[how]();
    await microtasks();
    expect(fate.kind).not.toBe('pending');
    expect([clock.pending(), getEventListeners(controller.signal, 'abort'), waiting.size]).toEqual([0, [], 0]);
  });

  test('are told why they stopped waiting', async () => {
    const { openings: waiting, clock } = openings();
    const aborted = fateOf(waiting.wait({ ...NONE, signal: AbortSignal.abort('gone') }));
    const late = fateOf(waiting.wait({ ...NONE, timeoutMs: 0 }));
    const patient = fateOf(waiting.wait(NONE));
    await clock.advanceAsync(0);
    expect(aborted.error).toMatchObject({ ...SOURCE, code: 'CONNECT_ABORTED', cause: 'gone' });
    expect(late.error).toMatchObject({ ...SOURCE, code: 'CONNECT_DEADLINE' });
    expect([patient.kind, waiting.size]).toEqual(['pending', 1]);
  });

  test.each([
    ['with what has failed until then', new HoldfastError('HANDSHAKE_FAILED')],
    ['without a cause where nothing has failed', null],
  ])('are told of their deadline %s', async (_how, failure) => {
    const { openings: waiting, clock } = openings(failure);
    const late = fateOf(waiting.wait({ ...NONE, timeoutMs: 5 }));
    await clock.advanceAsync(5);
    expect((late.error as Error).cause).toBe(failure ?? undefined);
  });
});
