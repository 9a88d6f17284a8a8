import { assign, createActor, setup, stopChild } from 'xstate';
import { describe, expect, test } from 'vitest';

import { indexTimers } from '../src/timer-index.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

const child = setup({
  types: { context: {} as { fired: number }, events: {} as { type: 'leave' | 'again' } },
}).createMachine({
  context: { fired: 0 },
  initial: 'waiting',
  states: {
    waiting: {
      after: { 1_000: { actions: assign({ fired: ({ context }) => context.fired + 1 }) } },
      on: { leave: 'left', again: { target: 'waiting', reenter: true } },
    },
    left: {},
  },
});

const family = setup({
  types: { events: {} as { type: 'part' }, children: {} as Record<'one' | 'other', 'child'> },
  actors: { child },
}).createMachine({
  invoke: [
    { id: 'one', src: 'child' },
    { id: 'other', src: 'child' },
  ],
  on: { part: { actions: stopChild('one') } },
});

/** Two actors with a timer each, and how often somebody went through all timers there are. */
function raise(prepare: typeof indexTimers = indexTimers) {
  const clock = new SimulatedClock();
  const root = createActor(family, { clock });
  prepare(root.system);
  root.start();
  let walks = 0;
  const snapshot = root.system.getSnapshot();
  const scheduled = new Proxy(snapshot._scheduledEvents, {
    ownKeys: (timers) => {
      walks += 1;
      return Reflect.ownKeys(timers);
    },
  });
  (root.system as unknown as { _snapshot: typeof snapshot })._snapshot._scheduledEvents = scheduled;
  const firedOf = (id: 'one' | 'other'): number | undefined =>
    root.getSnapshot().children[id]?.getSnapshot().context.fired;
  return { clock, root, firedOf, walks: () => walks };
}

describe('the timers of an actor system', () => {
  test('are walked through by XState itself when any actor stops', () => {
    const { root, walks } = raise(() => undefined);
    root.send({ type: 'part' });
    expect(walks()).toBe(1);
  });

  test('are found by their actor when it stops: no other is looked at, and no other is lost', () => {
    const { clock, root, firedOf, walks } = raise();
    expect(clock.pending()).toBe(2);
    root.send({ type: 'part' });
    expect([walks(), clock.pending()]).toEqual([0, 1]);
    clock.advance(1_000);
    expect(firedOf('other')).toBe(1);
  });

  test('go with the state that set them, as ever', () => {
    const { clock, root, firedOf } = raise();
    root.getSnapshot().children.one?.send({ type: 'leave' });
    expect(clock.pending()).toBe(1);
    clock.advance(1_000);
    expect([firedOf('one'), firedOf('other')]).toEqual([0, 1]);
  });

  test('can be set anew after they fired, and still go with their actor', () => {
    const { clock, root, firedOf } = raise();
    clock.advance(1_000);
    root.getSnapshot().children.one?.send({ type: 'again' });
    expect([firedOf('one'), clock.pending()]).toEqual([1, 1]);
    root.send({ type: 'part' });
    expect(clock.pending()).toBe(0);
  });

  test('all go with the root', () => {
    const { clock, root, walks } = raise();
    root.stop();
    expect([walks(), clock.pending()]).toEqual([0, 0]);
  });
});
