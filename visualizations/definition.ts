import { createHash } from 'node:crypto';
import type { AnyStateMachine } from 'xstate';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The machine as data, as `createMachine` and Stately's tools take it: the config without its functions. */
export function definitionOf(machine: AnyStateMachine): Json {
  return JSON.parse(JSON.stringify(machine.config)) as Json;
}

/** The SHA-256 of the definition, in hex. The order in which keys are written does not count; that of lists does. */
export function hashOf(machine: AnyStateMachine): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(definitionOf(machine))))
    .digest('hex');
}

function sorted(json: Json): Json {
  if (Array.isArray(json)) return json.map(sorted);
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, sorted(value)]));
}
