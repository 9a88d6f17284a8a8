import type { AnyStateNode } from 'xstate';

import {
  connectionMachine,
  groupMachine,
  healthMachine,
  outboxMachine,
  supervisorMachine,
} from '../../machines/index.ts';
import { canonicalJson } from '../../src/audit/canonical.ts';
import type { Turn } from '../../src/audit/observation.ts';
import type { Json, StepRecord } from '../../src/audit/record.ts';
import { takenOf, type RawTransition } from '../../src/audit/turns.ts';
import { allNodes, definedTransitions } from '../support/machine-graph.ts';

const MACHINES = [connectionMachine, groupMachine, healthMachine, outboxMachine, supervisorMachine];

/** How much of one chart was seen. */
export interface Sight {
  machine: string;
  states: { seen: number; defined: number };
  transitions: { seen: number; defined: number };
}

/** The states that actors were in, and the transitions that they took, by name: what workers saw can be added up. */
export class Sights {
  readonly states = new Set<string>();
  readonly transitions = new Set<string>();

  /** Takes what an actor did. */
  take({ actor: { machine }, after, deeds }: Turn): void {
    for (const { id } of after._nodes as unknown as AnyStateNode[]) this.states.add(`${machine} ${id}`);
    for (const taken of deeds.transitions) {
      this.transitions.add(`${machine} ${canonicalJson(taken)}`);
      // what was only passed through
      this.states.add(`${machine} ${taken.source}`);
    }
  }

  /** Reads the lines of an audit log. */
  read(lines: readonly string[]): void {
    for (const line of lines) {
      const record = (JSON.parse(line) as { record: Partial<StepRecord> }).record;
      const { machine: version, to, transitions = [] } = record;
      if (version === undefined || to === undefined) continue;
      const [machine = ''] = version.split('@');
      for (const id of idsOf(machine, to)) this.states.add(`${machine} ${id}`);
      for (const taken of transitions) {
        this.transitions.add(`${machine} ${canonicalJson(taken)}`);
        for (const id of [taken.source, ...(taken.to ?? [])]) this.states.add(`${machine} ${id}`);
      }
    }
  }

  /** Adds what others saw. */
  add({ states, transitions }: { states: Iterable<string>; transitions: Iterable<string> }): void {
    for (const name of states) this.states.add(name);
    for (const name of transitions) this.transitions.add(name);
  }

  /** Beside what the charts define. */
  get table(): Sight[] {
    return MACHINES.map((machine) => {
      const states = allNodes(machine.root).map(({ id }) => `${machine.id} ${id}`);
      const transitions = definedTransitions(machine).map(
        (transition) => `${machine.id} ${canonicalJson(takenOf(transition as unknown as RawTransition))}`,
      );
      return {
        machine: machine.id,
        states: { seen: states.filter((name) => this.states.has(name)).length, defined: states.length },
        transitions: {
          seen: transitions.filter((name) => this.transitions.has(name)).length,
          defined: transitions.length,
        },
      };
    });
  }
}

// every node of a state value, by its id
function idsOf(parent: string, value: Json): string[] {
  if (typeof value === 'string') return [parent, `${parent}.${value}`];
  const regions = Object.entries(value as Record<string, Json>);
  return [parent, ...regions.flatMap(([name, inner]) => idsOf(`${parent}.${name}`, inner))];
}
