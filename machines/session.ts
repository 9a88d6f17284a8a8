import { assign, fromCallback, setup, type EventObject } from 'xstate';

/** Why a session is over, for the node that had it. */
export type SessionEnd =
  /** Nobody came back for it in time, or its store no longer has it. */
  | 'expired'
  /** The application ended it. */
  | 'closed'
  /** The client ended it. */
  | 'closed_by_peer'
  /** Another node has it now. */
  | 'taken_over'
  /** More was sent to it than its store keeps. */
  | 'overflow'
  /** This node leaves; the session lives on in its store. */
  | 'released';

export interface SessionInput {
  sid: string;
  /** Which owner of the session this is, from 1. */
  gen: number;
}

export interface SessionContext extends SessionInput {
  /** `null` until it is over. */
  why: SessionEnd | null;
}

/** Edges only: no message and no acknowledgement is ever an event. */
export type SessionEvent =
  /** A socket carries it from now on, a newer one than before. */
  | { type: 'socket.attached'; gen: number }
  /** The socket of this generation is gone. */
  | { type: 'socket.lost'; gen: number }
  /** The client has been sent everything that it had missed. */
  | { type: 'caughtUp' }
  /** The application ends the session. */
  | { type: 'close' }
  /** While closing: nothing is left unacknowledged. */
  | { type: 'settled' }
  /** The client said goodbye for good. */
  | { type: 'bye' }
  | { type: 'expired' | 'takenOver' | 'overflowed' | 'released' };

// a client that answers at all has acknowledged by then
const CLOSE_DEADLINE_MS = 5_000;

/** The life of a session at a server: it outlives its sockets, and ends once. What it carries is the runtime's. */
export const sessionMachine = setup({
  types: {
    context: {} as SessionContext,
    input: {} as SessionInput,
    events: {} as SessionEvent,
  },
  actors: {
    /** Carries messages over the socket of this generation for as long as it runs; says `caughtUp`. */
    traffic: fromCallback<EventObject, SessionInput>(() => undefined),
    /** Says `settled` once nothing is left unacknowledged. */
    settling: fromCallback<EventObject, SessionInput>(() => undefined),
  },
  actions: {
    adopt: assign({ gen: ({ context, event }) => ('gen' in event ? event.gen : context.gen) }),
    note: assign({ why: (_, { why }: { why: SessionEnd }) => why }),
    /** Tells the application that no socket has the session, or that one has it again. */
    reportDetached: () => undefined,
    reportResumed: () => undefined,
    /** Settles everything, says goodbye where anybody listens, and forgets the session. */
    finish: () => undefined,
  },
  guards: {
    isNewer: ({ context, event }) => 'gen' in event && event.gen > context.gen,
    isCurrent: ({ context, event }) => 'gen' in event && event.gen === context.gen,
  },
  delays: {
    closeDeadline: CLOSE_DEADLINE_MS,
  },
}).createMachine({
  id: 'session',
  description: 'The life of a session at a server. It outlives its sockets, and ends once.',
  context: ({ input }) => ({ sid: input?.sid ?? '', gen: input?.gen ?? 1, why: null }),
  options: { maxIterations: 100 },
  initial: 'attached',
  states: {
    attached: {
      description: 'A socket carries it.',
      invoke: { id: 'traffic', src: 'traffic', input: ({ context: { sid, gen } }) => ({ sid, gen }) },
      initial: 'replaying',
      on: {
        'socket.attached': {
          guard: 'isNewer',
          target: 'attached',
          reenter: true,
          actions: ['adopt', 'reportResumed'],
          description: 'The newer socket wins.',
        },
        'socket.lost': {
          guard: 'isCurrent',
          target: 'detached',
          description: 'What comes from an older socket is ignored.',
        },
        bye: { target: 'ended', actions: { type: 'note', params: { why: 'closed_by_peer' } } },
        expired: { target: 'ended', actions: { type: 'note', params: { why: 'expired' } } },
        takenOver: { target: 'ended', actions: { type: 'note', params: { why: 'taken_over' } } },
        overflowed: { target: 'ended', actions: { type: 'note', params: { why: 'overflow' } } },
        released: { target: 'ended', actions: { type: 'note', params: { why: 'released' } } },
      },
      states: {
        replaying: {
          description: 'What the client has not received goes first, in order and with its positions.',
          on: { caughtUp: { target: 'live' }, close: { target: 'closing' } },
        },
        live: {
          description: 'Messages leave as they come.',
          on: { close: { target: 'closing' } },
        },
        closing: {
          description: 'The application ends it: what was sent is to be acknowledged first.',
          invoke: { id: 'settling', src: 'settling', input: ({ context: { sid, gen } }) => ({ sid, gen }) },
          on: {
            settled: { target: '#session.ended', actions: { type: 'note', params: { why: 'closed' } } },
            'socket.lost': {
              guard: 'isCurrent',
              target: '#session.ended',
              actions: { type: 'note', params: { why: 'closed' } },
            },
            'socket.attached': {
              guard: 'isNewer',
              target: '#session.ended',
              actions: ['adopt', { type: 'note', params: { why: 'closed' } }],
              description: 'A client that comes back again and again would put the end off for ever.',
            },
          },
          after: {
            closeDeadline: { target: '#session.ended', actions: { type: 'note', params: { why: 'closed' } } },
          },
        },
      },
    },
    detached: {
      description: 'No socket carries it: it is kept for its time to live, which its store measures.',
      entry: 'reportDetached',
      on: {
        'socket.attached': { guard: 'isNewer', target: 'attached', actions: ['adopt', 'reportResumed'] },
        close: { target: 'ended', actions: { type: 'note', params: { why: 'closed' } } },
        expired: { target: 'ended', actions: { type: 'note', params: { why: 'expired' } } },
        takenOver: { target: 'ended', actions: { type: 'note', params: { why: 'taken_over' } } },
        overflowed: { target: 'ended', actions: { type: 'note', params: { why: 'overflow' } } },
        released: { target: 'ended', actions: { type: 'note', params: { why: 'released' } } },
      },
    },
    ended: {
      description: 'It is over, for the reason in the context.',
      type: 'final',
      entry: 'finish',
    },
  },
});
