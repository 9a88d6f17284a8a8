import { fromCallback, sendTo, setup, type EventObject } from 'xstate';

/** Whose messages these are. */
export interface OutboxInput {
  connectionId: string;
}

/** Edges only: neither a message nor a flush is ever an event. */
export type OutboxEvent =
  /** A transport can be written to, or no longer can. */
  | { type: 'attached' | 'detached' }
  /** The socket's buffer rose over the high water mark, or fell to the low one. */
  | { type: 'congested' | 'relieved' }
  /** There was no room for a message, for the first time since half of it was free. */
  | { type: 'overflowed' }
  /** While draining: nothing waits any more. */
  | { type: 'emptied' }
  /** The application holds its messages back, or lets them go. */
  | { type: 'pause' | 'resume' }
  /** What waits is to leave before the connection closes. */
  | { type: 'drain' };

/** What the outbox tells the connection that owns it. */
export interface OutboxEdge {
  type: 'outbox.congested' | 'outbox.relieved' | 'outbox.overflowed' | 'outbox.emptied';
}

/** In which modes messages leave. The messages themselves are the runtime's: the chart knows edges, not even counts. */
export const outboxMachine = setup({
  types: {
    context: {} as OutboxInput,
    input: {} as OutboxInput,
    events: {} as OutboxEvent,
  },
  actors: {
    /** Lets messages leave for as long as it runs; says `congested`. */
    flow: fromCallback<EventObject, OutboxInput>(() => undefined),
    /** The same before a close; says `emptied` as well. */
    outflow: fromCallback<EventObject, OutboxInput>(() => undefined),
    /** Says `relieved` when the socket's buffer has fallen to the low water mark. */
    gauge: fromCallback<EventObject, OutboxInput>(() => undefined),
    /** Says `overflowed` when the queue has no room. */
    watch: fromCallback<EventObject, OutboxInput>(() => undefined),
  },
  actions: {
    report: sendTo(
      ({ self }) => self._parent ?? self,
      (_, { edge }: { edge: OutboxEdge['type'] }): OutboxEdge => ({ type: edge }),
    ),
  },
}).createMachine({
  id: 'outbox',
  description: 'In which modes messages leave. No message and no flush is an event.',
  context: ({ input }) => ({ connectionId: input?.connectionId ?? '' }),
  options: { maxIterations: 100 },
  invoke: { id: 'watch', src: 'watch', input: ({ context }) => context },
  initial: 'detached',
  on: {
    overflowed: { actions: { type: 'report', params: { edge: 'outbox.overflowed' } } },
  },
  states: {
    detached: {
      description: 'There is no socket to write to: messages wait.',
      initial: 'free',
      states: {
        free: {
          description: 'They leave as soon as there is one.',
          on: { attached: { target: '#outbox.attached' }, pause: { target: 'held' } },
        },
        held: {
          description: 'The application holds them back, whether there is one or not.',
          on: { attached: { target: '#outbox.attached.paused' }, resume: { target: 'free' } },
        },
      },
    },
    attached: {
      description: 'A socket can be written to.',
      initial: 'flowing',
      on: { detached: { target: '#outbox.detached' } },
      states: {
        flowing: {
          description: 'Messages leave at the end of each turn.',
          invoke: { id: 'flow', src: 'flow', input: ({ context }) => context },
          on: { congested: { target: 'congested' }, pause: { target: 'paused' }, drain: { target: 'draining' } },
        },
        congested: {
          description: "The socket's buffer is over the high water mark: nothing is added to it.",
          entry: { type: 'report', params: { edge: 'outbox.congested' } },
          exit: { type: 'report', params: { edge: 'outbox.relieved' } },
          invoke: { id: 'gauge', src: 'gauge', input: ({ context }) => context },
          on: {
            relieved: { target: 'flowing' },
            pause: { target: 'paused' },
            drain: { target: '#outbox.attached.draining.clogged' },
          },
        },
        paused: {
          description: 'The application holds its messages back.',
          on: {
            resume: { target: 'flowing' },
            drain: { target: 'draining' },
            detached: { target: '#outbox.detached.held' },
          },
        },
        draining: {
          description: 'The connection is about to close: what waits leaves first, held back or not.',
          initial: 'pouring',
          states: {
            pouring: {
              description: 'Messages leave.',
              invoke: { id: 'outflow', src: 'outflow', input: ({ context }) => context },
              on: { congested: { target: 'clogged' }, emptied: { target: 'drained' } },
            },
            clogged: {
              description: "The socket's buffer is over the high water mark.",
              invoke: { id: 'gauge', src: 'gauge', input: ({ context }) => context },
              on: { relieved: { target: 'pouring' } },
            },
            drained: {
              description: 'Everything that waited has left; nothing follows on this socket.',
              entry: { type: 'report', params: { edge: 'outbox.emptied' } },
            },
          },
        },
      },
    },
  },
});
