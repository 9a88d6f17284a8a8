import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import * as exported from '../../machines/index.ts';
import { chartOf, withDescendants } from '../../visualizations/chart.ts';
import { machinesOf } from '../../visualizations/drawings.ts';
import { stateTable, transitionTable } from '../../visualizations/table.ts';

interface Config {
  on?: Record<string, unknown>;
  after?: Record<string, unknown>;
  always?: unknown;
  states?: Record<string, Config>;
}

describe.each(machinesOf(exported).map((machine) => [machine.id, machine] as const))(
  'the %s machine',
  (_id, machine) => {
    const chart = chartOf(machine);

    test('has a row for each transition definition', () => {
      expect(rowsOf(transitionTable(chart))).toHaveLength(countDefinitions(machine.config));
    });

    test('has a row for each state', () => {
      expect(rowsOf(stateTable(chart))).toHaveLength(withDescendants(chart).length);
    });

    test('has the same number of cells in every row', () => {
      for (const table of [stateTable(chart), transitionTable(chart)]) {
        expect(new Set(table.split('\n').map((row) => row.split(/(?<!\\)\|/).length)).size).toBe(1);
      }
    });
  },
);

test('a row tells a transition in full, and a text stays inside its cell', () => {
  const machine = createMachine({
    id: 'gate',
    initial: 'shut',
    states: {
      shut: {
        description: 'A | B\nand C.',
        tags: 'here',
        entry: ['lock', { type: 'log', params: { level: 'info', depth: 2 } }],
        exit: 'unlock',
        invoke: [
          { id: 'guard', src: 'guard' },
          { id: 'bell', src: 'ringer' },
        ],
        on: {
          push: [
            {
              guard: { type: 'isStrong', params: { than: 'lock' } },
              target: 'open',
              actions: 'creak',
              description: 'With | force.',
            },
            { target: 'shut', reenter: true },
          ],
        },
        after: { patience: 'open' },
      },
      open: {},
    },
  });
  const chart = chartOf(machine);
  expect(stateTable(chart).split('\n').slice(2)).toEqual([
    '| `gate` |  |  |  |  |  |',
    '| `shut` | A \\| B and C. | `here` | `lock`, `log(level: info, depth: 2)` | `unlock` | `guard`, `bell (ringer)` |',
    '| `open` |  |  |  |  |  |',
  ]);
  expect(rowsOf(transitionTable(chart))).toEqual([
    '| `shut` | `push` | `isStrong(than: lock)` | `open` | `creak` |  | With \\| force. |',
    '| `shut` | `push` | else | `shut` (re-entered) |  |  |  |',
    '| `shut` | `after` |  | `open` |  | `patience` |  |',
  ]);
});

function rowsOf(table: string): string[] {
  return table.split('\n').slice(2);
}

/** Transitions as they are written down, counted without XState. */
function countDefinitions(config: object): number {
  const { on = {}, after = {}, always = [], states = {} } = config as Config;
  const own = [...Object.values(on), ...Object.values(after), always].flat().length;
  return Object.values(states).reduce((sum, state) => sum + countDefinitions(state), own);
}
