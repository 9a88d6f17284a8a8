import type { AnyStateMachine } from 'xstate';

import * as charts from '../../machines/index.ts';
import { canonicalJson } from './canonical.ts';
import { sha256 } from './digest.ts';
import { definitionOf } from './turns.ts';

/** The machines whose actors are recorded, by id. */
export const MACHINES: ReadonlyMap<string, AnyStateMachine> = new Map(
  [
    charts.supervisorMachine,
    charts.groupMachine,
    charts.connectionMachine,
    charts.outboxMachine,
    charts.healthMachine,
  ].map((machine) => [machine.id, machine as AnyStateMachine]),
);

/** The SHA-256 of the definition of each machine, by its id: the same that its drawing says. */
export type Hashes = Readonly<Record<string, string>>;

let known: Hashes | undefined;

/** The hashes of {@link MACHINES}: at once where the platform can, which Node can. */
export function hashes(): Hashes | Promise<Hashes> {
  if (known) return known;
  const found = [...MACHINES].map(([id, machine]) => {
    const hash = sha256(canonicalJson(definitionOf(machine)));
    return typeof hash === 'string' ? ([id, hash] as const) : hash.then((late) => [id, late] as const);
  });
  const settled = (all: readonly (readonly [string, string])[]): Hashes => (known = Object.fromEntries(all));
  return found.some((one) => 'then' in one)
    ? Promise.all(found).then(settled)
    : settled(found as (readonly [string, string])[]);
}

/** How a record names a machine. */
export function machineName(id: string, hash: string | undefined): string {
  return `${id}@${(hash ?? '').slice(0, 16)}`;
}

/** The id and the beginning of the hash that a record's name of a machine is made of. */
export function readMachineName(name: string): { id: string; hash: string } {
  const at = name.lastIndexOf('@');
  return { id: name.slice(0, at), hash: name.slice(at + 1) };
}
