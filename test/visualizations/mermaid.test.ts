import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import * as exported from '../../machines/index.ts';
import { chartOf, transitionsOf } from '../../visualizations/chart.ts';
import { machinesOf } from '../../visualizations/drawings.ts';
import { drawChart } from '../../visualizations/mermaid.ts';
import { escapeLabel, idOf } from '../../visualizations/notation.ts';
import { drawOverview } from '../../visualizations/overview.ts';

const machines = machinesOf(exported).map((machine) => [machine.id, machine] as const);

describe.each(machines)('the pictures of the %s machine', (_id, machine) => {
  const chart = chartOf(machine);
  const lines = drawChart(chart).flatMap(({ mermaid }) => mermaid.split('\n').map((line) => line.trim()));

  test('have every transition at the state that defines it, with its event, its guard and its delay', () => {
    const missing = transitionsOf(chart).filter(({ source, trigger, guard }) => {
      const id = idOf(source || chart.name);
      const own = lines.filter((line) =>
        [`${id} -->`, `${id} :`, `${id}_throughout :`].some((it) => line.startsWith(it)),
      );
      return !own.some((line) => line.includes(escapeLabel(trigger)) && line.includes(guard ?? ''));
    });
    expect(missing).toEqual([]);
  });

  test('have no arrow across the border of a composite', () => {
    for (const { mermaid } of [...drawChart(chart), ...overviewOf(machine)]) expect(crossings(mermaid)).toEqual([]);
  });
});

test('a small chart is one picture, with its composites in place', () => {
  const machine = createMachine({
    id: 'lamp',
    description: 'Light: on demand.',
    initial: 'off',
    on: { 'power.cut': '.off', metered: { actions: 'count' } },
    states: {
      off: { on: { press: { target: 'on', guard: 'hasPower' } } },
      on: {
        initial: 'dim',
        on: { press: 'off', dim: { target: '.dim', reenter: true } },
        states: {
          dim: {
            on: { turn: 'bright' },
            always: { guard: 'isDark', target: 'bright' },
            after: { cooling: '#lamp.off' },
          },
          bright: { on: { turn: { target: 'bright', reenter: true }, smash: '#lamp.broken.glass' } },
        },
      },
      broken: { initial: 'glass', states: { glass: {} }, always: { guard: 'isSwept', target: 'gone' } },
      gone: { type: 'final' },
    },
  });
  expect(drawChart(chartOf(machine))).toEqual([
    {
      path: '',
      mermaid: `stateDiagram-v2
  accTitle: lamp
  accDescr: Light on demand.
  [*] --> off
  state "off" as off
  state "on" as on {
    [*] --> on_dim
    state "dim" as on_dim
    state "bright" as on_bright
    on_bright : turn ↻
    state "throughout" as on_throughout
    on_throughout : dim → dim ↻
    on_dim --> on_bright : always [isDark]<br/>turn
    state "→ off" as on_to_off
    on_dim --> on_to_off : after cooling
    state "→ broken.glass" as on_to_broken_glass
    on_bright --> on_to_broken_glass : smash
  }
  state "broken" as broken {
    [*] --> broken_glass
    state "glass" as broken_glass
  }
  state "gone" as gone
  state "throughout" as lamp_throughout
  lamp_throughout : power.cut → off
  lamp_throughout : metered
  off --> on : press [hasPower]
  on --> off : press
  on --> broken
  broken --> gone : always [isSwept]
  gone --> [*]
  classDef exit stroke-dasharray:3 3,fill:none
  class on_throughout,on_to_off,on_to_broken_glass,lamp_throughout exit`,
    },
  ]);
});

test('a composite of many states is folded, and has a picture of its own with its ways out', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const inner = Object.fromEntries(
    names.map((name, index) => [name, { on: { next: names[index + 1] ?? '#long.end' } }]),
  );
  const machine = createMachine({
    id: 'long',
    initial: 'way',
    states: { way: { initial: 'a', states: inner, on: { 'stopped.short': 'end' } }, end: {} },
  });
  const [whole, way] = drawChart(chartOf(machine)).map(({ mermaid }) => mermaid.split('\n').map((line) => line.trim()));
  expect(whole).toContain('state "way …" as way');
  expect(whole).toContain('way --> end : stopped.short<br/>next');
  expect(whole).not.toContain('state "a" as way_a');
  expect(way).toContain('state "way" as way {');
  expect(way).toContain('way_g --> way_to_end : next');
  expect(way).toContain('way --> long_to_end : stopped.short');
});

test('a way back to the start of the whole chart is named after it', () => {
  const machine = createMachine({ id: 'again', initial: 'a', states: { a: { on: { reset: '#again' } } } });
  const [picture] = drawChart(chartOf(machine));
  expect(picture?.mermaid).toContain('state "↺ again" as again_to_again\n  a --> again_to_again : reset');
});

test('a chart without a description says nothing in its place', () => {
  // after an empty one, Mermaid takes the next line for the description
  const [picture] = drawChart(chartOf(createMachine({ id: 'mute', initial: 'a', states: { a: {} } })));
  expect(picture?.mermaid).not.toContain('accDescr');
});

test('the regions of a parallel state stand side by side with dashed borders', () => {
  // Mermaid's own form for regions, `--`, crashes its layout when an arrow in a region ends at a composite
  const region = { initial: 'off', states: { off: { on: { flip: 'on' } }, on: {} } };
  const machine = createMachine({ id: 'two', type: 'parallel', states: { left: region, right: region } });
  const [picture] = drawChart(chartOf(machine));
  expect(picture?.mermaid).toContain('class left,right region');
  expect(picture?.mermaid).not.toContain('--\n');
  expect(picture?.mermaid).not.toMatch(/^ {2}\[\*\]/m);
});

function overviewOf(machine: (typeof machines)[number][1]): { mermaid: string }[] {
  const overview = drawOverview(chartOf(machine));
  return overview ? [overview] : [];
}

/** The arrows of a diagram whose ends are not declared in the block that holds the arrow. */
function crossings(mermaid: string): string[] {
  const blocks = [{ states: new Set(['[*]']), arrows: new Array<string>() }];
  const open = [0];
  for (const line of mermaid.split('\n').map((text) => text.trim())) {
    const block = blocks[open.at(-1) ?? 0];
    const state = /^state (?:".*" as )?(\w+)/.exec(line)?.[1];
    if (state !== undefined) block?.states.add(state);
    if (line.includes(' --> ')) block?.arrows.push(line);
    if (line.endsWith('{')) open.push(blocks.push({ states: new Set(['[*]']), arrows: [] }) - 1);
    if (line === '}') open.pop();
  }
  return blocks.flatMap(({ states, arrows }) =>
    arrows.filter((arrow) => {
      const [from = '', to = ''] = arrow.split(' : ')[0]?.split(' --> ') ?? [];
      return !states.has(from) || !states.has(to);
    }),
  );
}
