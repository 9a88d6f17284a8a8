import { createActor, fromCallback, setup, type AnyActorRef } from 'xstate';
import { describe, expect, test } from 'vitest';

import { endOrphans } from '../src/orphans.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

/** A parent that dies when it is told to, over a child that dies when it is told to, over one that holds something. */
function family(): { root: AnyActorRef; child: AnyActorRef; clock: SimulatedClock; held: () => boolean } {
  let isHeld = false;
  const clock = new SimulatedClock();
  const holder = fromCallback(() => {
    isHeld = true;
    return () => {
      isHeld = false;
    };
  });
  const die = (): never => {
    throw new Error('a fault');
  };
  const childMachine = setup({ actors: { holder }, guards: { dies: die } }).createMachine({
    invoke: { id: 'holder', src: 'holder' },
    initial: 'waiting',
    states: { waiting: { after: { 1_000: 'late' } }, late: {} },
    on: { die: { guard: 'dies' } },
  });
  const parent = setup({ actors: { child: childMachine }, guards: { dies: die } }).createMachine({
    invoke: { id: 'child', src: 'child', onError: {} },
    on: { die: { guard: 'dies' } },
  });
  const root = createActor(parent, { clock });
  root.subscribe({ error: () => undefined });
  root.start();
  return { root, child: root.getSnapshot().children['child'] as AnyActorRef, clock, held: () => isHeld };
}

describe('the children of a machine that died', () => {
  test('are left running by XState itself, with their timers and what they hold', () => {
    const { root, clock, held } = family();
    root.send({ type: 'die' });
    expect([held(), clock.pending()]).toEqual([true, 1]);
  });

  test('are ended as by a parent that lives: they let go of what they hold', () => {
    const { root, child, clock, held } = family();
    root.send({ type: 'die' });
    endOrphans({ child });
    expect([held(), clock.pending(), child.getSnapshot()]).toMatchObject([false, 0, { status: 'stopped' }]);
  });

  test('are found also below one that died before', () => {
    const { root, child, held } = family();
    child.send({ type: 'die' });
    root.send({ type: 'die' });
    expect(held()).toBe(true);
    endOrphans({ child });
    expect(held()).toBe(false);
  });

  test('may be gone already', () => {
    const { root, child } = family();
    root.send({ type: 'die' });
    endOrphans({ child, nobody: undefined });
    expect(() => {
      endOrphans({ child });
    }).not.toThrow();
  });
});
