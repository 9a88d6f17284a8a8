import { createActor, fromCallback, type Actor, type EventObject } from 'xstate';

import { sessionMachine, type SessionEnd, type SessionEvent, type SessionInput } from '../../machines/session.ts';
import type { StoreClock } from './clock.ts';

/** What the chart of a session acts upon. */
export interface SessionWorks {
  /** Carries messages over the newest socket until the returned function is called. */
  startTraffic(caughtUp: () => void): () => void;
  /** Calls back once nothing is left unacknowledged. @returns Takes that back. */
  onceSettled(settled: () => void): () => void;
  reportDetached(): void;
  reportResumed(): void;
  /** The session is over. Called once. */
  finish(why: SessionEnd): void;
}

// by actor system: every session is the root of its own
const works = new WeakMap<object, SessionWorks>();

/** The session machine with what it works on. */
export const sessionLogic = sessionMachine.provide({
  actors: {
    traffic: fromCallback<EventObject, SessionInput>(({ system, sendBack }) =>
      worksOf(system).startTraffic(() => {
        sendBack({ type: 'caughtUp' } satisfies SessionEvent);
      }),
    ),
    settling: fromCallback<EventObject, SessionInput>(({ system, sendBack }) =>
      worksOf(system).onceSettled(() => {
        sendBack({ type: 'settled' } satisfies SessionEvent);
      }),
    ),
  },
  actions: {
    reportDetached: ({ system }) => {
      worksOf(system).reportDetached();
    },
    reportResumed: ({ system }) => {
      worksOf(system).reportResumed();
    },
    finish: ({ system, context }) => {
      worksOf(system).finish(context.why ?? 'released');
    },
  },
});

/** A session's life, not started yet: what it is told before waits until it is. */
export function sessionActor(input: SessionInput, clock: StoreClock, ports: SessionWorks): Actor<typeof sessionLogic> {
  const actor = createActor(sessionLogic, { input, clock: timersOf(clock) });
  works.set(actor.system, ports);
  // an actor without an observer of its errors throws them at the process
  actor.subscribe({ error: () => undefined });
  return actor;
}

function worksOf(system: object): SessionWorks {
  const ports = works.get(system);
  if (!ports) throw new Error('No session is bound to this actor system.');
  return ports;
}

// XState hands a timer back as it got it
function timersOf(clock: StoreClock) {
  return {
    setTimeout: (fire: () => void, ms: number) => clock.setTimeout(fire, ms),
    clearTimeout: (timer: unknown) => {
      clock.clearTimeout(timer);
    },
  };
}
