import { assign, enqueueActions, fromCallback, setup, type EventObject } from 'xstate';

import { environmentAfter, type Environment, type EnvironmentSignal } from './facts.ts';
import {
  DEFAULT_INTENSITY,
  groupMachine,
  type ConnectionSeed,
  type PlaceVacated,
  type RestartIntensity,
} from './group.ts';

/** How many connections a group holds at the most. */
export const GROUP_SIZE = 64;

export interface SupervisorInput {
  intensity: RestartIntensity;
}

export interface SupervisorContext extends Environment, SupervisorInput {
  /** The groups that there are, with how many places of each are taken. */
  groups: { id: string; taken: number }[];
  /** How many groups have been made. */
  made: number;
  /** How long a drain may last, in ms. */
  drainMs: number;
}

export type SupervisorEvent =
  | { type: 'connection.requested'; input: ConnectionSeed }
  | PlaceVacated
  | { type: 'drain'; deadlineMs: number }
  | { type: `xstate.done.actor.group:${string}` }
  | { type: 'xstate.error.actor.signals'; error: unknown }
  | EnvironmentSignal;

// a chart that is only looked at has no input
const UNASKED: SupervisorInput = { intensity: DEFAULT_INTENSITY };

/** The root actor of a service: finds each connection a place in a group, and ends them all in order. */
export const supervisorMachine = setup({
  types: {
    context: {} as SupervisorContext,
    input: {} as SupervisorInput,
    events: {} as SupervisorEvent,
  },
  actors: {
    group: groupMachine,
    /** Listens to the platform for as long as it runs. The runtime provides it. */
    signals: fromCallback<EventObject>(() => undefined),
  },
  actions: {
    placeConnection: enqueueActions(({ enqueue, context, event }) => {
      const { groups, made, intensity, network, page } = context;
      const present = groups.find(({ taken }) => taken < GROUP_SIZE);
      const id = present?.id ?? `group:${made + 1}`;
      if (!present) enqueue.spawnChild('group', { id, input: { id, intensity, network, page } });
      enqueue.assign(
        present
          ? { groups: groups.map((group) => (group === present ? { id, taken: group.taken + 1 } : group)) }
          : { groups: [...groups, { id, taken: 1 }], made: made + 1 },
      );
      enqueue.sendTo(id, event);
    }),
    noteVacancy: enqueueActions(({ enqueue, context, event }) => {
      if (event.type !== 'place.vacated') return;
      const groups = context.groups.map(({ id, taken }) => ({ id, taken: id === event.group ? taken - 1 : taken }));
      for (const { id, taken } of groups) if (taken === 0) enqueue.stopChild(id);
      enqueue.assign({ groups: groups.filter(({ taken }) => taken > 0) });
    }),
    buryGroup: enqueueActions(({ enqueue, context, event }) => {
      const id = drainedIdOf(event);
      enqueue.stopChild(id);
      enqueue.assign({ groups: context.groups.filter((group) => group.id !== id) });
    }),
    noteSignal: assign(({ event }) => environmentAfter(event)),
    forwardSignal: enqueueActions(({ enqueue, context, event }) => {
      for (const { id } of context.groups) enqueue.sendTo(id, event);
    }),
    noteDrain: assign(({ event }) => (event.type === 'drain' ? { drainMs: event.deadlineMs } : {})),
    drainAll: enqueueActions(({ enqueue, context }) => {
      for (const { id } of context.groups) enqueue.sendTo(id, { type: 'drain' });
    }),
  },
  guards: {
    isKnown: ({ context, event }) => 'group' in event && context.groups.some(({ id }) => id === event.group),
    isQuiet: ({ context }) => context.groups.length === 0,
  },
  delays: {
    drainDeadline: ({ context }) => context.drainMs,
  },
}).createMachine({
  id: 'supervisor',
  description: 'The root of a service: finds each connection a place in a group, and ends them all in order.',
  context: ({ input }) => initialContext(input),
  options: { maxIterations: 100 },
  initial: 'running',
  states: {
    running: {
      description: 'Connections may be made.',
      initial: 'vacant',
      on: {
        'place.vacated': { guard: 'isKnown', actions: 'noteVacancy' },
        drain: { target: 'draining', actions: 'noteDrain' },
      },
      states: {
        vacant: {
          description: 'No connection was asked for yet: nothing runs, nothing listens.',
          on: { 'connection.requested': { target: 'occupied', actions: 'placeConnection' } },
        },
        occupied: {
          description: 'The platform is listened to on behalf of every connection.',
          invoke: { id: 'signals', src: 'signals' },
          on: {
            'connection.requested': { actions: 'placeConnection' },
            'network.online': { actions: ['noteSignal', 'forwardSignal'] },
            'network.offline': { actions: ['noteSignal', 'forwardSignal'] },
            'page.visible': { actions: ['noteSignal', 'forwardSignal'] },
            'page.hidden': { actions: ['noteSignal', 'forwardSignal'] },
            'page.frozen': { actions: ['noteSignal', 'forwardSignal'] },
            'system.woke': { actions: 'forwardSignal' },
            'xstate.error.actor.signals': { description: 'Without news of the platform everything goes on.' },
          },
        },
      },
    },
    draining: {
      description: 'No connection is made any more; the open ones say goodbye, within a deadline.',
      entry: 'drainAll',
      always: { guard: 'isQuiet', target: 'stopped' },
      on: {
        'xstate.done.actor.*': { actions: 'buryGroup', description: 'Every connection of the group rests.' },
      },
      after: { drainDeadline: { target: 'stopped' } },
    },
    stopped: {
      description: 'Over: every actor is stopped, and with it every socket, timer and listener.',
      type: 'final',
    },
  },
});

function initialContext({ intensity } = UNASKED): SupervisorContext {
  return { groups: [], made: 0, network: 'online', page: 'visible', drainMs: 0, intensity };
}

function drainedIdOf(event: { type: string }): string {
  return event.type.slice('xstate.done.actor.'.length);
}
