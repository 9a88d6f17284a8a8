import type { RoundTripSummary } from './round-trips.ts';
import { fillOf, type Grade, type ScoreFacts } from './score.ts';

export type Severity = 'info' | 'warning' | 'critical';

/** What is advised on. */
export type AdviceId =
  | 'slow-round-trips'
  | 'unsteady-round-trips'
  | 'missed-pongs'
  | 'frequent-losses'
  | 'frequent-errors'
  | 'failed-attempts'
  | 'backlog-old'
  | 'queue-nearly-full'
  | 'messages-dropped'
  | 'down'
  | 'unmeasured'
  | 'performing-well';

/** Something to know or to do about a connection, and the measured value that is the reason. */
export interface Advice {
  id: AdviceId;
  severity: Severity;
  /** One or two sentences for a developer. */
  text: string;
  because: Because;
}

export interface Because {
  /** The name of what was measured, such as `p50Ms`. */
  measure: string;
  value: number;
  /** What the value is held against. */
  threshold: number;
  /** `ms`, `count` or `ratio`. */
  unit: string;
}

/** What advice is given on. */
export interface AdviceFacts extends ScoreFacts {
  roundTrips: RoundTripSummary | null;
  /** Messages that were accepted and are lost, of late: decayed like {@link ScoreFacts.troubles}. */
  dropped: number;
  /** How long the connection has been open, in ms; 0 while it is not. */
  openMs: number;
  /** How long a connection that is wanted has not been open, in ms; 0 while it is, or is not wanted. */
  downMs: number;
  /** Whether any form of ping is known, so that round trips can be measured. */
  canPing: boolean;
  grade: Grade;
  /** `null` while the connection has not been wanted. */
  uptimeRatio: number | null;
}

/** Three samples have a middle that one outlier does not move. */
const SLOW_MIN_SAMPLES = 3;
/** At four times what is slow, the latency score is 10: nobody can work like that. */
const VERY_SLOW_FACTOR = 4;
/** Differences below this are nothing that a person notices. */
const UNSTEADY_MS = 30;
/** Differences are held against the round trip itself: on a long way, some are natural. */
const UNSTEADY_RATIO = 0.5;
/** Four differences: with fewer, one slow sample looks like an unsteady link. */
const UNSTEADY_MIN_SAMPLES = 5;
/** The second within a half-life: one lost packet is no pattern. */
const MISSED_PONGS = 1.5;
/** Two at once, or three within minutes: most drops are one-off. */
const FREQUENT_LOSSES = 2;
/** Here stability is at 25. */
const CONSTANT_LOSSES = 4;
/** Three within minutes: something goes wrong again and again, and the connection stays. */
const FREQUENT_ERRORS = 3;
/** The retries of a restart that takes a few seconds stay below it. */
const FAILED_ATTEMPTS = 3;
/** A message that waits longer on an open connection is held up by more than a burst. */
export const OLD_BACKLOG_MS = 5_000;
/** A fifth of the queue is left for what comes next. */
export const NEARLY_FULL = 0.8;
/** Any message that is lost is worth knowing of: one alone is told for a half-life. */
const DROPPED = 0.5;
/** A retry or two of an ordinary drop take less. */
const DOWN_MS = 30_000;
/** By then, a connection that can be pinged has been. */
const UNMEASURED_MS = 60_000;
/** Enough round trips to say that all is well. */
const WELL_MIN_SAMPLES = 5;
/** A connection that was up for less of its time is not called well. */
const WELL_UPTIME = 0.99;

interface Rule {
  measure: string;
  unit: 'ms' | 'count' | 'ratio';
  /** What is measured; 0 where there is too little of it, or where it does not matter. */
  value(facts: AdviceFacts): number;
  threshold(facts: AdviceFacts): number;
  /** `null`: nothing is advised. */
  severity(value: number, threshold: number): Severity | null;
  text(value: number, threshold: number): string;
}

const above =
  (severity: Severity): Rule['severity'] =>
  (value, threshold) =>
    value > threshold ? severity : null;

const from =
  (severity: Severity): Rule['severity'] =>
  (value, threshold) =>
    value >= threshold ? severity : null;

const trouble: Readonly<Record<Exclude<AdviceId, 'performing-well'>, Rule>> = {
  down: {
    measure: 'downMs',
    unit: 'ms',
    value: ({ isOpen, downMs }) => (isOpen ? 0 : downMs),
    threshold: () => DOWN_MS,
    severity: above('critical'),
    text: (ms) =>
      `The connection has been down for ${seconds(ms)}. See its last error, and whether the server is running and can be reached.`,
  },
  'failed-attempts': {
    measure: 'failedAttempts',
    unit: 'count',
    value: ({ isOpen, troubles }) => (isOpen ? 0 : troubles.failedAttempts),
    threshold: () => FAILED_ATTEMPTS,
    severity: from('warning'),
    text: (count) =>
      `Attempts to connect fail, ${ofLate(count)}. Check the URL, the credentials and the server; the last error says how they failed.`,
  },
  'frequent-losses': {
    measure: 'losses',
    unit: 'count',
    value: ({ troubles }) => troubles.losses,
    threshold: () => FREQUENT_LOSSES,
    severity: (value) => (value >= CONSTANT_LOSSES ? 'critical' : value >= FREQUENT_LOSSES ? 'warning' : null),
    text: (count) =>
      `The connection is lost again and again, ${ofLate(count)}. Look at the close codes, at idle limits of proxies, and at restarts of the server.`,
  },
  'queue-nearly-full': {
    measure: 'fill',
    unit: 'ratio',
    value: ({ backlog }) => fillOf(backlog),
    threshold: () => NEARLY_FULL,
    severity: (value) => (value >= 1 ? 'critical' : value >= NEARLY_FULL ? 'warning' : null),
    text: (fill) =>
      fill >= 1
        ? 'The queue is full: further messages are refused, or others dropped for them. Send less while it drains, or raise its limits.'
        : `The queue is ${Math.floor(fill * 100)} % full; when it is full, messages are refused or dropped. Send less while it drains, or raise its limits.`,
  },
  'messages-dropped': {
    measure: 'dropped',
    unit: 'count',
    value: ({ dropped }) => dropped,
    threshold: () => DROPPED,
    severity: from('warning'),
    text: (count) =>
      `Messages are lost, ${ofLate(count)}; their errors say why. Where the queue is full, send less or raise its limits; where they expire, give them more time.`,
  },
  'backlog-old': {
    measure: 'oldestMs',
    unit: 'ms',
    value: ({ isOpen, backlog }) => (isOpen ? backlog.oldestMs : 0),
    threshold: () => OLD_BACKLOG_MS,
    severity: above('warning'),
    text: (ms) =>
      `The oldest message has waited for ${seconds(ms)} although the connection is open. The link or the server takes less than is sent: send less, or find out what is slow.`,
  },
  'slow-round-trips': {
    measure: 'p50Ms',
    unit: 'ms',
    value: (facts) => measured(facts, SLOW_MIN_SAMPLES)?.p50Ms ?? 0,
    threshold: ({ slowMs }) => slowMs,
    severity: (ms, slowMs) => (ms > slowMs ? (ms >= slowMs * VERY_SLOW_FACTOR ? 'critical' : 'warning') : null),
    text: (ms, slowMs) =>
      `Half of the round trips take ${number(ms)} ms or more; up to ${number(slowMs)} ms is fine. Connect to a nearer server, or see what keeps this one busy.`,
  },
  'unsteady-round-trips': {
    measure: 'jitterMs',
    unit: 'ms',
    value: (facts) => measured(facts, UNSTEADY_MIN_SAMPLES)?.jitterMs ?? 0,
    threshold: ({ roundTrips }) => Math.max(UNSTEADY_MS, (roundTrips?.smoothedMs ?? 0) * UNSTEADY_RATIO),
    severity: above('warning'),
    text: (ms, mostMs) =>
      `One round trip differs from the next by ${number(ms)} ms on average; up to ${number(mostMs)} ms is fine here. The network is crowded or weak, or one of the ends is busy.`,
  },
  'missed-pongs': {
    measure: 'missedPongs',
    unit: 'count',
    value: ({ troubles }) => troubles.missedPongs,
    threshold: () => MISSED_PONGS,
    severity: from('warning'),
    text: (count) =>
      `Pings are not answered in time, ${ofLate(count)}. The link stalls, or the server is too busy to answer.`,
  },
  'frequent-errors': {
    measure: 'errors',
    unit: 'count',
    value: ({ troubles }) => troubles.errors,
    threshold: () => FREQUENT_ERRORS,
    severity: from('warning'),
    text: (count) =>
      `Errors are told that do not end the connection, ${ofLate(count)}. The error history has their codes.`,
  },
  unmeasured: {
    measure: 'openMs',
    unit: 'ms',
    value: ({ isOpen, canPing, roundTrips, openMs }) => (isOpen && !canPing && !roundTrips ? openMs : 0),
    threshold: () => UNMEASURED_MS,
    severity: above('info'),
    text: () =>
      'Round trips cannot be measured: no form of ping is known for this wire. Set `heartbeat.ping`, or use a profile with `ping` and `isPong`.',
  },
};

const well: Rule = {
  measure: 'samples',
  unit: 'count',
  value: (facts) => (isWell(facts) ? (facts.roundTrips?.samples ?? 0) : 0),
  threshold: () => WELL_MIN_SAMPLES,
  severity: from('info'),
  text: (samples) =>
    `The connection performs well: ${number(samples)} round trips were measured, and nothing is wrong.`,
};

/**
 * What is advised for a connection, the most severe first. It depends on the facts alone, and is never about little traffic. Where nothing is
 * advised, too little is known to call the connection well.
 */
export function adviceOn(facts: AdviceFacts): Advice[] {
  const found = Object.entries(trouble).flatMap(([id, rule]) => advised(id as AdviceId, rule, facts));
  if (found.length === 0) return advised('performing-well', well, facts);
  return (['critical', 'warning', 'info'] as const).flatMap((severity) =>
    found.filter((advice) => advice.severity === severity),
  );
}

function advised(id: AdviceId, rule: Rule, facts: AdviceFacts): Advice[] {
  const value = plausible(rule.value(facts));
  const threshold = plausible(rule.threshold(facts));
  const severity = rule.severity(value, threshold);
  if (severity === null) return [];
  const { measure, unit } = rule;
  return [{ id, severity, text: rule.text(value, threshold), because: { measure, value, threshold, unit } }];
}

function measured({ roundTrips }: AdviceFacts, leastSamples: number): RoundTripSummary | null {
  return roundTrips && roundTrips.samples >= leastSamples ? roundTrips : null;
}

function isWell({ grade, hasEvidence, isOpen, uptimeRatio }: AdviceFacts): boolean {
  return hasEvidence && isOpen && grade === 'healthy' && (uptimeRatio === null || uptimeRatio >= WELL_UPTIME);
}

// what is no number is no reason to advise anything
function plausible(value: number): number {
  return value > 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : 0;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

// a decayed count is no whole number, and says so
function ofLate(count: number): string {
  return `${number(count)} of late (older ones count less)`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
