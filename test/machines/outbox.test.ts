import { createActor, fromCallback, initialTransition, setup, type EventObject, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { outboxMachine, type OutboxEvent, type OutboxInput } from '../../machines/outbox.ts';
import { leafOf, stepThrough, type Step } from '../support/machine-graph.ts';

type OutboxSnapshot = SnapshotFrom<typeof outboxMachine>;
type Word = OutboxEvent['type'];

const ways = {
  free: [],
  held: ['pause'],
  flowing: ['attached'],
  congested: ['attached', 'congested'],
  paused: ['attached', 'pause'],
  pouring: ['attached', 'drain'],
  clogged: ['attached', 'drain', 'congested'],
  drained: ['attached', 'drain', 'emptied'],
} as const satisfies Record<string, readonly Word[]>;
type Leaf = keyof typeof ways;
const leaves = Object.keys(ways) as Leaf[];

const words: Word[] = [
  'attached',
  'detached',
  'congested',
  'relieved',
  'overflowed',
  'emptied',
  'pause',
  'resume',
  'drain',
];

type Row = readonly [given: Leaf, on: Word, next: Leaf, effects: readonly string[]];

const congest = ['stop flow', 'tell parent outbox.congested', 'start gauge'];
const relieve = ['stop gauge', 'tell parent outbox.relieved'];

const rows: Row[] = [
  ['free', 'attached', 'flowing', ['start flow']],
  ['free', 'pause', 'held', []],
  ['held', 'attached', 'paused', []],
  ['held', 'resume', 'free', []],
  ['flowing', 'congested', 'congested', congest],
  ['flowing', 'pause', 'paused', ['stop flow']],
  ['flowing', 'drain', 'pouring', ['stop flow', 'start outflow']],
  ['flowing', 'detached', 'free', ['stop flow']],
  ['congested', 'relieved', 'flowing', [...relieve, 'start flow']],
  ['congested', 'pause', 'paused', relieve],
  ['congested', 'drain', 'clogged', [...relieve, 'start gauge']],
  ['congested', 'detached', 'free', relieve],
  ['paused', 'resume', 'flowing', ['start flow']],
  ['paused', 'drain', 'pouring', ['start outflow']],
  ['paused', 'detached', 'held', []],
  ['pouring', 'congested', 'clogged', ['stop outflow', 'start gauge']],
  ['pouring', 'emptied', 'drained', ['stop outflow', 'tell parent outbox.emptied']],
  ['pouring', 'detached', 'free', ['stop outflow']],
  ['clogged', 'relieved', 'pouring', ['stop gauge', 'start outflow']],
  ['clogged', 'detached', 'free', ['stop gauge']],
  ['drained', 'detached', 'free', []],
  ...leaves.map((leaf): Row => [leaf, 'overflowed', leaf, ['tell parent outbox.overflowed']]),
];

const ignored = leaves.flatMap((given) => {
  const taken = new Set(rows.filter((row) => row[0] === given).map(([, on]) => on));
  return words.filter((word) => !taken.has(word)).map((on) => [given, on] as const);
});

function stepped(...way: readonly Word[]): Step<OutboxSnapshot> {
  const [start] = initialTransition(outboxMachine, { connectionId: 'c1' });
  return stepThrough(
    outboxMachine,
    start,
    way.map((type) => ({ type })),
  );
}

describe('the outbox chart', () => {
  test.each(rows)('goes from %s, on %s, to %s', (given, on, next, effects) => {
    const { snapshot, effects: found } = stepped(...ways[given], on);
    expect([leafOf(snapshot), [...found].sort()]).toEqual([next, [...effects].sort()]);
  });

  test.each(ignored)('stays %s, and does nothing, on %s', (given, on) => {
    const { snapshot, effects } = stepped(...ways[given], on);
    expect([leafOf(snapshot), effects]).toEqual([given, []]);
  });

  test('tells of congestion after nothing more is taken, and of relief before anything is', () => {
    expect(stepped(...ways.congested).effects).toEqual(congest);
    expect(stepped(...ways.congested, 'relieved').effects.at(-1)).toBe('start flow');
  });

  test('starts without input, as tools that only look at it start it', () => {
    const [{ value, context }] = initialTransition(outboxMachine, undefined as never);
    expect([value, context]).toEqual([{ detached: 'free' }, { connectionId: '' }]);
  });
});

describe('the actors of an outbox', () => {
  test('are told whose messages they move, and nothing else', () => {
    const told: unknown[] = [];
    const note = fromCallback<EventObject, OutboxInput>(({ input }) => void told.push(input));
    const actor = createActor(
      outboxMachine.provide({ actors: { flow: note, outflow: note, gauge: note, watch: note } }),
      { input: { connectionId: 'c7' } },
    ).start();
    for (const type of ['attached', 'congested', 'relieved', 'drain'] as const) actor.send({ type });
    actor.stop();
    expect(told).toEqual(Array.from({ length: 5 }, () => ({ connectionId: 'c7' })));
  });

  test('end with the state that calls for them, and with the outbox', () => {
    const running = new Set<string>();
    const named = (name: string) =>
      fromCallback<EventObject, OutboxInput>(() => {
        running.add(name);
        return () => void running.delete(name);
      });
    const actor = createActor(
      outboxMachine.provide({
        actors: { flow: named('flow'), outflow: named('outflow'), gauge: named('gauge'), watch: named('watch') },
      }),
      { input: { connectionId: 'c1' } },
    ).start();
    const seen: string[][] = [];
    for (const type of ['attached', 'congested', 'relieved', 'pause', 'drain', 'congested', 'detached'] as const) {
      actor.send({ type });
      seen.push([...running].sort());
    }
    expect(seen).toEqual([
      ['flow', 'watch'],
      ['gauge', 'watch'],
      ['flow', 'watch'],
      ['watch'],
      ['outflow', 'watch'],
      ['gauge', 'watch'],
      ['watch'],
    ]);
    actor.stop();
    expect([...running]).toEqual([]);
  });

  test('speak to the connection that owns the outbox', () => {
    const heard: string[] = [];
    const owner = setup({ actors: { outbox: outboxMachine } }).createMachine({
      invoke: { id: 'outbox', src: 'outbox', input: { connectionId: 'c1' } },
      on: { '*': { actions: ({ event }) => void heard.push(event.type) } },
    });
    const actor = createActor(owner).start();
    const outbox = actor.getSnapshot().children['outbox'];
    for (const type of ['attached', 'overflowed', 'congested', 'relieved', 'drain', 'emptied'] as const)
      outbox?.send({ type });
    actor.stop();
    expect(heard).toEqual(['outbox.overflowed', 'outbox.congested', 'outbox.relieved', 'outbox.emptied']);
  });
});
