import { expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { CONNECTION_STATES, connectionMachine, supervisorMachine } from '../../machines/index.ts';
import { chartOf } from '../../visualizations/chart.ts';
import { drawOverview } from '../../visualizations/overview.ts';

test('the overview of the connection machine has the eight states of the world', () => {
  const mermaid = drawOverview(chartOf(connectionMachine))?.mermaid ?? '';
  const states = [...mermaid.matchAll(/state "(\w+)" as \w+$/gm)].map(([, name]) => name);
  expect(states.toSorted()).toEqual(CONNECTION_STATES.toSorted());
});

test('the overview of the connection machine loses no change of state', () => {
  const { mermaid, notes } = drawOverview(chartOf(connectionMachine)) ?? { mermaid: '', notes: [] };
  for (const state of CONNECTION_STATES.filter((name) => name !== 'idle')) {
    expect(`${mermaid}${notes.join('')}`).toMatch(new RegExp(`--> ${state}\\b`));
  }
});

test('a machine without tags has no overview', () => {
  expect(drawOverview(chartOf(supervisorMachine))).toBeNull();
});

test('inner states fall together, states without a tag are choices, and what keeps the tag is left out', () => {
  const overview = drawOverview(
    chartOf(
      createMachine({
        id: 'parcel',
        description: 'Sent.',
        initial: 'packing',
        states: {
          packing: {
            tags: 'here',
            initial: 'open',
            on: { lost: 'judging' },
            states: {
              open: { on: { close: 'taped' } },
              taped: { on: { collect: '#parcel.away' }, after: { week: '#parcel.judging' } },
            },
          },
          away: {
            initial: 'rolling',
            on: { lost: 'judging' },
            states: {
              rolling: { tags: 'moving', on: { stop: 'halted' } },
              halted: { tags: 'halted', on: { go: 'rolling' } },
            },
          },
          judging: { always: [{ guard: 'isInsured', target: 'paid' }, { target: 'gone' }] },
          paid: { tags: 'over' },
          gone: { tags: 'over' },
        },
      }),
    ),
  );
  expect(overview).toEqual({
    notes: [],
    mermaid: `stateDiagram-v2
  accTitle: parcel
  accDescr: Sent.
  [*] --> here
  state "here" as here
  state "away" as away {
    [*] --> moving
    state "moving" as moving
    state "halted" as halted
    moving --> halted : stop
    halted --> moving : go
  }
  state judging <<choice>>
  state "over" as over
  here --> judging : lost<br/>after week
  here --> away : collect
  away --> judging : lost
  judging --> over : [else]`,
  });
});

test('states that do not share their ways out are not drawn as one composite', () => {
  const overview = drawOverview(
    chartOf(
      createMachine({
        id: 'pair',
        initial: 'both',
        states: {
          both: {
            initial: 'left',
            on: { drop: 'gone' },
            states: { left: { tags: 'left', on: { swap: 'right' } }, right: { tags: 'right', on: { drop: {} } } },
          },
          gone: { tags: 'gone' },
        },
      }),
    ),
  );
  expect(overview?.mermaid).not.toContain('{');
  expect(overview?.mermaid.split('\n').slice(-2)).toEqual(['  left --> right : swap', '  left --> gone : drop']);
});

test('what leads to one state from many is drawn only where nothing else leads on, and told in words', () => {
  const quit = { quit: 'd' };
  const overview = drawOverview(
    chartOf(
      createMachine({
        id: 'quitter',
        initial: 'a',
        states: {
          a: { tags: 'a', on: { go: 'b', ...quit } },
          b: { tags: 'b', on: { go: 'c', ...quit } },
          c: { tags: 'c', on: quit },
          d: { tags: 'd' },
        },
      }),
    ),
  );
  expect(overview?.notes).toEqual(['`quit` also leads to `d` from `a` and `b`.']);
  expect(overview?.mermaid.split('\n').slice(-3)).toEqual(['  a --> b : go', '  b --> c : go', '  c --> d : quit']);
});

test('the guards of an event are drawn where they choose, and left out where they only refuse', () => {
  const overview = drawOverview(
    chartOf(
      createMachine({
        id: 'door',
        initial: 'shut',
        states: {
          shut: {
            tags: 'shut',
            on: {
              push: [{ guard: 'isHard', target: 'open' }, { target: 'ajar' }],
              pull: { guard: 'isLoose', target: 'open' },
            },
          },
          ajar: { tags: 'shut' },
          open: { tags: 'open' },
        },
      }),
    ),
  );
  expect(overview?.mermaid).toContain('shut --> open : push [isHard]<br/>pull');
});
