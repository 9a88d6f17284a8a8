import { START, type AuditEntry } from './chain.ts';
import type { Findings, Problem, ProblemKind } from './findings.ts';
import { Gaps, recordsText } from './gaps.ts';
import type { Reading } from './source.ts';

/** Where a line is. */
export interface Place {
  /** From 1. */
  line: number;
  segment: number | null;
}

/**
 * Where a record stands in its chain: `next`, it follows the one before; `ahead`, others are missing before it; `astray`, it is not a part of the chain or not in its place,
 * and what it says is not to be heeded.
 */
export type Standing = 'next' | 'ahead' | 'astray';

type Whole = Extract<Reading, { problem: null }>;

interface End {
  seq: number;
  /** What the next record may be linked to: more than one where it is not known which of several is true. */
  hashes: string[];
  place: Place;
  /** Whether something is wrong with it already. */
  isSuspect: boolean;
}

/** Records, one after the other, of which the same is wrong. */
interface Run {
  seq: number;
  hash: string;
  problem: Problem;
}

/** Of so many numbers up to the last, the records are known by their hashes. */
const REMEMBERED = 1_024;
const MAX_RIVALS = 8;

/** Holds a chain to its rules, record by record: each has its own hash, the number after the one before, and the hash of that. */
export class Continuity {
  readonly #findings: Findings;
  readonly #gaps: Gaps;
  #end: End = { seq: START.seq, hashes: [START.hash], place: { line: 0, segment: null }, isSuspect: false };
  /** The end of another log that stands in this one. */
  #foreign: { seq: number; hash: string; problem: Problem } | null = null;
  /** Of the first record. */
  #origin: string | null = null;
  /** The last ends, each in the place that its number has in a ring. */
  readonly #recent: End[] = [];
  #run: Run | null = null;
  #unread = 0;
  #gap: Problem | null = null;

  constructor(findings: Findings) {
    this.#findings = findings;
    this.#gaps = new Gaps(findings);
  }

  /** The number that the next record should have. */
  get expected(): number {
    return this.#end.seq + 1 + this.#unread;
  }

  /** The number of the last record in its place, or -1. */
  get seq(): number {
    return this.#end.seq;
  }

  /** What was reported of the records that were last found missing. */
  get gap(): Problem | null {
    return this.#gap;
  }

  /** Takes a line that could not be read: the number of its record is not known. */
  skip(): void {
    this.#unread += 1;
  }

  /** Takes a record, and says where it stands. */
  take(whole: Whole, place: Place): Standing {
    const { entry, hash } = whole;
    if (entry.hash !== hash) return this.#takeEdited(whole, place);
    if (entry.seq === this.#end.seq + 1 && this.#end.hashes.includes(entry.prev)) return this.#follow(entry, place);
    if (this.#foreign?.hash === entry.prev && this.#foreign.seq + 1 === entry.seq) return this.#continueForeign(entry);
    if (this.#end.seq >= 0 && entry.seq <= this.#end.seq) return this.#takeStray(entry, place);
    if (entry.seq > this.#end.seq + 1) return this.#jump(entry, place);
    return this.#takeUnlinked(entry, place);
  }

  /** The missing beginning is explained. */
  forgive(problem: Problem): void {
    this.#gaps.forget(problem);
    this.#findings.drop(problem);
  }

  #follow(entry: AuditEntry, place: Place): Standing {
    this.#advance(entry.seq, [entry.hash], place);
    return 'next';
  }

  #takeEdited({ entry, hash }: Whole, place: Place): Standing {
    const expected = this.#end.seq + 1;
    const isNext = entry.seq === expected || this.#end.hashes.includes(entry.prev);
    this.#report('edited', isNext ? expected : this.expected, {
      place,
      why: `Its hash is ${short(hash)}, and its line says ${short(entry.hash)}: it is not what was written.`,
    });
    if (!isNext) {
      if (!this.#gaps.fill(entry, place.line)) this.#unread += 1;
      return 'astray';
    }
    this.#advance(expected, [entry.hash, hash], place);
    this.#end.isSuspect = true;
    return 'next';
  }

  // its number is right, and its link is not
  #takeUnlinked(entry: AuditEntry, place: Place): Standing {
    const { seq, hashes, isSuspect, place: before } = this.#end;
    if (seq < 0) {
      this.#report('replaced', 0, {
        place,
        why: 'It is linked to another record, and no record comes before the first.',
      });
    } else if (!isSuspect) {
      const why = `Its hash is ${short(hashes[0] ?? '')}, and record ${entry.seq} was linked to ${short(entry.prev)}.`;
      this.#report('replaced', seq, { place: before, why });
    }
    return this.#follow(entry, place);
  }

  #jump(entry: AuditEntry, place: Place): Standing {
    const [first, last] = [this.#end.seq + 1, entry.seq - 1];
    const isBeginning = first === 0;
    const missing = last - first + 1 - this.#unread;
    if (missing > 0) {
      const unread = this.#unread > 0 ? ` but for ${this.#unread} that could not be read` : '';
      const problem = this.#report(isBeginning ? 'beginning' : 'removed', first, {
        place: { line: place.line, segment: isBeginning ? null : this.#end.place.segment },
        why: `${recordsText({ first, last })} missing${unread}${isBeginning ? ', and no record of retention says why' : ''}.`,
      });
      if (last > first) problem.through = last;
      this.#gaps.note({ first, last, hash: entry.prev, problem });
      this.#gap = problem;
    }
    this.#advance(entry.seq, [entry.hash], place);
    return missing > 0 ? 'ahead' : 'next';
  }

  // its number was there already, or was passed over
  #takeStray(entry: AuditEntry, place: Place): Standing {
    const { seq, hash, prev } = entry;
    if (this.#gaps.fill(entry, place.line)) return 'astray';
    if (seq === this.#end.seq && this.#end.hashes.length < MAX_RIVALS) this.#end.hashes.push(hash);
    if (this.#run?.hash === prev && this.#run.seq + 1 === seq) {
      this.#run.problem.through = seq;
      this.#run = { seq, hash, problem: this.#run.problem };
      return 'astray';
    }
    this.#run = { seq, hash, problem: this.#reportStray(entry, place) };
    return 'astray';
  }

  #reportStray({ seq, hash, prev }: AuditEntry, place: Place): Problem {
    const recent = this.#recent[seq % REMEMBERED];
    const known = seq === 0 ? this.#origin : recent?.seq === seq ? recent.hashes[0] : undefined;
    if (known === hash) return this.#report('duplicated', seq, { place, why: `Record ${seq} was there already.` });
    if (seq === 0 && prev === START.hash) {
      const problem = this.#report('foreign', seq, { place, why: 'Another log begins here.' });
      this.#foreign = { seq, hash, problem };
      return problem;
    }
    const why = `There was a record ${seq} already${typeof known !== 'string' ? '' : `, with the hash ${short(known)}`}.`;
    return this.#report('inserted', seq, { place, why });
  }

  #continueForeign({ seq, hash }: AuditEntry): Standing {
    const { problem } = this.#foreign as { problem: Problem };
    problem.through = seq;
    this.#foreign = { seq, hash, problem };
    return 'astray';
  }

  #advance(seq: number, hashes: string[], place: Place): void {
    this.#origin ??= (seq === 0 && hashes[0]) || '';
    this.#end = { seq, hashes, place, isSuspect: false };
    this.#unread = 0;
    this.#recent[seq % REMEMBERED] = this.#end;
  }

  #report(kind: ProblemKind, seq: number, { place, why }: { place: Place; why: string }): Problem {
    return this.#findings.add({ kind, seq, line: place.line, segment: place.segment, why });
  }
}

/** Enough of a hash to tell it from others. */
export function short(hash: string): string {
  return `${hash.slice(0, 12)}…`;
}
