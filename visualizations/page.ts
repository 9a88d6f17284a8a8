import type { AnyStateMachine } from 'xstate';
import { chartOf } from './chart.ts';
import { hashOf } from './definition.ts';
import { drawChart } from './mermaid.ts';
import { drawOverview } from './overview.ts';
import type { Overview } from './overview.ts';
import { stateTable, transitionTable } from './table.ts';

/** The Markdown page of a machine: its pictures, its tables, and the hash that tells whether it is the same machine. */
export function pageOf(machine: AnyStateMachine): string {
  const chart = chartOf(machine);
  const overview = drawOverview(chart);
  const pictures = drawChart(chart).map(({ path, mermaid }) => [
    ...(path === '' ? [] : [`### Inside \`${path}\``]),
    fence(mermaid),
  ]);
  return joined([
    `# ${chart.name}`,
    chart.description,
    `Drawn from \`machines/${chart.name}.ts\` by \`npm run draw\`. [How to read it](README.md#how-to-read-a-picture)`,
    ...(overview ? ['## What the world sees', figure(overview)] : []),
    '## The chart',
    ...pictures.flat(),
    '## States',
    stateTable(chart),
    '## Transitions',
    transitionTable(chart),
    '## Definition',
    `[${chart.name}.json](${chart.name}.json), SHA-256 of its canonical form: \`${hashOf(machine)}\``,
  ]);
}

/** What stands for a machine in a text about something else: its overview, or the chart where it has none. */
function figureOf(machine: AnyStateMachine): string {
  const chart = chartOf(machine);
  const overview = drawOverview(chart);
  return overview ? figure(overview) : joined(drawChart(chart).map(({ mermaid }) => fence(mermaid))).trimEnd();
}

/** The text with the figures of the machines between its markers `<!-- <name>-machine:start -->` and `…:end -->`. */
export function withFigures(text: string, machines: readonly AnyStateMachine[]): string {
  return machines.reduce((current, machine) => {
    const [start, end] = ['start', 'end'].map((edge) => `<!-- ${machine.id}-machine:${edge} -->`) as [string, string];
    const from = current.indexOf(start);
    const to = current.indexOf(end, from);
    if (from < 0 || to < 0) return current;
    return `${current.slice(0, from)}${start}\n\n${figureOf(machine)}\n\n${current.slice(to)}`;
  }, text);
}

function figure({ mermaid, notes }: Overview): string {
  return joined([fence(mermaid), ...(notes.length === 0 ? [] : [`Not drawn: ${notes.join(' ')}`])]).trimEnd();
}

function fence(mermaid: string): string {
  return `\`\`\`mermaid\n${mermaid}\n\`\`\``;
}

function joined(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}
