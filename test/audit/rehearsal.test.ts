import { describe, expect, test } from 'vitest';
import { assign, createMachine, emit, raise, sendTo, spawnChild, type AnyStateMachine } from 'xstate';

import { Rehearsal } from '../../src/audit/rehearsal.ts';

const done: string[] = [];
const child = createMachine({ entry: () => done.push('child started') });
const machine = createMachine({
  id: 'm',
  initial: 'a',
  context: ({ input }) => ({ n: (input as { n: number } | undefined)?.n ?? 0 }),
  states: {
    a: {
      on: {
        go: {
          target: 'b',
          actions: [
            assign({ n: ({ context }) => (context as { n: number }).n + 1 }),
            'act',
            emit({ type: 'told' }),
            spawnChild(child, { id: 'kid' }),
          ],
        },
        tell: { actions: sendTo('kid', { type: 'hello' }) },
        fail: {
          actions: assign(() => {
            throw new Error('broken');
          }),
        },
      },
    },
    b: { after: { 500: 'c' }, entry: raise({ type: 'raised' }), on: { raised: {}, back: 'a' } },
    c: { type: 'final' },
  },
}).provide({ actions: { act: () => done.push('acted') } }) as AnyStateMachine;

describe('a machine that is stepped', () => {
  test('decides, and nothing is done', () => {
    const rehearsal = new Rehearsal(machine);
    const { snapshot } = rehearsal.begin({ n: 4 });
    expect([snapshot.value, snapshot.context]).toEqual(['a', { n: 4 }]);
    const stepped = rehearsal.step(snapshot, { type: 'go' });
    expect([stepped.snapshot.value, stepped.snapshot.context]).toEqual(['b', { n: 5 }]);
    expect(stepped.effects).toEqual(expect.arrayContaining(['act', 'emit told', 'start kid']));
    expect(stepped.delays).toEqual([{ event: 'xstate.after.500.m.b', ms: 500 }]);
    expect(stepped.transitions[0]).toMatchObject({ source: 'm.a', on: 'go', to: ['m.b'] });
    expect(done).toEqual([]);
  });

  test('takes the end of a wait as an event', () => {
    const rehearsal = new Rehearsal(machine);
    const waiting = rehearsal.step(rehearsal.begin(undefined).snapshot, { type: 'go' }).snapshot;
    const { snapshot } = rehearsal.step(waiting, { type: 'xstate.after.500.m.b' });
    expect([snapshot.value, snapshot.status]).toEqual(['c', 'done']);
  });

  test('tells of each step what was done in it alone', () => {
    const rehearsal = new Rehearsal(machine);
    const { snapshot } = rehearsal.step(rehearsal.begin(undefined).snapshot, { type: 'go' });
    const { transitions, effects, delays } = rehearsal.step(snapshot, { type: 'nothing' });
    expect({ transitions, effects, delays }).toEqual({ transitions: [], effects: [], delays: [] });
  });

  test('can be put into a state that it was seen in, with its children', () => {
    const rehearsal = new Rehearsal(machine);
    const posed = rehearsal.pose({ to: 'a', context: { n: 7 }, children: ['kid'] });
    expect(rehearsal.step(posed, { type: 'tell' }).effects).toEqual(['send hello to kid']);
    expect(rehearsal.step(posed, { type: 'go' }).snapshot.context).toEqual({ n: 8 });
    expect(() => rehearsal.pose({ to: 'nowhere', context: {}, children: [] })).toThrow();
  });

  test('throws what its own code throws, or says that it died of it', () => {
    const rehearsal = new Rehearsal(machine);
    const { snapshot } = rehearsal.begin(undefined);
    expect(() => rehearsal.step(snapshot, { type: 'fail' })).toThrow('broken');
  });
});
