/**
 * What can be wrong with a log:
 *
 * - `malformed`: a line is no entry;
 * - `future`: a record is of a later version than this reads;
 * - `edited`: a record does not have the hash that its line says;
 * - `replaced`: a record has its hash, and the one that follows was linked to another;
 * - `removed`: records are missing between two others;
 * - `reordered`: they are there, in another place;
 * - `duplicated`: a record is there twice;
 * - `inserted`: there are two records of one number;
 * - `foreign`: another log begins in the middle of this one;
 * - `beginning`: the first records are missing, and no record of retention says so;
 * - `signature`: a seal is not what the key signs;
 * - `unknown-key`: a seal is by another key than the given ones;
 * - `unsigned`: a segment has ended without a seal, though a key was given;
 * - `checkpoint`: a checkpoint says otherwise;
 * - `torn`: the last line has no line break;
 * - `not-closed`: the last record is not that of an end.
 *
 * With the last two alone a log is `open`, with any other it is `broken`.
 */
export type ProblemKind = (typeof PROBLEM_KINDS)[number];
export const PROBLEM_KINDS = [
  'malformed',
  'future',
  'edited',
  'replaced',
  'removed',
  'reordered',
  'duplicated',
  'inserted',
  'foreign',
  'beginning',
  'signature',
  'unknown-key',
  'unsigned',
  'checkpoint',
  'torn',
  'not-closed',
] as const;

/** One thing that is wrong, or a run of records of which the same is. */
export interface Problem {
  kind: ProblemKind;
  /** The number of the record, or the one that was expected there. */
  seq: number;
  /** The number of the last record of the run, where it is one. */
  through?: number;
  /** In the source, from 1. */
  line: number;
  /** The segment, as far as it is known. */
  segment: number | null;
  /** Which segments are missing as a whole. */
  segments?: { first: number; last: number };
  /** A sentence for people. Nothing of what the log says is in it but numbers and hashes. */
  why: string;
}

/** How many problems are kept; the others are counted. */
export const MAX_PROBLEMS = 100;

const OPEN_KINDS: ReadonlySet<ProblemKind> = new Set(['torn', 'not-closed']);

/** What was found to be wrong so far. */
export class Findings {
  readonly #kept: Problem[] = [];
  readonly #counts = new Map<ProblemKind, number>();

  /** Takes a problem; who found it may say more of it later. */
  add(problem: Problem): Problem {
    if (this.#kept.length < MAX_PROBLEMS) this.#kept.push(problem);
    this.#count(problem.kind, 1);
    return problem;
  }

  /** A problem has turned out to be another. */
  turn(problem: Problem, kind: ProblemKind, why: string): void {
    this.#count(problem.kind, -1);
    this.#count(kind, 1);
    problem.kind = kind;
    problem.why = why;
  }

  /** A problem has turned out to be none. */
  drop(problem: Problem): void {
    const index = this.#kept.indexOf(problem);
    if (index >= 0) this.#kept.splice(index, 1);
    this.#count(problem.kind, -1);
  }

  /** The problems that are kept, by line. */
  get problems(): Problem[] {
    return this.#kept.toSorted((one, other) => one.line - other.line);
  }

  /** How many there are of each kind. */
  get counts(): Partial<Record<ProblemKind, number>> {
    return Object.fromEntries([...this.#counts].filter(([, count]) => count > 0));
  }

  get verdict(): 'intact' | 'open' | 'broken' {
    const kinds = Object.keys(this.counts) as ProblemKind[];
    if (kinds.length === 0) return 'intact';
    return kinds.every((kind) => OPEN_KINDS.has(kind)) ? 'open' : 'broken';
  }

  #count(kind: ProblemKind, change: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + change);
  }
}
