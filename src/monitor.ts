import type { ConnectionStateName } from '../machines/facts.ts';
import type { HealthEvent, Urgency } from '../machines/health.ts';
import type { AdviceFacts } from './core/advice.ts';
import { Rates, type Totals } from './core/rates.ts';
import { RoundTrips, type RoundTripSummary } from './core/round-trips.ts';
import { gradeOf, isFine, worse } from '../machines/grade.ts';
import {
  latencyScore,
  scoresOf,
  stabilityScore,
  type Grade,
  type ScoreFacts,
  type ScorePart,
  type Scores,
} from './core/score.ts';
import { StateTimes } from './core/state-times.ts';
import { Trend } from './core/trend.ts';
import type { HoldfastError } from './errors.ts';
import type { Emit, EventSource, ServiceEvents } from './events.ts';
import { Findings } from './findings.ts';
import type { HealthInfo, HealthTrend, Recommendation } from './health-info.ts';
import { utf8Bytes } from './protocol/codec.ts';
import type { OutboxLoad } from './fates.ts';
import { Troubles } from './troubles.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';
import type { FrameData, WireData } from './transport/transport.ts';

export interface MonitorOptions {
  source: EventSource;
  clock: Clock;
  /** What scores are held against. */
  limits: () => { slowMs: number; maxMessages: number; maxBytes: number };
  /** How far back trend and uptime go, in ms. */
  windowMs: number;
  /** What waits. */
  load: () => OutboxLoad;
  /** Messages received so far. */
  received: () => number;
  /** What went wrong last with the connection, if anything did. */
  lastError: () => HoldfastError | null;
  emit: Emit;
}

// a link that cannot be asked shows what it is worth by its traffic: not by its first frame, and not by each
const FIRST_SAMPLE_MS = 2_000;
const SAMPLE_MS = 50_000;

// where it is not bad enough, or not for long enough, to advise on
const REASONS: Readonly<Record<ScorePart, string>> = {
  latency: 'Most of the last round trips were slow.',
  stability: 'The connection has had too much trouble of late.',
  capacity: 'More is sent than leaves.',
};

/** What is known of the health of one connection, over all its links. It hears of everything, and asks for nothing. */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #troubles = new Troubles();
  readonly #rates = new Rates();
  readonly #times: StateTimes;
  readonly #trend: Trend;
  readonly #findings = new Findings();
  readonly #totals: Totals = { messagesOut: 0, messagesIn: 0, bytesOut: 0, bytesIn: 0 };
  // of the present link, or the last
  #roundTrips = new RoundTrips();
  #lastScore: number | null = null;
  #canMeasure = true;
  #linkGrade: Grade = 'unknown';
  #nextSampleAt = Infinity;
  #tell: ((event: HealthEvent) => void) | undefined;
  #state: ConnectionStateName = 'idle';
  // since when it has been open, or down, on the monotonic clock
  #openSince: number | null = null;
  #downSince: number | null = null;
  #grade: Grade = 'unknown';
  // what the clock showed last, and by how much it was set back in all
  #reading = 0;
  #setBackMs = 0;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#times = new StateTimes(options.windowMs);
    this.#trend = new Trend(options.windowMs);
    this.#times.enter('idle', this.#now());
    this.#rates.note(this.#now(), this.#totals);
  }

  get grade(): Grade {
    return this.#grade;
  }

  /** The overall score; `null` while it is unknown. */
  get overall(): number | null {
    return this.#scores(this.#now()).overall;
  }

  /** Of the present link; `null` before the first. */
  get roundTrips(): RoundTripSummary | null {
    return this.#roundTrips.summary;
  }

  /** What it has carried since it was made. */
  get totals(): Totals {
    return { ...this.#settled() };
  }

  /** Something was told of the connection. */
  noted<Type extends keyof ServiceEvents>(type: Type, event: ServiceEvents[Type]): void {
    const at = this.#now();
    if (type === 'status') this.stands((event as ServiceEvents['status']).current);
    // what was held up leaves: a link that cannot be asked has no other moment to say so
    if (type === 'flow' && !(event as ServiceEvents['flow']).isCongested && !this.#canMeasure) this.#sample(null, at);
    if (type === 'closed') {
      const { error } = event as ServiceEvents['closed'];
      if (error && !isOfFreeze(error)) this.#troubles.lost(error, at);
    }
    if (type === 'error') {
      const error = event as HoldfastError;
      if (!isOfFreeze(error)) this.#troubles.failed(error, { at, isOpen: this.#isOpen });
    }
  }

  /** The connection is in this state now. */
  stands(state: ConnectionStateName): void {
    const at = this.#now();
    this.#state = state;
    this.#times.enter(state, at);
    if (this.#isOpen) {
      this.#openSince ??= at;
      this.#downSince = null;
    } else {
      this.#openSince = null;
      this.#nextSampleAt = Infinity;
      this.#downSince = this.#missedSince(at);
    }
    this.#regrade(at);
    this.#point(at);
    this.#note(at);
  }

  /** A message was not delivered, or may not have been. */
  undelivered(error: HoldfastError): void {
    this.#troubles.undelivered(error, this.#now());
  }

  /** A link is in use from now on. */
  linked({ canMeasure }: { canMeasure: boolean }): void {
    this.#roundTrips = new RoundTrips();
    this.#lastScore = null;
    this.#canMeasure = canMeasure;
    this.#linkGrade = 'unknown';
    this.#nextSampleAt = this.#now() + FIRST_SAMPLE_MS;
  }

  /** Data came by the link. */
  received(data: FrameData): void {
    const at = this.#now();
    this.#rates.note(at, this.#settled());
    this.#totals.bytesIn += bytesOf(data);
    if (at >= this.#nextSampleAt) this.#sample(null, at);
  }

  /** Messages are about to be handed to the link. Once per flush: time is not read for each. */
  sending(): void {
    const at = this.#now();
    this.#rates.note(at, this.#settled());
    if (at >= this.#nextSampleAt) this.#sample(null, at);
  }

  /** So many were. */
  sent(messages: number): void {
    this.#totals.messagesOut += messages;
  }

  /** Data was handed to the socket. */
  wrote(data: WireData): void {
    this.#totals.bytesOut += bytesOf(data);
  }

  /** The peer answered a probe; `rttMs` is `null` where the round trip cannot be told. */
  answered(rttMs: number | null): void {
    if (rttMs !== null) {
      this.#roundTrips.add(rttMs);
      const { connectionId, serviceType } = this.#options.source;
      this.#options.emit('roundTrip', { connectionId, serviceType, rttMs });
    }
    this.#sample(rttMs, this.#now());
  }

  /** The peer owes an answer for longer than the link explains: the chart is to find out whether it is there. */
  unanswered(urgency: Urgency): void {
    this.#tell?.({ type: 'link.unanswered', ...urgency });
  }

  /** An answer is overdue. */
  missed(): void {
    this.#troubles.missed(this.#now());
  }

  /** The chart of the link has another grade for it. */
  graded(grade: Grade): void {
    this.#linkGrade = grade;
    this.#regrade(this.#now());
  }

  /** Tells each measurement to the chart of the link. @returns Ends that. */
  follow(tell: (event: HealthEvent) => void): () => void {
    this.#tell = tell;
    return () => {
      if (this.#tell === tell) this.#tell = undefined;
    };
  }

  /** How it is now. */
  info(): HealthInfo {
    const at = this.#now();
    const { source } = this.#options;
    const { messages, bytes, oldestMs } = this.#backlog();
    const { byState, uptimeRatio, windowMs } = this.#times.summary(at);
    const totals = this.#settled();
    return Object.freeze({
      ...source,
      at: this.#options.clock.now(),
      grade: this.#grade,
      because: this.#because(at),
      score: this.#scores(at),
      roundTrips: this.#roundTrips.summary,
      rates: this.#rates.perSecond(at, totals),
      totals: { ...totals },
      troubles: this.#troubles.counts(at),
      queue: { messages, bytes, oldestMs },
      state: this.#state,
      states: byState,
      uptimeRatio,
      windowMs,
    });
  }

  /** How it was in the last `rangeMs`. */
  trend(rangeMs: number): HealthTrend {
    const range = Math.min(rangeMs, this.#options.windowMs);
    const now = this.#options.clock.now();
    this.#point(this.#now());
    return { points: this.#trend.points(now, range), rangeMs: range, ...this.#trend.directionAt(now, range) };
  }

  /** What could be better. */
  recommendations(): Recommendation[] {
    return this.#note(this.#now());
  }

  // since when somebody has missed it
  #missedSince(at: number): number | null {
    if (this.#state === 'connecting') return this.#downSince;
    if (this.#state !== 'backoff' && this.#state !== 'failed') return null;
    return isOfFreeze(this.#options.lastError()) ? null : (this.#downSince ?? at);
  }

  #sample(rttMs: number | null, at: number): void {
    this.#nextSampleAt = at + SAMPLE_MS;
    const { latency, capacity } = this.#scores(at);
    // of this measurement, not of those before, nor of links before: the chart does the smoothing
    const moment = rttMs === null ? (latency ?? 100) : latencyScore(rttMs, this.#options.limits().slowMs);
    const score = Math.min(moment, capacity);
    this.#lastScore = score;
    this.#tell?.({ type: 'sampled', score });
    this.#regrade(at);
    this.#point(at);
    this.#note(at);
  }

  #regrade(at: number): void {
    const previous = this.#grade;
    this.#grade = this.#gradeAt(at);
    if (this.#grade === previous) return;
    const { emit, source } = this.#options;
    const because = this.#because(at);
    emit('health', { ...source, previous, current: this.#grade, score: this.#scores(at).overall, because });
  }

  #gradeAt(at: number): Grade {
    if (!this.#isOpen) return this.#isDown ? 'critical' : 'unknown';
    const link = this.#state === 'degraded' && this.#linkGrade !== 'critical' ? 'degraded' : this.#linkGrade;
    // a good link is small comfort where it is a new one every minute
    return link === 'unknown' ? link : worse(link, gradeOf(stabilityScore(this.#troubles.recent(at))));
  }

  #scores(at: number): Scores {
    const scores = scoresOf(this.#scoreFacts(at));
    // what is not there is of no use, whatever it was like before
    return this.#isDown ? { ...scores, overall: 0, weakest: 'stability' } : scores;
  }

  #scoreFacts(at: number): ScoreFacts & Pick<AdviceFacts, 'roundTrips'> {
    const { slowMs } = this.#options.limits();
    return {
      roundTrips: this.#roundTrips.summary,
      slowMs,
      troubles: this.#troubles.recent(at),
      backlog: this.#backlog(),
      isOpen: this.#isOpen,
      hasEvidence: this.#isOpen && this.#lastScore !== null,
    };
  }

  #facts(at: number): AdviceFacts {
    return {
      dropped: this.#troubles.dropped(at),
      openMs: this.#openSince === null ? 0 : at - this.#openSince,
      downMs: this.#downSince === null ? 0 : at - this.#downSince,
      canPing: this.#canMeasure,
      grade: this.#grade,
      uptimeRatio: this.#times.summary(at).uptimeRatio,
      ...this.#scoreFacts(at),
    };
  }

  #backlog(): AdviceFacts['backlog'] {
    const { waiting, waitingBytes, oldestAt } = this.#options.load();
    const { maxMessages, maxBytes } = this.#options.limits();
    // it was dated by the clock itself
    const oldestMs = oldestAt === null ? 0 : Math.max(0, this.#reading - oldestAt);
    return { messages: waiting, bytes: waitingBytes, maxMessages, maxBytes, oldestMs };
  }

  // what is advised on, or else what the grade is taken from
  #because(at: number): string | null {
    if (this.#grade === 'healthy' || this.#grade === 'unknown') return null;
    const worst = this.#findings.worst(this.#facts(at));
    if (worst) return worst;
    if (this.#isDown) return 'The connection is down.';
    // the state is told before the grade that it is due to
    const isLinkFine =
      isFine(this.#lastScore ?? 100) && this.#linkGrade !== 'degraded' && this.#linkGrade !== 'critical';
    if (this.#state === 'degraded' && isLinkFine) return 'An answer is overdue.';
    return REASONS[this.#scores(at).weakest ?? 'latency'];
  }

  #point(at: number): void {
    this.#trend.add({ at: this.#options.clock.now(), ...this.#scores(at) });
  }

  // what is advised is known from the moment that it holds, whoever asks when
  #note(at: number): Recommendation[] {
    return this.#findings.of(this.#facts(at), this.#options.clock.now());
  }

  // the totals, with what is counted elsewhere
  #settled(): Totals {
    this.#totals.messagesIn = this.#options.received();
    return this.#totals;
  }

  get #isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'degraded';
  }

  get #isDown(): boolean {
    return this.#downSince !== null;
  }

  // a clock that was set back goes on from where it was, and one that shows no time stands still
  #now(): number {
    const reading = monotonicNow(this.#options.clock);
    if (Number.isFinite(reading)) {
      this.#setBackMs += Math.max(0, this.#reading - reading);
      this.#reading = reading;
    }
    return this.#reading + this.#setBackMs;
  }
}

// the page is frozen: the connection is not there, and nobody misses it
function isOfFreeze(error: HoldfastError | null): boolean {
  return error?.code === 'PAGE_FROZEN';
}

function bytesOf(data: FrameData | WireData): number {
  return typeof data === 'string' ? utf8Bytes(data) : data.byteLength;
}
