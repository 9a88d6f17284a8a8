import { assign, enqueueActions, sendTo, setup } from 'xstate';

import { connectionMachine } from './connection.ts';
import {
  environmentAfter,
  type ConnectionEvent,
  type ConnectionInput,
  type Environment,
  type EnvironmentSignal,
} from './facts.ts';

/** How often an actor that dies is replaced: so many times within so many ms. */
export interface RestartIntensity {
  most: number;
  withinMs: number;
}

/** How often that is when nothing else is said. */
export const DEFAULT_INTENSITY: RestartIntensity = { most: 3, withinMs: 60_000 };

/** What a connection is made with; of its surroundings its group knows. */
export type ConnectionSeed = Omit<ConnectionInput, keyof Environment>;

export interface GroupInput extends Environment {
  id: string;
  intensity: RestartIntensity;
}

/** A connection that has an actor. */
export interface GroupMember {
  input: ConnectionSeed;
  /** `active`: neither closed nor failed nor still unused. */
  use: 'active' | 'resting';
  /** How often its actor has been replaced, within the time that counts. */
  restarts: number;
}

export interface GroupContext extends GroupInput {
  /** Oldest first. */
  members: GroupMember[];
}

export type GroupEvent =
  | { type: 'connection.requested'; input: ConnectionSeed }
  | { type: 'connection.released'; id: string }
  | { type: 'connection.active' | 'connection.rested'; id: string }
  | { type: 'restart.forgotten'; id: string }
  | { type: 'drain' }
  | { type: `xstate.error.actor.connection:${string}`; error: unknown }
  | EnvironmentSignal;

/** What a group tells its supervisor: a place in it is free. */
export interface PlaceVacated {
  type: 'place.vacated';
  group: string;
}

// a chart that is only looked at has no input
const UNNAMED: GroupInput = { id: 'group', intensity: DEFAULT_INTENSITY, network: 'online', page: 'visible' };

/**
 * A few of the connections of a service: spawns them, and replaces those that die. What a machine's children cost grows with the
 * square of their number, so that many connections hang in many groups.
 */
export const groupMachine = setup({
  types: {
    context: {} as GroupContext,
    input: {} as GroupInput,
    events: {} as GroupEvent,
  },
  actors: { connection: connectionMachine },
  actions: {
    spawnConnection: enqueueActions(({ enqueue, context: { members, network, page }, event }) => {
      if (event.type !== 'connection.requested') return;
      const { input } = event;
      enqueue.spawnChild('connection', { id: childIdOf(input.id), input: { ...input, network, page } });
      enqueue.assign({ members: [...members, { input, use: 'resting', restarts: 0 }] });
    }),
    stopConnection: enqueueActions(({ enqueue, context: { members }, event }) => {
      const id = idIn(event);
      enqueue.stopChild(childIdOf(id));
      enqueue.assign({ members: members.filter(({ input }) => input.id !== id) });
    }),
    vacatePlace: sendTo(
      ({ self }) => self._parent ?? self,
      ({ context }): PlaceVacated => ({ type: 'place.vacated', group: context.id }),
    ),
    /** XState leaves the children of a dead machine running; this disposes of what they hold. The runtime provides it. */
    disposeConnection: () => undefined,
    restartConnection: enqueueActions(({ enqueue, context: { members, network, page }, event }) => {
      const id = idIn(event);
      const member = members.find(({ input }) => input.id === id);
      if (!member) return;
      enqueue.stopChild(childIdOf(id));
      enqueue.spawnChild('connection', { id: childIdOf(id), input: { ...member.input, network, page } });
      enqueue.assign({ members: changed(members, id, { use: 'resting', restarts: member.restarts + 1 }) });
      enqueue.raise({ type: 'restart.forgotten', id }, { delay: 'restartWindow' });
    }),
    forgetRestart: assign(({ context: { members }, event }) => {
      const id = idIn(event);
      const { restarts = 0 } = members.find(({ input }) => input.id === id) ?? {};
      return { members: changed(members, id, { restarts: Math.max(0, restarts - 1) }) };
    }),
    /** A dead actor has been replaced. The runtime provides it. */
    announceRestart: () => undefined,
    /** A dead actor has not been replaced. The runtime provides it. */
    announceDeath: () => undefined,
    /** One connection has died too often: whoever is responsible for the service is told. The runtime provides it. */
    escalate: () => undefined,
    noteActive: assign({ members: ({ context, event }) => changed(context.members, idIn(event), { use: 'active' }) }),
    noteRested: assign({ members: ({ context, event }) => changed(context.members, idIn(event), { use: 'resting' }) }),
    noteSignal: assign(({ event }) => environmentAfter(event)),
    forwardSignal: enqueueActions(({ enqueue, context, event }) => {
      for (const { input } of context.members) enqueue.sendTo(childIdOf(input.id), event);
    }),
    disconnectAll: enqueueActions(({ enqueue, context }) => {
      for (const { input } of context.members) {
        enqueue.sendTo(childIdOf(input.id), {
          type: 'disconnect',
          code: 1000,
          reason: 'service destroyed',
        } satisfies ConnectionEvent);
      }
    }),
  },
  guards: {
    isNew: ({ context, event }) => 'input' in event && !isMember(context, event.input.id),
    isKnown: ({ context, event }) => isMember(context, idIn(event)),
    mayRestart: ({ context: { members, intensity }, event }) => {
      const id = idIn(event);
      return members.some(({ input, restarts }) => input.id === id && restarts < intensity.most);
    },
    isQuiet: ({ context }) => context.members.every(({ use }) => use === 'resting'),
  },
  delays: {
    restartWindow: ({ context }) => context.intensity.withinMs,
  },
}).createMachine({
  id: 'group',
  description: 'A few of the connections of a service: spawns them, replaces those that die, and ends them in order.',
  context: ({ input }) => initialContext(input),
  options: { maxIterations: 100 },
  initial: 'running',
  on: {
    'connection.active': { guard: 'isKnown', actions: 'noteActive' },
    'connection.rested': { guard: 'isKnown', actions: 'noteRested' },
    'connection.released': { guard: 'isKnown', actions: ['stopConnection', 'vacatePlace'] },
    'restart.forgotten': { guard: 'isKnown', actions: 'forgetRestart' },
  },
  states: {
    running: {
      description: 'Connections may be made.',
      on: {
        'connection.requested': [
          { guard: 'isNew', actions: 'spawnConnection' },
          { actions: 'vacatePlace', description: 'It is here already: the place that was kept for it is free.' },
        ],
        'network.online': { actions: ['noteSignal', 'forwardSignal'] },
        'network.offline': { actions: ['noteSignal', 'forwardSignal'] },
        'page.visible': { actions: ['noteSignal', 'forwardSignal'] },
        'page.hidden': { actions: ['noteSignal', 'forwardSignal'] },
        'page.frozen': { actions: ['noteSignal', 'forwardSignal'] },
        'system.woke': { actions: 'forwardSignal' },
        'xstate.error.actor.*': [
          {
            guard: 'mayRestart',
            actions: ['disposeConnection', 'restartConnection', 'announceRestart'],
            description: 'A fault of one connection stays its own: it gets another actor.',
          },
          {
            actions: ['disposeConnection', 'stopConnection', 'announceDeath', 'escalate', 'vacatePlace'],
            description: 'What dies again and again is not mended by another actor.',
          },
        ],
        drain: { target: 'draining' },
      },
    },
    draining: {
      description: 'No connection is made any more; the open ones say goodbye.',
      entry: 'disconnectAll',
      always: { guard: 'isQuiet', target: 'drained' },
      on: {
        'xstate.error.actor.*': { actions: ['disposeConnection', 'stopConnection', 'announceDeath'] },
      },
    },
    drained: {
      description: 'Over: every connection of the group rests.',
      type: 'final',
    },
  },
});

function initialContext(input = UNNAMED): GroupContext {
  return { ...input, members: [] };
}

function isMember({ members }: GroupContext, id: string): boolean {
  return members.some(({ input }) => input.id === id);
}

function changed(members: readonly GroupMember[], id: string, change: Partial<GroupMember>): GroupMember[] {
  return members.map((member) => (member.input.id === id ? { ...member, ...change } : member));
}

/** The id of a connection's actor among its group's children: no connection's name can be that of another child. */
export function childIdOf(connectionId: string): string {
  return `connection:${connectionId}`;
}

/** The id of the connection that an event speaks of, or whose death an `xstate.error.actor.*` event tells of. */
export function idIn(event: { type: string }): string {
  return 'id' in event ? String(event.id) : event.type.slice('xstate.error.actor.connection:'.length);
}
