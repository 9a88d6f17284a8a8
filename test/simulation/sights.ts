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
