import { readFileSync, writeFileSync } from 'node:fs';

import type { Coverage } from './machine-graph.ts';

const FILE = new URL('../../visualizations/coverage.md', import.meta.url);
const HEAD = `# What the models cover

Written by \`npm run models\`, and held to the models by \`npm test\`. Each machine is explored as it is shipped: in every situation (a state, with what of its context the chart decides
by), each event that it knows, in every form that makes a difference, and each timer. Every invariant holds on every edge, and every edge is walked on a real actor
with a clock, which comes to the same state by the same effects in the same order, with the same actors and timers.

| machine | states reached | transitions taken | situations | edges | invariants |
|---|---|---|---|---|---|
`;

/** The row of a machine, as its exploration makes it. */
export function rowOf(id: string, { states, transitions, situations, edges }: Coverage, invariants: number): string {
  const cells = [
    `[${id}](${id}.md)`,
    `${states.reached} of ${states.defined}`,
    `${transitions.taken} of ${transitions.defined}`,
    ...[situations, edges, invariants].map(String),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The row that the table has of a machine, once it was written where it is to be: by one file of tests at a time. */
export function tabled(id: string, row: string): string | undefined {
  if (process.env['HOLDFAST_COVERAGE'] === 'write') {
    const others = rows().filter((other) => machineOf(other) !== id);
    writeFileSync(
      FILE,
      HEAD +
        [...others, row]
          .sort()
          .map((line) => `${line}\n`)
          .join(''),
    );
  }
  return rows().find((other) => machineOf(other) === id);
}

/** The machines that the table has a row of. */
export function tabledMachines(): string[] {
  return rows().map(machineOf);
}

function rows(): string[] {
  return readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ['));
}

function machineOf(row: string): string {
  return /^\| \[([^\]]+)/.exec(row)?.[1] ?? '';
}
