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

let known: Hashes | Promise<Hashes> | undefined;

/** The hashes of {@link MACHINES}: at once where the platform can, which Node can. */
export function hashes(): Hashes | Promise<Hashes> {
  if (known) return known;
  const found = [...MACHINES].map(([id, machine]) => [id, sha256(canonicalJson(definitionOf(machine)))] as const);
  if (found.every((one): one is [string, string] => typeof one[1] === 'string')) known = Object.fromEntries(found);
  // one promise for all: who asked first hears of it first
  else known = later(found).then((late) => (known = late));
  return known;
}

async function later(found: readonly (readonly [string, string | Promise<string>])[]): Promise<Hashes> {
  const hashed = await Promise.all(found.map(async ([id, hash]) => [id, await hash] as const));
  return Object.fromEntries(hashed);
}

/** How a record names a machine. */
export function machineName(id: string, hash: string | undefined): string {
  return `${id}@${(hash ?? '').slice(0, 16)}`;
}

/** The id and the beginning of the hash that a record's name of a machine is made of. */
export function readMachineName(name: string): { id: string; hash: string } {
  const at = name.lastIndexOf('@');
  return at < 0 ? { id: name, hash: '' } : { id: name.slice(0, at), hash: name.slice(at + 1) };
}
