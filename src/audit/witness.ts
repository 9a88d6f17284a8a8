import { isText } from '../core/rules.ts';
import { short, type Place } from './continuity.ts';
import type { Findings } from './findings.ts';
import type { AuditRecord, CheckpointRecord } from './record.ts';

// the last of them say as much as all: each hash holds whatever comes before it
const MAX_HELD = 1_024;
const NONE = 'No checkpoint agrees with this log: none speaks of it, or only of what is not in it.';

interface Taken {
  seq: number;
  hash: string;
  record: AuditRecord;
}

/** Holds a log against the checkpoints of it that were kept elsewhere, as far as the log goes. */
export class Witness {
  /** The name of the sink that they speak of. */
  of: string | null;
  agreed = 0;
  passed = 0;
  /** How many are of runs before the beginning of the log, which wrote another chain. */
  earlier = 0;
  /** Whether there are checkpoints of other logs among them. */
  areMixed = false;
  readonly #records: AsyncIterator<CheckpointRecord, void>;
  readonly #findings: Findings;
  #isContradicted = false;
  #due: CheckpointRecord | null = null;
  /** Those before the first that speaks of a run of this log, as far as it is known; while there are any, none is due. */
  readonly #held: CheckpointRecord[] = [];
  /** Those that were read already. */
  #ahead: CheckpointRecord[] = [];

  constructor(records: AsyncIterator<CheckpointRecord, void>, of: string | null, findings: Findings) {
    this.#records = records;
    this.of = of;
    this.#findings = findings;
  }

  /** Looks for the first. */
  async begin(): Promise<void> {
    this.#due = await this.#next();
  }

  /** What is no problem, and should be known. */
  get notes(): string[] {
    const notes: [boolean, string][] = [
      [this.areMixed, 'There are checkpoints of other logs as well, which were passed over.'],
      [this.earlier > 0, `Checkpoints of earlier runs, which wrote another chain, were passed over: ${this.earlier}.`],
    ];
    return notes.filter(([holds]) => holds).map(([, text]) => text);
  }

  /** Takes a record of the log; what it returns is to be waited for. */
  take({ seq, hash, record }: Taken, place: Place): Promise<void> | undefined {
    if (record.kind === 'opened' && isText(record.run)) {
      if (seq === 0) return this.#seek(record.run).then(() => this.#compare(seq, hash, place));
      this.#meet(record.run);
    }
    return this.#due && this.#due.seq <= seq ? this.#compare(seq, hash, place) : undefined;
  }

  /** The log is at its end, which is at `seq`. */
  async finish(seq: number, place: Place): Promise<void> {
    this.earlier += this.#held.length;
    for (; this.#due; this.#due = await this.#next()) {
      if (this.#due.seq <= seq) {
        this.passed += 1;
        continue;
      }
      const ends = seq < 0 ? 'the log has no record' : `the log ends with record ${seq}`;
      const why = `A checkpoint says that the log was as far as record ${this.#due.seq}, and ${ends}.`;
      this.#report(this.#due.seq, place, why);
    }
    if (this.agreed === 0 && !this.#isContradicted) this.#report(Math.max(seq, 0), place, NONE);
  }

  // a log that begins with this run has nothing of those before
  async #seek(run: string): Promise<void> {
    for (; this.#due && !isOf(run, this.#due); this.#due = await this.#next()) {
      this.#held.push(this.#due);
      if (this.#held.length <= MAX_HELD) continue;
      this.#held.shift();
      this.earlier += 1;
    }
    if (this.#due) this.#pass(this.#held.length);
  }

  // of what is held, this run may be the first that speaks of the log
  #meet(run: string): void {
    const first = this.#held.findIndex((checkpoint) => isOf(run, checkpoint));
    if (this.#due || first < 0) return;
    this.#pass(first);
    [this.#due = null, ...this.#ahead] = this.#held.splice(0);
  }

  #pass(count: number): void {
    this.#held.splice(0, count);
    this.earlier += count;
  }

  async #compare(seq: number, hash: string, place: Place): Promise<void> {
    for (; this.#due && this.#due.seq <= seq; this.#due = await this.#next()) {
      if (this.#due.seq < seq) this.passed += 1;
      else if (this.#due.hash === hash) this.agreed += 1;
      else {
        const says = `A checkpoint says that its hash was ${short(this.#due.hash)}, and it is ${short(hash)}`;
        this.#report(seq, place, `${says}: up to here the log is not what was written.`);
      }
    }
  }

  async #next(): Promise<CheckpointRecord | null> {
    const [read] = this.#ahead.splice(0, 1);
    if (read) return read;
    while (true) {
      const { value } = await this.#records.next();
      if (!value) return null;
      if (!Number.isSafeInteger(value.seq) || ![value.of, value.hash].every(isText)) continue;
      this.of ??= value.of;
      if (value.of === this.of) return value;
      this.areMixed = true;
    }
  }

  #report(seq: number, { line, segment }: Place, why: string): void {
    this.#isContradicted = true;
    this.#findings.add({ kind: 'checkpoint', seq, line, segment, why });
  }
}

/** One that says no run may be of any. */
function isOf(run: string, checkpoint: CheckpointRecord): boolean {
  return !isText(checkpoint.run) || checkpoint.run === run;
}
