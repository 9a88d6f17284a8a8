import { assign, enqueueActions, fromCallback, setup, type EventObject } from 'xstate';

import { connectionMachine } from './connection.ts';
import {
  environmentAfter,
  type ConnectionEvent,
  type ConnectionInput,
  type Environment,
  type EnvironmentSignal,
} from './facts.ts';

export interface SupervisorContext extends Environment {
  /** Ids of the connections that have an actor, oldest first. */
  connections: string[];
  /** Those of them that are neither closed nor failed nor still unused. */
  active: string[];
  /** How long a drain may last, in ms. */
  drainMs: number;
}

export type SupervisorEvent =
  | { type: 'connection.requested'; input: Omit<ConnectionInput, keyof Environment> }
  | { type: 'connection.released'; id: string }
  | { type: 'connection.active' | 'connection.rested'; id: string }
  | { type: 'drain'; deadlineMs: number }
  | EnvironmentSignal;

/** The root actor of a service: spawns its connections, outlives their faults, and ends them in order. */
export const supervisorMachine = setup({
  types: {
    context: {} as SupervisorContext,
    events: {} as SupervisorEvent,
  },
  actors: {
    connection: connectionMachine,
    /** Listens to the platform for as long as it runs. The runtime provides it. */
    signals: fromCallback<EventObject>(() => undefined),
  },
  actions: {
    spawnConnection: enqueueActions(({ enqueue, context, event }) => {
      if (event.type !== 'connection.requested') return;
      const { network, page } = context;
      const { id } = event.input;
      enqueue.spawnChild('connection', { id: childIdOf(id), input: { ...event.input, network, page } });
      enqueue.assign({ connections: [...context.connections, id] });
    }),
    stopConnection: enqueueActions(({ enqueue, context, event }) => {
      if (event.type !== 'connection.released') return;
      enqueue.stopChild(childIdOf(event.id));
      enqueue.assign(without(context, event.id));
    }),
    /** XState leaves the children of a dead machine running; this disposes of what they hold. The runtime provides it. */
    disposeConnection: () => undefined,
    buryConnection: enqueueActions(({ enqueue, context, event }) => {
      const id = deadIdOf(event);
      enqueue.stopChild(childIdOf(id));
      enqueue.assign(without(context, id));
    }),
    noteActive: assign(({ context, event }) => ({
      active: 'id' in event && !context.active.includes(event.id) ? [...context.active, event.id] : context.active,
    })),
    noteRested: assign(({ context, event }) => ({
      active: 'id' in event ? context.active.filter((id) => id !== event.id) : context.active,
    })),
    noteSignal: assign(({ event }) => environmentAfter(event)),
    forwardSignal: enqueueActions(({ enqueue, context, event }) => {
      for (const id of context.connections) enqueue.sendTo(childIdOf(id), event);
    }),
    noteDrain: assign(({ event }) => (event.type === 'drain' ? { drainMs: event.deadlineMs } : {})),
    disconnectAll: enqueueActions(({ enqueue, context }) => {
      for (const id of context.connections) {
        enqueue.sendTo(childIdOf(id), {
          type: 'disconnect',
          code: 1000,
          reason: 'service destroyed',
        } satisfies ConnectionEvent);
      }
    }),
  },
  guards: {
    isNew: ({ context, event }) => 'input' in event && !context.connections.includes(event.input.id),
    isKnown: ({ context, event }) => 'id' in event && context.connections.includes(event.id),
    isQuiet: ({ context }) => context.active.length === 0,
  },
  delays: {
    drainDeadline: ({ context }) => context.drainMs,
  },
}).createMachine({
  id: 'supervisor',
  description: 'The root of a service: spawns its connections, outlives their faults, and ends them in order.',
  context: () => ({ connections: [], active: [], network: 'online', page: 'visible', drainMs: 0 }),
  options: { maxIterations: 100 },
  initial: 'running',
  on: {
    'connection.active': { guard: 'isKnown', actions: 'noteActive' },
    'connection.rested': { actions: 'noteRested' },
    'connection.released': { guard: 'isKnown', actions: 'stopConnection' },
    'xstate.error.actor.*': {
      actions: ['disposeConnection', 'buryConnection'],
      description: 'A fault of one connection stays its own.',
    },
  },
  states: {
    running: {
      description: 'Connections may be made.',
      initial: 'vacant',
      on: { drain: { target: 'draining', actions: 'noteDrain' } },
      states: {
        vacant: {
          description: 'No connection was asked for yet: nothing runs, nothing listens.',
          on: { 'connection.requested': { target: 'occupied', actions: 'spawnConnection' } },
        },
        occupied: {
          description: 'The platform is listened to on behalf of every connection.',
          invoke: { id: 'signals', src: 'signals' },
          on: {
            'connection.requested': { guard: 'isNew', actions: 'spawnConnection' },
            'network.online': { actions: ['noteSignal', 'forwardSignal'] },
            'network.offline': { actions: ['noteSignal', 'forwardSignal'] },
            'page.visible': { actions: ['noteSignal', 'forwardSignal'] },
            'page.hidden': { actions: ['noteSignal', 'forwardSignal'] },
            'page.frozen': { actions: ['noteSignal', 'forwardSignal'] },
            'system.woke': { actions: 'forwardSignal' },
          },
        },
      },
    },
    draining: {
      description: 'No connection is made any more; the open ones say goodbye, within a deadline.',
      entry: 'disconnectAll',
      always: { guard: 'isQuiet', target: 'stopped' },
      after: { drainDeadline: { target: 'stopped' } },
    },
    stopped: {
      description: 'Over: every actor is stopped, and with it every socket, timer and listener.',
      type: 'final',
    },
  },
});

function without(
  { connections, active }: SupervisorContext,
  id: string,
): Pick<SupervisorContext, 'connections' | 'active'> {
  return { connections: connections.filter((other) => other !== id), active: active.filter((other) => other !== id) };
}

/** The id of a connection's actor among the supervisor's children: no connection's name can be that of another child. */
export function childIdOf(connectionId: string): string {
  return `connection:${connectionId}`;
}

/** The id of the connection whose death an `xstate.error.actor.*` event tells of. */
export function deadIdOf(event: { type: string }): string {
  return event.type.slice('xstate.error.actor.connection:'.length);
}
