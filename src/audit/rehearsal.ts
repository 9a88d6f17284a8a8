import {
  createActor,
  createEmptyActor,
  type ActorScope,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventObject,
} from 'xstate';

import { noDeeds, noteEffect, takenOf, type Deeds, type RawTransition } from './turns.ts';

/** What a machine does with an event. */
export interface Rehearsed extends Deeds {
  snapshot: AnyMachineSnapshot;
}

/** A state that a machine can be put into. */
export interface Pose {
  to: unknown;
  context: unknown;
  children: readonly string[];
}

/**
 * A machine that is stepped: it decides, and nothing is done. Neither an effect nor a timer runs, no actor is started, and no delay is waited for: that it has passed
 * is an event as any other.
 */
export class Rehearsal {
  readonly machine: AnyStateMachine;
  readonly #self: AnyActorRef;
  readonly #scope: ActorScope<AnyMachineSnapshot, EventObject>;
  #deeds: Deeds = noDeeds();

  constructor(machine: AnyStateMachine) {
    this.machine = machine;
    const self = createActor(machine, {
      clock: { setTimeout: () => 0, clearTimeout: () => undefined },
      inspect: (inspected) => {
        const { type, actorRef, _transitions } = inspected as unknown as Inspected;
        if (type !== '@xstate.microstep' || actorRef !== this.#self) return;
        for (const transition of _transitions) this.#deeds.transitions.push(takenOf(transition));
      },
    });
    this.#self = self;
    this.#scope = {
      self,
      id: '',
      sessionId: '',
      logger: () => undefined,
      defer: () => undefined,
      system: self.system,
      stopChild: () => undefined,
      emit: () => undefined,
      actionExecutor: (effect) => {
        noteEffect(this.#deeds, effect, self);
      },
    };
  }

  /** How an actor of it begins. */
  begin(input: unknown): Rehearsed {
    return this.#rehearsed(() => this.machine.getInitialSnapshot(this.#scope, input));
  }

  /** The machine in a state that it was seen in. @throws Where it has no such state. */
  pose({ to, context, children }: Pose): AnyMachineSnapshot {
    const snapshot = this.machine.resolveState({ value: to as never, context: context });
    return Object.assign(snapshot, { children: Object.fromEntries(children.map((id) => [id, childOf(id)])) });
  }

  /** What it does with an event. @throws What its own code throws. */
  step(snapshot: AnyMachineSnapshot, event: EventObject): Rehearsed {
    return this.#rehearsed(() => this.machine.transition(snapshot, event, this.#scope));
  }

  #rehearsed(act: () => AnyMachineSnapshot): Rehearsed {
    this.#deeds = noDeeds();
    const snapshot = act();
    return { snapshot, ...this.#deeds };
  }
}

interface Inspected {
  type: string;
  actorRef: object;
  _transitions: readonly RawTransition[];
}

// it is only named: nothing is ever sent to it
function childOf(id: string): AnyActorRef {
  return Object.assign(createEmptyActor(), { id }) as AnyActorRef;
}
