import { createActor, fromCallback, type ActorRefFrom, type EventObject } from 'xstate';

import { childIdOf, deadIdOf, supervisorMachine, type SupervisorEvent } from '../machines/supervisor.ts';
import { connectionLogic } from './connection.ts';
import type { InspectionEvent } from './inspection.ts';
import { isolated } from './core/isolation.ts';
import type { Clock } from './transport/clock.ts';
import { bindWorld, worldOf, type World } from './world.ts';

const supervisorLogic = supervisorMachine.provide({
  actors: {
    connection: connectionLogic,
    signals: fromCallback<EventObject>(({ system, sendBack }) => {
      let end: (() => void) | undefined;
      const world = worldOf<unknown>(system);
      const report = (cause: unknown): void => {
        world.report(cause);
      };
      const subscribe = (): void => {
        end = world.signals.subscribe((type) => {
          sendBack({ type } satisfies SupervisorEvent);
        });
      };
      isolated(subscribe, [], report);
      return () => {
        isolated(() => end?.(), [], report);
      };
    }),
  },
  actions: {
    disposeConnection: ({ event, system }) => {
      const death: { type: string; error?: unknown } = event;
      worldOf<unknown>(system).died(deadIdOf(death), death.error);
    },
  },
});

/** The actor of one connection, as its supervisor holds it. */
export type ConnectionActor = ActorRefFrom<typeof connectionLogic>;
/** The root actor of a service. */
export type SupervisorActor = ActorRefFrom<typeof supervisorLogic>;

export interface SupervisorOptions {
  clock: Clock;
  inspect: ((event: InspectionEvent) => void) | undefined;
  /** Hears of the death of the root itself, which nothing outlives. */
  onDeath: (cause: unknown) => void;
  /** Every actor has stopped. */
  onStopped: () => void;
}

/** Starts the root actor of a service: one system, one clock and one inspection stream for all its connections. */
export function startSupervisor(
  world: World,
  { clock, inspect, onDeath, onStopped }: SupervisorOptions,
): SupervisorActor {
  const root = createActor(supervisorLogic, { id: 'supervisor', clock, ...(inspect && { inspect }) });
  bindWorld(root.system, world);
  // without an error observer XState would throw from a timer of its own
  root.subscribe({ error: onDeath, complete: onStopped });
  return root.start();
}

/** The actor of a connection, if it has one that lives. */
export function connectionActor(root: SupervisorActor, id: string): ConnectionActor | undefined {
  const actor = root.getSnapshot().children[childIdOf(id)] as ConnectionActor | undefined;
  return actor?.getSnapshot().status === 'active' ? actor : undefined;
}
