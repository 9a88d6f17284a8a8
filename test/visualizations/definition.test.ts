import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { definitionOf, hashOf } from '../../visualizations/definition.ts';

const door = {
  id: 'door',
  context: () => ({ knocks: 0 }),
  initial: 'shut',
  states: { shut: { on: { push: { guard: 'isUnlocked', target: 'open' } } }, open: { on: { pull: 'shut' } } },
};

describe('a definition', () => {
  test('is the config without its functions', () => {
    const { context, ...data } = door;
    expect(context().knocks).toBe(0);
    expect(definitionOf(createMachine(door))).toEqual(data);
  });
});

describe('a hash', () => {
  const hash = hashOf(createMachine(door));

  test('is a SHA-256 in hex', () => {
    expect(hash).toMatch(/^[\da-f]{64}$/);
  });

  test('changes with the chart', () => {
    expect(hashOf(createMachine({ ...door, initial: 'open' }))).not.toBe(hash);
    expect(hashOf(createMachine({ ...door, description: 'Made of wood.' }))).not.toBe(hash);
  });

  test('stays when only the code of a guard changes', () => {
    expect(hashOf(createMachine(door, { guards: { isUnlocked: () => true } }))).toBe(hash);
    expect(hashOf(createMachine(door).provide({ guards: { isUnlocked: () => false } }))).toBe(hash);
  });

  test('stays when keys are written in another order', () => {
    const { states, ...rest } = door;
    expect(hashOf(createMachine({ states: { open: states.open, shut: states.shut }, ...rest }))).toBe(hash);
  });

  test('changes with the order of a list', () => {
    const ways = [
      { guard: 'isUnlocked', target: 'open' },
      { guard: 'isBroken', target: 'gone' },
    ];
    const withWays = (always: typeof ways) =>
      hashOf(createMachine({ initial: 'a', states: { a: { always }, open: {}, gone: {} } }));
    expect(withWays(ways)).not.toBe(withWays(ways.toReversed()));
  });
});
