import { assign, fromCallback, sendTo, setup, type EventObject } from 'xstate';

/** How a link is watched. All times in milliseconds. */
export interface HeartbeatPolicy {
  /** From the last proof of life to the next probe. */
  intervalMs: number;
  /** From the probe to calling the link late. */
  lateMs: number;
  /** From the probe to calling the link dead; more than `lateMs`. */
  timeoutMs: number;
}

export interface HealthInput {
  /** The connection whose link is watched. */
  connectionId: string;
  /** `null` when the link cannot be probed, because no form of ping is known for it. */
  policy: HeartbeatPolicy | null;
}

export type HealthEvent =
  /** The link became doubtful for a reason outside it: the machine woke, the network changed. */
  | { type: 'probe' }
  /** A frame of any kind came in after the probe. */
  | { type: 'link.heard' }
  /** The same link is to be watched more often, or less. */
  | { type: 'pace'; policy: HeartbeatPolicy | null }
  /** A new link has taken the place of this one, with a policy of its own. */
  | { type: 'watch'; policy: HeartbeatPolicy | null };

/** What the health actor tells the connection that owns it. */
export type HealthEdge = { type: 'health.late' } | { type: 'health.recovered' } | { type: 'health.dead' };

// the last part of the deadline: a turn of the event loop and some, in which frames that are there already are read
const GRACE_MS = 20;

/** Whether the link in use still answers. One actor for as long as there is one without interruption. */
export const healthMachine = setup({
  types: {
    context: {} as HealthInput,
    input: {} as HealthInput,
    events: {} as HealthEvent,
  },
  actors: {
    /** Sends a ping, then says `link.heard` at the first inbound frame. The runtime provides it. */
    probe: fromCallback<EventObject, { connectionId: string }>(() => undefined),
  },
  actions: {
    takePolicy: assign(({ event }) => (event.type === 'watch' ? { policy: event.policy } : {})),
    takePace: assign(({ context, event }) =>
      event.type === 'pace' && event.policy && context.policy ? { policy: event.policy } : {},
    ),
    reportLate: sendTo(({ self }) => self._parent ?? self, { type: 'health.late' } satisfies HealthEdge),
    reportRecovered: sendTo(({ self }) => self._parent ?? self, { type: 'health.recovered' } satisfies HealthEdge),
    reportDead: sendTo(({ self }) => self._parent ?? self, { type: 'health.dead' } satisfies HealthEdge),
  },
  guards: {
    canProbe: ({ context }) => context.policy !== null,
  },
  delays: {
    interval: ({ context }) => context.policy?.intervalMs ?? 25_000,
    late: ({ context }) => context.policy?.lateMs ?? 2_500,
    dead: ({ context: { policy } }) => (policy ? Math.max(0, policy.timeoutMs - policy.lateMs - GRACE_MS) : 7_500),
    grace: GRACE_MS,
  },
}).createMachine({
  id: 'health',
  description: 'Whether one physical link still answers.',
  context: ({ input }) => ({ connectionId: input?.connectionId ?? '', policy: input?.policy ?? null }),
  options: { maxIterations: 100 },
  initial: 'deciding',
  on: {
    watch: { target: '.deciding', actions: 'takePolicy', description: 'A new link has answered just now.' },
    pace: { actions: 'takePace', description: 'For the next wait; a deadline that runs is kept.' },
  },
  states: {
    deciding: {
      description: 'Passed through at the start of a link: can it be probed at all?',
      always: [{ guard: 'canProbe', target: 'quiet' }, { target: 'unwatched' }],
    },
    unwatched: {
      description: 'No form of ping is known for this link, so silence proves nothing.',
    },
    quiet: {
      description: 'The link answered; the next probe is scheduled from that moment.',
      on: {
        probe: { target: 'doubted', description: 'Do not wait for the interval.' },
        pace: { target: 'quiet', reenter: true, actions: 'takePace' },
      },
      after: { interval: { target: 'doubted' } },
    },
    doubted: {
      description: 'A probe is out. Any inbound frame ends the doubt.',
      invoke: { id: 'probe', src: 'probe', input: ({ context }) => ({ connectionId: context.connectionId }) },
      initial: 'probing',
      on: { 'link.heard': { target: 'quiet' } },
      states: {
        probing: {
          description: 'The answer is not overdue yet.',
          after: { late: { target: 'late' } },
        },
        late: {
          description: 'The answer is overdue: the connection is degraded, not yet given up.',
          entry: 'reportLate',
          on: { 'link.heard': { target: '#health.quiet', actions: 'reportRecovered' } },
          after: { dead: { target: 'overdue' } },
        },
        overdue: {
          description: 'The deadline is here, but its timer may be late itself: what lies in the socket is read first.',
          on: { 'link.heard': { target: '#health.quiet', actions: 'reportRecovered' } },
          after: { grace: { target: '#health.dead' } },
        },
      },
    },
    dead: {
      description: 'Nothing came within the deadline: the connection abandons this link.',
      entry: 'reportDead',
      on: { watch: { description: 'It is given up already.' }, pace: { description: 'It is given up already.' } },
    },
  },
});
