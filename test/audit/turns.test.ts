import { describe, expect, test } from 'vitest';
import { createActor, createMachine, type AnyStateMachine } from 'xstate';

import { definitionOf, noDeeds, noteEffect, refusedBy, takenOf, type RawTransition } from '../../src/audit/turns.ts';

const machine = createMachine({
  id: 'm',
  initial: 'a',
  on: { 'x.*': { guard: 'outer', actions: ['noted'] }, stay: { actions: [{ type: 'noted' }, 'again'] } },
  states: {
    a: {
      on: {
        go: [{ guard: 'first', target: 'b' }, { guard: { type: 'second' }, target: 'c' }, { target: 'b' }],
        'x.y': { guard: 'inner', target: 'b' },
      },
      always: { guard: 'never', target: 'c' },
    },
    b: {},
    c: {},
  },
}).provide({
  guards: { first: () => false, second: () => true, outer: () => false, inner: () => false, never: () => false },
});

/** The transitions of a state, by event. */
const transitionsOf = (state: string, event: string): RawTransition[] => {
  const node = state === 'm' ? machine.root : machine.root.states[state];
  return (node?.transitions as Map<string, RawTransition[]>).get(event) ?? [];
};

describe('a transition that was taken', () => {
  test('is told with the guards that came before it, in order', () => {
    const [first, second, third] = transitionsOf('a', 'go').map(takenOf);
    expect(first).toEqual({ source: 'm.a', on: 'go', to: ['m.b'], guards: [{ guard: 'first', holds: true }] });
    expect(second).toEqual({
      ...{ source: 'm.a', on: 'go', to: ['m.c'] },
      guards: [
        { guard: 'first', holds: false },
        { guard: 'second', holds: true },
      ],
    });
    expect(third?.guards).toEqual([
      { guard: 'first', holds: false },
      { guard: 'second', holds: false },
    ]);
  });

  test('that stays says what it does, by name', () => {
    const [stay] = transitionsOf('m', 'stay').map(takenOf);
    expect(stay).toEqual({ source: 'm', on: 'stay', actions: ['noted', 'again'] });
  });

  test('without an event has its guard', () => {
    const always = machine.root.states['a']?.always?.[0] as unknown as RawTransition;
    expect(takenOf(always)).toMatchObject({ on: '', guards: [{ guard: 'never', holds: true }] });
  });

  test('is described once', () => {
    const [transition] = transitionsOf('a', 'go') as [RawTransition];
    expect(takenOf(transition)).toBe(takenOf(transition));
  });
});

describe('guards that said no', () => {
  const snapshot = createActor(machine).getSnapshot();

  test('are those of every state that the actor is in, for that event', () => {
    expect(refusedBy(snapshot, { type: 'x.y' }).toSorted()).toEqual(['inner', 'outer']);
    expect(refusedBy(snapshot, { type: 'x.z' })).toEqual(['outer']);
    expect(refusedBy(snapshot, { type: 'go' })).toEqual(['first', 'second']);
  });

  test('are none of another event', () => {
    for (const type of ['stay', 'gone', 'xy', 'y', 'x.']) {
      expect(refusedBy(snapshot, { type })).toEqual(type === 'x.' ? ['outer'] : []);
    }
  });
});

describe('what an actor does', () => {
  const parent = { id: 'parent' };
  const self = { id: 'self', _parent: parent };
  const child = { id: 'child', _parent: self };
  const event = { type: 'e' };
  test.each([
    ['xstate.cancel', { sendId: 'x' }, [], []],
    ['xstate.raise', { event }, ['raise e'], []],
    ['xstate.raise', { event, delay: 5 }, [], [{ event: 'e', ms: 5 }]],
    ['xstate.raise', { event, delay: 0 }, [], [{ event: 'e', ms: 0 }]],
    ['xstate.sendTo', { event, to: child }, ['send e to child'], []],
    ['xstate.sendTo', { event, to: parent }, ['send e to parent'], []],
    ['xstate.sendTo', { event, to: self }, ['send e to parent'], []],
    ['xstate.sendTo', { event, to: child, targetId: 'named' }, ['send e to named'], []],
    ['xstate.emit', { event }, ['emit e'], []],
    ['xstate.spawnChild', { id: 'c' }, ['start c'], []],
    ['xstate.stopChild', { id: 'c' }, ['stop c'], []],
    ['xstate.stopChild', undefined, [], []],
    ['custom', undefined, ['custom'], []],
  ])('is told: %s %o', (type, params, effects, delays) => {
    const deeds = noDeeds();
    noteEffect(deeds, { type, params }, self);
    expect(deeds).toEqual({ transitions: [], effects, delays });
  });
});

test('a definition is the chart as data', () => {
  expect(definitionOf(machine as AnyStateMachine)).toEqual(JSON.parse(JSON.stringify(machine.config)));
});
