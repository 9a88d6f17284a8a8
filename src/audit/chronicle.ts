import type { AuditEntry } from './chain.ts';
import type { Problem } from './findings.ts';
import type { AuditRecord, RemovedSegment } from './record.ts';
import type { Verification } from './verification.ts';

/** A place before the first record of a log. */
interface Origin {
  seq: number;
  prev: string;
}

/** A run that another one followed without its end. */
export interface UnendedRun {
  /** From 1; 0 for one that began before the log does. */
  run: number;
  /** Its last record. */
  seq: number;
  at: number | null;
}

/** What may stand between an end and the run after it. */
export const BETWEEN_RUNS: ReadonlySet<AuditRecord['kind']> = new Set(['seal', 'segment', 'retention']);
const MOST_UNENDED = 3;

/** What a log tells of itself, record by record. Whoever can write it may have written anything: nothing is taken for what its type says. */
export class Chronicle {
  segments = 0;
  runs = 0;
  first: Verification['first'] = null;
  last: Verification['last'] = null;
  readonly lost = { gaps: 0, records: 0 };
  removed = 0;
  /** The segment that the last record is in; `null` where that is not known. */
  segment: number | null = null;
  /** Whether the last record is that of an end, or its seal. */
  isClosed = false;
  /** The runs that have no end though another one follows: how many, and the first of them. */
  readonly unended: { count: number; first: UnendedRun[] } = { count: 0, first: [] };
  /** What a run cut off of the one before: how often, and how many bytes. */
  readonly torn = { times: 0, bytes: 0 };
  /** How often the clock that never runs backwards did so. */
  backwards = { times: 0, seq: 0 };
  /** Whether a record of retention ends where the first record begins. */
  isExplained = false;
  /** Whether the run has ended, or nothing is known of its end. */
  #isEnded = true;
  #origin: Origin | null = null;
  #mono = -Infinity;
  #latest = -Infinity;
  /** The records that were missing since the last segment began. */
  #gap: { problem: Problem; segment: number | null; endsAt: number } | null = null;

  /** Takes a record that is in its place. */
  take(entry: AuditEntry, seq: number, gap: Problem | null): void {
    const { record, hash } = entry;
    if (!this.first) {
      this.first = { seq, at: numberOf(record.at) };
      this.#origin = { seq: seq - 1, prev: entry.prev };
    }
    if (gap) {
      this.#gap = { problem: gap, segment: this.segment, endsAt: seq };
      this.segment = null;
      this.#isEnded = true;
    }
    if (record.kind === 'opened') this.#beginRun(record.torn);
    this.isClosed = record.kind === 'closed' || (record.kind === 'seal' && this.isClosed);
    this.last = { seq, at: numberOf(record.at), hash };
    this.#widen(record);
    this.#isEnded = record.kind === 'closed' || (this.#isEnded && BETWEEN_RUNS.has(record.kind));
    this.#heed(record, seq);
    this.#compareTime(record, seq);
  }

  #heed(record: AuditRecord, seq: number): void {
    switch (record.kind) {
      case 'segment':
        this.#beginSegment(numberOf(record.segment), seq);
        return;
      case 'seal':
        this.segment ??= numberOf(record.segment);
        return;
      case 'gap':
        this.lost.gaps += 1;
        this.lost.records += numberOf(record.lost) ?? 0;
        return;
      case 'retention':
        this.#explain(record.removed);
        return;
      default:
    }
  }

  #beginRun(torn: unknown): void {
    const { unended, last, runs } = this;
    if (!this.#isEnded && last) {
      unended.count += 1;
      if (unended.first.length < MOST_UNENDED) unended.first.push({ run: runs, seq: last.seq, at: last.at });
    }
    const bytes = numberOf(torn) ?? 0;
    if (bytes > 0) this.torn.times += 1;
    this.torn.bytes += Math.max(0, bytes);
    this.runs += 1;
    this.#mono = -Infinity;
  }

  #beginSegment(segment: number | null, seq: number): void {
    this.segments += 1;
    this.segment = segment;
    const { problem, segment: before, endsAt } = this.#gap ?? {};
    this.#gap = null;
    if (!problem || problem.kind !== 'removed' || segment === null || typeof before !== 'number') return;
    // where the gap does not end with a segment, the one that it ends in is there in part
    const last = segment - (endsAt === seq ? 1 : 2);
    if (last <= before) return;
    problem.segments = { first: before + 1, last };
    const which = last === before + 1 ? `segment ${last} is` : `segments ${before + 1} to ${last} are`;
    problem.why = `${problem.why.slice(0, -1)}: ${which} missing as a whole.`;
  }

  #explain(removed: unknown): void {
    if (!Array.isArray(removed)) return;
    this.removed += removed.length;
    const origin = this.#origin;
    this.isExplained ||= removed.some((segment: Partial<RemovedSegment> | null) => {
      return segment?.seq === origin?.seq && segment?.hash === origin?.prev;
    });
  }

  // what the log says of itself may be older than what waited, or younger
  #widen(record: AuditRecord): void {
    const at = 'actor' in record ? numberOf(record.at) : null;
    if (at !== null) this.#latest = Math.max(this.#latest, at);
    const { first, last } = this;
    if (first && at !== null) first.at = Math.min(first.at ?? at, at);
    if (last && this.#latest > -Infinity) last.at = Math.max(last.at ?? this.#latest, this.#latest);
  }

  #compareTime(record: AuditRecord, seq: number): void {
    const { mono } = record;
    // what the log says of itself it says when it chains it, while others have waited
    if (typeof mono !== 'number' || !('actor' in record || 'service' in record)) return;
    if (mono < this.#mono) {
      if (this.backwards.times === 0) this.backwards.seq = seq;
      this.backwards.times += 1;
    }
    this.#mono = mono;
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
