import type { ActorRefFrom } from 'xstate';

import type { ConnectionEmitted } from '../machines/facts.ts';
import { childIdOf, groupMachine, idIn } from '../machines/group.ts';
import { connectionLogic } from './connection.ts';
import { endOrphans } from './orphans.ts';
import type { ConnectionSnapshot } from './status.ts';
import { worldOf } from './world.ts';

/** A group of connections that can really be made. */
export const groupLogic = groupMachine.provide({
  actors: { connection: connectionLogic },
  actions: {
    disposeConnection: ({ event, self, system }) => {
      const dead = (self as GroupActor).getSnapshot().children[childIdOf(idIn(event))];
      if (dead) endOrphans(dead.getSnapshot().children);
      worldOf<unknown>(system).died(idIn(event), causeOf(event));
    },
    announceRestart: ({ event, system }) => {
      worldOf<unknown>(system).restarted(idIn(event), causeOf(event));
    },
    announceDeath: ({ event, system }) => {
      worldOf<unknown>(system).buried(idIn(event), causeOf(event));
    },
    escalate: ({ context, event, system }) => {
      worldOf<unknown>(system).escalated(idIn(event), causeOf(event), context.intensity);
    },
  },
});

/** The actor of one connection, as its group holds it. */
export type ConnectionActor = ActorRefFrom<typeof connectionLogic>;
/** The actor of a group. */
export type GroupActor = ActorRefFrom<typeof groupLogic>;

function causeOf(death: { type: string; error?: unknown }): unknown {
  return death.error;
}

/** Calls back after each turn of a connection's actor, with what it emitted in it. */
export function followTurns(
  actor: ConnectionActor,
  turn: (snapshot: ConnectionSnapshot, said: readonly ConnectionEmitted[]) => void,
): void {
  const said: ConnectionEmitted[] = [];
  actor.on('*', (emitted) => {
    said.push(emitted);
  });
  actor.subscribe({
    next: (snapshot) => {
      turn(snapshot, said.splice(0));
    },
    // its group is told as well
    error: () => undefined,
  });
}
