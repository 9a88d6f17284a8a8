import type { ActorRefFrom } from 'xstate';

import { childIdOf, groupMachine, idIn } from '../machines/group.ts';
import { connectionLogic } from './connection.ts';
import { worldOf } from './world.ts';

/** A group of connections that can really be made. */
export const groupLogic = groupMachine.provide({
  actors: { connection: connectionLogic },
  actions: {
    disposeConnection: ({ event, self, system }) => {
      // the health of a dead machine lives on, and would watch the link of the next one too
      const dead = (self as GroupActor).getSnapshot().children[childIdOf(idIn(event))];
      dead?.getSnapshot().children['health']?.send({ type: 'watch', policy: null });
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
