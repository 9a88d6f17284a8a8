import type { ConnectionStateName } from '../machines/facts.ts';
import type { Advice } from './core/advice.ts';
import type { Totals } from './core/rates.ts';
import type { RoundTripSummary } from './core/round-trips.ts';
import type { Grade, Scores } from './core/score.ts';
import type { TrendDirection, TrendPoint } from './core/trend.ts';
import type { ErrorCode } from './errors.ts';
import type { EventSource } from './events.ts';

/** A trouble, counted: of late, where each counts half after five minutes, and since the connection was made. */
export interface TroubleCount {
  recent: number;
  total: number;
}

/** How a connection is, as measured. A copy: it does not change. Times in ms. */
export interface HealthInfo extends EventSource {
  /** When this was taken, in ms since the epoch. */
  at: number;
  /**
   * How it is on the whole. While it is open, by its last measurements, see the README; `unknown` before the first of the link; `critical` while it is wanted and
   * not there; `unknown` when it is not wanted.
   */
  grade: Grade;
  /** Why it is no better; `null` where it is healthy, or unknown. */
  because: string | null;
  score: Scores;
  /** Of the present link, or the last one; `null` where none was measured. Of a channel: those of the link it shares. */
  roundTrips: RoundTripSummary | null;
  /** Messages and bytes per second, over the last minute. */
  rates: Totals;
  /**
   * The same since the connection was made. Bytes are all that WebSocket messages carried, also those that are no message of the application; those of
   * channels count at the connection that carries them.
   */
  totals: Totals;
  troubles: {
    /** Times that an open connection was lost. */
    losses: TroubleCount;
    /** Probes that were not answered in time. */
    missedPongs: TroubleCount;
    failedAttempts: TroubleCount;
    /** Everything else that went wrong: unreadable messages, providers that failed while it was open. */
    errors: TroubleCount;
    /** Messages that were lost to a full queue, their time to live, a refusal, or a socket that died. */
    droppedMessages: TroubleCount;
  };
  queue: {
    /** That wait, or are on their way and not known to have arrived. */
    messages: number;
    bytes: number;
    /** How long the oldest has waited to be handed to a socket. */
    oldestMs: number;
  };
  state: ConnectionStateName;
  /** The time in each state within the window. */
  states: Readonly<Partial<Record<ConnectionStateName, number>>>;
  /** Of the time within the window in which the connection was wanted, the part in which it was there; `null` where it was not wanted. */
  uptimeRatio: number | null;
  /** How far back `states` and `uptimeRatio` go: see the option `healthWindowMs`. */
  windowMs: number;
}

/** How some connections are. Each is one of `healthy`, `degraded`, `critical` and `unknown`. */
export interface HealthCounts {
  total: number;
  healthy: number;
  degraded: number;
  critical: number;
  unknown: number;
  /** Of the overall scores that are known; `null` where none is. */
  averageScore: number | null;
}

/** How all connections are. */
export interface HealthSummary extends HealthCounts {
  /** The same of the connections of each service type. */
  byService: Readonly<Record<string, HealthCounts>>;
}

/** Something that could be better, and the measurement that says so. */
export interface Recommendation extends Advice {
  /** Since when it holds, in ms since the epoch. */
  since: number;
}

/** How a connection has been. */
export interface HealthTrend extends TrendDirection {
  /** Oldest first; each holds until the next. At most 60, the worst of its time each. */
  points: readonly TrendPoint[];
  /** The time asked for, in ms, or as much of it as is kept. */
  rangeMs: number;
}

/** What connections of one type have carried since the service was made, of forgotten connections too. */
export interface Traffic extends Totals {
  /** Messages that were accepted and not sent, or refused by the peer, by reason. */
  dropped: Readonly<Partial<Record<ErrorCode, number>>>;
}
