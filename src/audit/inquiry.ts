import type { AuditEntry } from './chain.ts';
import { Chronicle } from './chronicle.ts';
import { Continuity, type Place } from './continuity.ts';
import { timeOf } from './facts.ts';
import type { Findings, Problem, ProblemKind } from './findings.ts';
import { Seals, type Need } from './seals.ts';
import type { Verifier } from './signature.ts';
import type { Reading } from './source.ts';
import type { Verification } from './verification.ts';
import type { Witness } from './witness.ts';
import { timeText } from './wording.ts';

type Whole = Extract<Reading, { problem: null }>;
type Unread = Exclude<Reading, Whole>;

/** What an inquiry is made with. */
export interface Means {
  findings: Findings;
  verifiers: readonly Verifier[];
  /** Whether seals are missed. */
  seals: Need;
  witness: Witness | null;
  /** Is told each record that is in its place. */
  onEntry?: (entry: AuditEntry) => void;
}

/** Finds out about a log, line by line. */
export class Inquiry {
  lines = 0;
  readonly #means: Means;
  readonly #findings: Findings;
  readonly #continuity: Continuity;
  readonly #chronicle: Chronicle;
  readonly #seals: Seals;
  #records = 0;
  #torn: { place: Place; seq: number; why: string } | null = null;
  #beginning: Problem | null = null;

  constructor(means: Means) {
    this.#means = means;
    const { findings, verifiers, seals } = means;
    this.#findings = findings;
    this.#continuity = new Continuity(findings);
    this.#chronicle = new Chronicle();
    this.#seals = new Seals(verifiers, findings, seals);
  }

  /** Takes lines as they come. */
  async take(readings: readonly Reading[]): Promise<void> {
    for (const reading of readings) {
      this.lines += 1;
      if (this.#torn) this.#report('malformed', { ...this.#torn, why: `Another line follows, but ${this.#torn.why}.` });
      this.#torn = null;
      if (!reading.entry) this.#takeUnread(reading);
      else {
        // a wait for each record would take as long as the rest of it
        const waits = this.#takeRecord(reading);
        if (waits) await waits;
      }
    }
  }

  /** The log is at its end. */
  async finish(): Promise<void> {
    const chronicle = this.#chronicle;
    const { seq } = this.#continuity;
    const end: Place = { line: this.lines + 1, segment: chronicle.segment };
    const torn = this.#torn;
    if (torn) this.#report('torn', { ...torn, why: `The last line is not whole: ${torn.why}.` });
    await this.#means.witness?.finish(seq, end);
    if (chronicle.isClosed && !torn) this.#seals.close(seq, { ...end, line: this.lines });
    if (!chronicle.isClosed && !torn) {
      const why =
        'The last record is not that of an end: the log is still written, its process was killed, or its end was cut off.';
      this.#report('not-closed', { seq: this.#continuity.expected, place: end, why });
    }
  }

  /** What is to be said of it, once it is at its end. */
  get verification(): Verification {
    const { segments, runs, unended, first, last, lost, removed } = this.#chronicle;
    const { keys, verified, through } = this.#seals;
    const { verdict, counts, problems } = this.#findings;
    return {
      ...{ verdict, lines: this.lines, records: this.#records, segments, runs, unended: unended.count },
      ...{ first, last, lost, removed },
      signatures: { keys: [...keys], verified, through },
      checkpoints: null,
      ...{ counts, problems, notes: this.#notes() },
    };
  }

  #takeUnread({ problem, why }: Unread): void {
    const place = this.#place();
    const seq = this.#continuity.expected;
    this.#continuity.skip();
    if (problem === 'torn') this.#torn = { place, seq, why };
    else this.#report(problem, { seq, place, why: `The line cannot be read: ${why}.` });
  }

  #takeRecord(whole: Whole): Promise<void> | undefined {
    const { entry, hash } = whole;
    const { record } = entry;
    this.#records += 1;
    const place = this.#place(record.kind === 'segment' ? record.segment : undefined);
    const standing = this.#continuity.take(whole, place);
    if (standing === 'astray') return undefined;
    const { seq, gap } = this.#continuity;
    const isApart = standing === 'ahead' || entry.hash !== hash;
    this.#chronicle.take(entry, seq, standing === 'ahead' ? gap : null);
    if (standing === 'ahead' && gap?.kind === 'beginning') this.#beginning = gap;
    if (this.#beginning && this.#chronicle.isExplained) {
      this.#continuity.forgive(this.#beginning);
      this.#beginning = null;
    }
    this.#means.onEntry?.(entry);
    const sealing = this.#seals.take({
      entry,
      place: { ...place, segment: place.segment ?? this.#chronicle.segment },
      isApart,
    });
    const comparing = this.#means.witness?.take({ seq, hash, record }, place);
    return sealing || comparing ? Promise.all([sealing, comparing]).then() : undefined;
  }

  #place(segment?: unknown): Place {
    return { line: this.lines, segment: typeof segment === 'number' ? segment : this.#chronicle.segment };
  }

  #report(kind: ProblemKind, { seq, place, why }: { seq: number; place: Place; why: string }): void {
    this.#findings.add({ kind, seq, line: place.line, segment: place.segment, why });
  }

  #notes(): string[] {
    const { lost, removed, backwards, last, torn } = this.#chronicle;
    const { keys, through } = this.#seals;
    const hasKey = this.#means.verifiers.length > 0;
    const notes: [boolean, string][] = [
      ...unendedTexts(this.#chronicle.unended).map((text): [boolean, string] => [true, text]),
      [
        torn.times > 0,
        `The log says that ${counted(torn.bytes, 'byte')} of lines that were not finished were cut off, at ${counted(torn.times, 'place')}.`,
      ],
      [
        lost.gaps > 0,
        `The log says that ${counted(lost.records, 'record')} went missing, at ${counted(lost.gaps, 'place')}: a sink was too slow, or failed.`,
      ],
      [removed > 0, `The log says that ${counted(removed, 'segment')} went, having become old.`],
      [keys.size > 0 && !hasKey, 'The log is signed, and no key was given: the signatures were not looked at.'],
      [
        hasKey && (through === null || (last !== null && through < last.seq)),
        through === null
          ? 'Nothing of the log is known to be signed: whoever can write it may have written all of it.'
          : `The records after ${through} are not known to be signed.`,
      ],
      [
        backwards.times > 0,
        `The clock that never runs backwards did so at ${counted(backwards.times, 'place')}, first at record ${backwards.seq}.`,
      ],
    ];
    return notes.filter(([holds]) => holds).map(([, text]) => text);
  }
}

function unendedTexts({ count, first }: Chronicle['unended']): string[] {
  const texts = first.map(({ run, seq, at }) => {
    const which = run === 0 ? 'The run that this log begins in' : `Run ${run}`;
    return `${which} has no end: its last record is ${seq} of ${timeText(timeOf(at))}. Its process was killed, or its end was cut off; only a checkpoint tells which.`;
  });
  return count > first.length ? [...texts, `And ${counted(count - first.length, 'run')} more without an end.`] : texts;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
