import { StateMachine } from 'xstate';
import type { AnyStateMachine } from 'xstate';
import { definitionOf } from './definition.ts';
import { pageOf, withFigures } from './page.ts';

/** A file as the machines have it; its path is relative to the repository and uses forward slashes. */
export interface Drawing {
  path: string;
  text: string;
}

/** Reads a file of the repository; `null` where there is none. */
export type Read = (path: string) => string | null;

/** The machines among a module's exports, by name. */
export function machinesOf(module: object): AnyStateMachine[] {
  return Object.values(module)
    .filter((value): value is AnyStateMachine => value instanceof StateMachine)
    .sort((left, right) => (left.id < right.id ? -1 : 1));
}

/** Every file that is drawn from the machines. The project's README is one of them once it has a marker for a figure. */
export function drawingsOf(machines: readonly AnyStateMachine[], read: Read): Drawing[] {
  const readme = read('README.md');
  return [
    ...machines.flatMap((machine) => [
      { path: `visualizations/${machine.id}.md`, text: pageOf(machine) },
      { path: `visualizations/${machine.id}.json`, text: `${JSON.stringify(definitionOf(machine), null, 2)}\n` },
    ]),
    ...(readme === null ? [] : [{ path: 'README.md', text: withFigures(readme, machines) }]),
  ];
}

/** The drawings that differ from their files. */
export function drifted(drawings: readonly Drawing[], read: Read): Drawing[] {
  return drawings.filter(({ path, text }) => read(path) !== text);
}
