import { createActor, fromCallback, type ActorRefFrom, type EventObject } from 'xstate';

import { childIdOf, type RestartIntensity } from '../machines/group.ts';
import { supervisorMachine, type SupervisorEvent } from '../machines/supervisor.ts';
import { groupLogic, type ConnectionActor, type GroupActor } from './group.ts';
import { keepBeat } from './common-beat.ts';
import type { InspectionEvent } from './inspection.ts';
import { isolated } from './core/isolation.ts';
import { endOrphans } from './orphans.ts';
import { indexTimers } from './timer-index.ts';
import type { Clock } from './transport/clock.ts';
import { SIGNALS } from './transport/signals.ts';
import { bindWorld, worldOf, type World } from './world.ts';

const supervisorLogic = supervisorMachine.provide({
  actors: {
    group: groupLogic,
    signals: fromCallback<EventObject>(({ system, sendBack }) => {
      let end: (() => void) | undefined;
      const world = worldOf<unknown>(system);
      const report = (cause: unknown): void => {
        world.report(cause);
      };
      const subscribe = (): void => {
        end = world.signals.subscribe((type) => {
          // another name could be that of an event which is not for the application to send
          if (SIGNALS.includes(type)) sendBack({ type } satisfies SupervisorEvent);
          else report(new TypeError('The option `signals` reported something that is no signal.'));
        });
      };
      isolated(subscribe, [], report);
      return () => {
        isolated(() => end?.(), [], report);
      };
    }),
  },
});

/** The root actor of a service. */
export type SupervisorActor = ActorRefFrom<typeof supervisorLogic>;

export interface SupervisorOptions {
  clock: Clock;
  intensity: RestartIntensity;
  inspect: ((event: InspectionEvent) => void) | undefined;
  /** Hears of the death of the root itself, which nothing outlives. */
  onDeath: (cause: unknown) => void;
  /** Every actor has stopped. */
  onStopped: () => void;
}

/** Starts the root actor of a service: one system, one clock and one inspection stream for all its connections. */
export function startSupervisor(
  world: World,
  { clock, intensity, inspect, onDeath, onStopped }: SupervisorOptions,
): SupervisorActor {
  const input = { intensity };
  const root = createActor(supervisorLogic, { id: 'supervisor', clock, input, ...(inspect && { inspect }) });
  bindWorld(root.system, world);
  keepBeat(root.system, clock);
  indexTimers(root.system);
  // a machine that dies of a child's death does not know that child any more
  let children = {};
  root.subscribe({
    next: (snapshot) => {
      ({ children } = snapshot);
    },
    // without this observer XState would throw from a timer of its own
    error: (cause) => {
      endOrphans(children);
      onDeath(cause);
    },
    complete: onStopped,
  });
  return root.start();
}

// those that are told to end while their group is in the middle of its turn live until that is over
const released = new WeakSet<ConnectionActor>();

/** The actor of a connection, if it has one that lives, and that is to live on. */
export function connectionActor(root: SupervisorActor, id: string): ConnectionActor | undefined {
  const actor = memberOf(groupOf(root, id), id);
  return actor?.getSnapshot().status === 'active' && !released.has(actor) ? actor : undefined;
}

/** Ends the actor of a connection, if it has one. */
export function releaseConnection(root: SupervisorActor, id: string): void {
  const group = groupOf(root, id);
  const actor = memberOf(group, id);
  if (actor) released.add(actor);
  group?.send({ type: 'connection.released', id });
}

function memberOf(group: GroupActor | undefined, id: string): ConnectionActor | undefined {
  return group?.getSnapshot().children[childIdOf(id)];
}

// the newest group is where most of what is looked for is
function groupOf(root: SupervisorActor, id: string): GroupActor | undefined {
  const { context, children } = root.getSnapshot();
  for (let index = context.groups.length - 1; index >= 0; index--) {
    const group = children[context.groups[index]?.id ?? ''] as GroupActor | undefined;
    if (memberOf(group, id)) return group;
  }
  return undefined;
}
