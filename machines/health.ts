import { assign, fromCallback, or, raise, sendTo, setup, stateIn, type EventObject } from 'xstate';

import { MAX_DELAY_MS } from '../src/core/backoff.ts';
import {
  isFine,
  isGood,
  isLessThanCritical,
  showsCritical,
  showsDegraded,
  showsHealthy,
  showsLessThanCritical,
  withSample,
  type Grade,
} from './grade.ts';

/** How a link is watched. All times in milliseconds. */
export interface HeartbeatPolicy {
  /** From the last proof of life to the next probe. */
  intervalMs: number;
  /** The same for the first probe of a link, and after a measurement that speaks against its grade; no more than `intervalMs`. */
  promptMs: number;
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
  /** Whether its quality is measured. */
  isGraded: boolean;
}

export interface HealthContext extends HealthInput {
  /** The last scores, oldest first. */
  recent: readonly number[];
  /** When the next probe is due: at once, for what is known is not enough or speaks against the grade; or in its time. */
  pace: 'prompt' | 'regular';
  /** The deadlines of the present doubt, where they are not the policy's. */
  urgency: Urgency | null;
}

/** How long a link that left something unanswered may stay silent after the probe. In milliseconds. */
export type Urgency = Pick<HeartbeatPolicy, 'lateMs' | 'timeoutMs'>;

export type HealthEvent =
  /** The link became doubtful for a reason outside it: the machine woke, the network changed. */
  | { type: 'probe' }
  /** A frame of any kind came in after the probe. */
  | { type: 'link.heard' }
  /** Something that the peer has to answer waits for it longer than the round trips so far explain. */
  | ({ type: 'link.unanswered' } & Urgency)
  /** So much was sent before the probe that its answer may take so much longer. */
  | { type: 'link.laden'; extraMs: number }
  /** Whether the quality of the link is to be measured from now on. */
  | { type: 'grading'; isGraded: boolean }
  /** Said by one half of the chart to the other: an answer is overdue; the next probe is due sooner. */
  | { type: 'link.missed' | 'link.hurried' }
  /** The link was measured: how good it is, 0 to 100. */
  | { type: 'sampled'; score: number }
  /** The same link is to be watched more often, or less. */
  | { type: 'pace'; policy: HeartbeatPolicy | null }
  /** A new link has taken the place of this one, with a policy of its own. */
  | { type: 'watch'; policy: HeartbeatPolicy | null };

/** What the health actor tells the connection that owns it. */
export type HealthEdge =
  | { type: 'health.late' | 'health.recovered' | 'health.dead' }
  /** The grade is no good one; said again with each measurement. */
  | { type: 'health.poor' }
  | { type: 'health.graded'; grade: Grade };

// the last part of the deadline: a turn of the event loop and some, in which frames that are there already are read
const GRACE_MS = 20;

/** Whether the link in use still answers, and how well. One actor for as long as there is one without interruption. */
export const healthMachine = setup({
  types: {
    context: {} as HealthContext,
    input: {} as HealthInput,
    events: {} as HealthEvent,
  },
  actors: {
    /** Sends a ping, then says `link.heard` at the first inbound frame. The runtime provides it. */
    probe: fromCallback<EventObject, { connectionId: string }>(() => undefined),
    /** Measures the link: says `sampled` and `link.unanswered`, and is told of each answer that is overdue. */
    gauge: fromCallback<{ type: 'missed' }, { connectionId: string }>(() => undefined),
  },
  actions: {
    takePolicy: assign(({ event }) => (event.type === 'watch' ? { policy: event.policy } : {})),
    takePace: assign(({ context, event }) =>
      event.type === 'pace' && event.policy && context.policy ? { policy: event.policy } : {},
    ),
    takeUrgency: assign(({ event }) => {
      if (event.type !== 'link.unanswered') return {};
      const { lateMs, timeoutMs } = event;
      return { urgency: { lateMs, timeoutMs } };
    }),
    takeLoad: assign(({ context, event }) =>
      event.type === 'link.laden' ? { urgency: laden(deadlinesOf(context), event.extraMs) } : {},
    ),
    takeGrading: assign(({ event }) => (event.type === 'grading' ? { isGraded: event.isGraded, recent: [] } : {})),
    calm: assign({ urgency: null }),
    settlePace: assign({ pace: 'regular' }),
    hurry: assign({ pace: 'prompt' }),
    beginAnew: assign({ recent: [], pace: 'prompt', urgency: null }),
    keepSample: assign(({ context, event }) =>
      event.type === 'sampled' ? { recent: withSample(context.recent, event.score) } : {},
    ),
    sayHurried: raise({ type: 'link.hurried' }),
    noteMissed: raise({ type: 'link.missed' }),
    tellMissed: sendTo('gauge', { type: 'missed' }),
    reportLate: sendTo(({ self }) => self._parent ?? self, { type: 'health.late' } satisfies HealthEdge),
    reportRecovered: sendTo(({ self }) => self._parent ?? self, { type: 'health.recovered' } satisfies HealthEdge),
    reportDead: sendTo(({ self }) => self._parent ?? self, { type: 'health.dead' } satisfies HealthEdge),
    reportPoor: sendTo(({ self }) => self._parent ?? self, { type: 'health.poor' } satisfies HealthEdge),
    reportGrade: sendTo(
      ({ self }) => self._parent ?? self,
      (_, { grade }: { grade: Grade }) => ({ type: 'health.graded', grade }) satisfies HealthEdge,
    ),
  },
  guards: {
    canProbe: ({ context }) => context.policy !== null,
    isStillGraded: ({ event }) => event.type === 'grading' && event.isGraded,
    isGraded: ({ context }) => context.isGraded,
    isPoor: or([stateIn('#health.grade.graded.degraded'), stateIn('#health.grade.graded.critical')]),
    isFine: ({ event }) => event.type === 'sampled' && isFine(event.score),
    isGood: ({ event }) => event.type === 'sampled' && isGood(event.score),
    isBetter: ({ event }) => event.type === 'sampled' && isLessThanCritical(event.score),
    showsHealthy: ({ context, event }) => event.type === 'sampled' && showsHealthy(context.recent, event.score),
    showsDegraded: ({ context, event }) => event.type === 'sampled' && showsDegraded(context.recent, event.score),
    showsCritical: ({ context, event }) => event.type === 'sampled' && showsCritical(context.recent, event.score),
    showsLessThanCritical: ({ context, event }) =>
      event.type === 'sampled' && showsLessThanCritical(context.recent, event.score),
  },
  delays: {
    interval: ({ context: { policy, pace } }) => (policy ? waitOf(policy, pace) : 25_000),
    late: ({ context }) => deadlinesOf(context).lateMs,
    dead: ({ context }) => {
      const { lateMs, timeoutMs } = deadlinesOf(context);
      return Math.max(0, timeoutMs - lateMs - GRACE_MS);
    },
    grace: GRACE_MS,
  },
}).createMachine({
  id: 'health',
  description: 'Whether one physical link still answers, and how well.',
  context: ({ input }) => ({
    connectionId: input?.connectionId ?? '',
    policy: input?.policy ?? null,
    isGraded: input?.isGraded ?? false,
    recent: [],
    pace: 'prompt',
    urgency: null,
  }),
  options: { maxIterations: 100 },
  type: 'parallel',
  states: {
    heartbeat: {
      description: 'Whether it still answers.',
      initial: 'deciding',
      on: {
        watch: {
          target: '.deciding',
          actions: ['takePolicy', 'beginAnew'],
          description: 'A new link has answered just now.',
        },
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
            'link.unanswered': {
              target: 'doubted',
              actions: 'takeUrgency',
              description:
                'Silence while the peer owes an answer: do not wait for the interval, nor as long as otherwise.',
            },
            pace: { target: 'quiet', reenter: true, actions: 'takePace' },
            'link.hurried': { target: 'quiet', reenter: true, description: 'The next probe is due sooner.' },
          },
          after: { interval: { target: 'doubted' } },
        },
        doubted: {
          description: 'A probe is out. Any inbound frame ends the doubt.',
          invoke: { id: 'probe', src: 'probe', input: ({ context }) => ({ connectionId: context.connectionId }) },
          entry: 'settlePace',
          exit: 'calm',
          initial: 'probing',
          on: { 'link.heard': { target: 'quiet' } },
          states: {
            probing: {
              description: 'The answer is not overdue yet.',
              on: {
                'link.laden': {
                  target: 'probing',
                  reenter: true,
                  actions: 'takeLoad',
                  description: 'The probe is behind what was sent before it, which takes its time.',
                },
                'link.unanswered': {
                  target: 'probing',
                  reenter: true,
                  actions: 'takeUrgency',
                  description: 'The probe is out already; its deadline is a shorter one now.',
                },
              },
              after: { late: { target: 'late', actions: ['noteMissed', 'reportLate'] } },
            },
            late: {
              description: 'The answer is overdue: the connection is degraded, not yet given up.',
              on: {
                'link.unanswered': {
                  target: 'late',
                  reenter: true,
                  actions: 'takeUrgency',
                  description: 'Something is owed as well by now: it is not waited for as long as otherwise.',
                },
                'link.heard': [
                  { guard: 'isPoor', target: '#health.heartbeat.quiet', description: 'It answers, and not well.' },
                  { target: '#health.heartbeat.quiet', actions: 'reportRecovered' },
                ],
              },
              after: { dead: { target: 'overdue' } },
            },
            overdue: {
              description:
                'The deadline is here, but its timer may be late itself: what lies in the socket is read first.',
              on: {
                'link.heard': [
                  { guard: 'isPoor', target: '#health.heartbeat.quiet', description: 'It answers, and not well.' },
                  { target: '#health.heartbeat.quiet', actions: 'reportRecovered' },
                ],
              },
              after: { grace: { target: '#health.heartbeat.dead' } },
            },
          },
        },
        dead: {
          description: 'Nothing came within the deadline: the connection abandons this link.',
          entry: 'reportDead',
          on: { watch: { description: 'It is given up already.' }, pace: { description: 'It is given up already.' } },
        },
      },
    },
    grade: {
      description: 'How well it answers, by its last measurements: one of them changes little.',
      initial: 'deciding',
      states: {
        deciding: {
          description: 'Passed through at the start: is it measured at all?',
          always: [{ guard: 'isGraded', target: 'graded' }, { target: 'ungraded' }],
        },
        ungraded: {
          description: 'Nobody measures it.',
          on: { grading: { target: 'deciding', actions: 'takeGrading' } },
        },
        graded: {
          description: 'It is measured.',
          invoke: { id: 'gauge', src: 'gauge', input: ({ context }) => ({ connectionId: context.connectionId }) },
          initial: 'unknown',
          on: {
            watch: {
              target: '.unknown',
              actions: { type: 'reportGrade', params: { grade: 'unknown' } },
              description: 'Nothing is known of the new link.',
            },
            'link.missed': { actions: 'tellMissed' },
            grading: [
              { guard: 'isStillGraded', description: 'It is measured already.' },
              {
                target: 'deciding',
                actions: ['takeGrading', { type: 'reportGrade', params: { grade: 'unknown' } }, 'reportRecovered'],
                description: 'Nothing more will be known: what is known is no reason any more.',
              },
            ],
          },
          states: {
            unknown: {
              description: 'Too little is known.',
              on: {
                watch: { description: 'Nor is anything known of the new link.' },
                sampled: [
                  { guard: 'showsCritical', target: 'critical', actions: ['keepSample', 'reportPoor'] },
                  { guard: 'showsDegraded', target: 'degraded', actions: ['keepSample', 'reportPoor'] },
                  { guard: 'isFine', target: 'healthy', actions: 'keepSample' },
                  { actions: ['keepSample', 'hurry', 'sayHurried'] },
                ],
              },
            },
            healthy: {
              description: 'Most of the last measurements are good.',
              entry: { type: 'reportGrade', params: { grade: 'healthy' } },
              on: {
                sampled: [
                  { guard: 'showsCritical', target: 'critical', actions: ['keepSample', 'reportPoor'] },
                  { guard: 'showsDegraded', target: 'degraded', actions: ['keepSample', 'reportPoor'] },
                  { guard: 'isFine', actions: 'keepSample' },
                  {
                    actions: ['keepSample', 'hurry', 'sayHurried'],
                    description: 'Whether it is a moment only shows soon.',
                  },
                ],
              },
            },
            degraded: {
              description: 'Most of the last measurements are poor: the connection is degraded.',
              entry: { type: 'reportGrade', params: { grade: 'degraded' } },
              on: {
                sampled: [
                  { guard: 'showsCritical', target: 'critical', actions: ['keepSample', 'reportPoor'] },
                  { guard: 'showsHealthy', target: 'healthy', actions: ['keepSample', 'reportRecovered'] },
                  { guard: 'isGood', actions: ['keepSample', 'hurry', 'sayHurried', 'reportPoor'] },
                  { actions: ['keepSample', 'reportPoor'] },
                ],
              },
            },
            critical: {
              description: 'Most of the last measurements are bad: the connection is degraded, and hardly of use.',
              entry: { type: 'reportGrade', params: { grade: 'critical' } },
              on: {
                sampled: [
                  { guard: 'showsHealthy', target: 'healthy', actions: ['keepSample', 'reportRecovered'] },
                  { guard: 'showsLessThanCritical', target: 'degraded', actions: ['keepSample', 'reportPoor'] },
                  { guard: 'isBetter', actions: ['keepSample', 'hurry', 'sayHurried', 'reportPoor'] },
                  { actions: ['keepSample', 'reportPoor'] },
                ],
              },
            },
          },
        },
      },
    },
  },
});

function waitOf({ intervalMs, promptMs }: HeartbeatPolicy, pace: HealthContext['pace']): number {
  return pace === 'prompt' ? Math.min(promptMs, intervalMs) : intervalMs;
}

function laden({ lateMs, timeoutMs }: Urgency, extraMs: number): Urgency {
  return { lateMs: Math.min(MAX_DELAY_MS, lateMs + extraMs), timeoutMs: Math.min(MAX_DELAY_MS, timeoutMs + extraMs) };
}

function deadlinesOf({ urgency, policy }: HealthContext): Urgency {
  return urgency ?? policy ?? { lateMs: 2_500, timeoutMs: 10_000 };
}
