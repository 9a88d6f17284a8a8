import type { Findings, Problem } from './findings.ts';

/** Numbers that were passed over. */
export interface Gap {
  first: number;
  last: number;
  /** The hash that the record after it says the last of them has. */
  hash: string;
  problem: Problem;
}

interface OpenGap extends Gap {
  /** What is still missing of it. */
  ranges: [first: number, last: number][];
}

/** For how many lines a record that was passed over may still come. */
const PATIENCE_LINES = 65_536;
const MAX_GAPS = 64;
const MAX_RANGES = 256;

/** The records that were passed over, and may turn up later. */
export class Gaps {
  readonly #findings: Findings;
  #open: OpenGap[] = [];

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  note(gap: Gap): void {
    this.#open.push({ ...gap, ranges: [[gap.first, gap.last]] });
    if (this.#open.length > MAX_GAPS) this.#open.shift();
  }

  forget(problem: Problem): void {
    this.#open = this.#open.filter((gap) => gap.problem !== problem);
  }

  /** Takes a record that may have been passed over, and says whether it was. */
  fill({ seq, hash }: { seq: number; hash: string }, line: number): boolean {
    const gap = this.#open.find(({ ranges }) => ranges.some(([first, last]) => first <= seq && seq <= last));
    if (!gap || line - gap.problem.line > PATIENCE_LINES || (seq === gap.last && hash !== gap.hash)) return false;
    const ranges = gap.ranges.flatMap(([first, last]) => without(seq, first, last));
    // a gap of more parts than that is not followed up: it stays one
    if (ranges.length <= MAX_RANGES) gap.ranges = ranges;
    if (ranges.length > 0) return true;
    this.forget(gap.problem);
    this.#findings.turn(
      gap.problem,
      'reordered',
      `${recordsText(gap)} not in place: found in later lines, up to ${line}.`,
    );
    return true;
  }
}

/** Numbers of records, as the subject of a sentence. */
export function recordsText({ first, last }: Pick<Gap, 'first' | 'last'>): string {
  return first === last ? `Record ${first} is` : `Records ${first} to ${last} are`;
}

function without(seq: number, first: number, last: number): [number, number][] {
  if (seq < first || seq > last) return [[first, last]];
  const parts: [number, number][] = [
    [first, seq - 1],
    [seq + 1, last],
  ];
  return parts.filter(([from, to]) => from <= to);
}
