import type { Problem, ProblemKind } from './findings.ts';

/** What is to be said of a log. */
export interface Verification {
  /** `intact`: complete, and closed. `open`: all that is there holds, and its end may be missing or not be written yet. `broken`: something is wrong. */
  verdict: 'intact' | 'open' | 'broken';
  lines: number;
  /** Records that could be read. */
  records: number;
  segments: number;
  /** How often a process has begun to write. */
  runs: number;
  /** How many of them have no end though another one follows: the process was killed, or the end was cut off. */
  unended: number;
  /** The first record; `at` in ms since 1970: when it was made, or the first of what actors did. `null` where it is not known. */
  first: { seq: number; at: number | null } | null;
  /** The last record that is in its place; `at`: when it was made, or the last of what actors did. */
  last: { seq: number; at: number | null; hash: string } | null;
  /** What the log says itself that it does not have: how often its sink was too slow or failed, and how many records that has cost. */
  lost: { gaps: number; records: number };
  /** How many segments the log says were removed because they were old. */
  removed: number;
  signatures: {
    /** The names of the keys that the log says it is signed with: at most 16. */
    keys: readonly string[];
    /** How many seals hold. 0 where no key was given. */
    verified: number;
    /** The number of the last seal that holds: what comes before it is signed. */
    through: number | null;
  };
  /** `null` where none were given. */
  checkpoints: {
    /** The name of the sink that they speak of. */
    of: string | null;
    /** How many say what the log says. */
    agreed: number;
    /** How many speak of records that are not there, such as those that were removed because they were old. */
    passed: number;
    /** How many are of runs before the beginning of this log, which wrote another chain. */
    earlier: number;
    /** What is to be said of their own log. */
    verdict: Verification['verdict'];
  } | null;
  /** How many problems there are of each kind. */
  counts: Partial<Record<ProblemKind, number>>;
  /** The first of them, by line: at most 100. */
  problems: readonly Problem[];
  /** What is no problem, and should be known. */
  notes: readonly string[];
}
