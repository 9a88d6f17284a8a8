import { isText } from '../core/rules.ts';
import { short, type Place } from './continuity.ts';
import type { Findings } from './findings.ts';
import type { CheckpointRecord } from './record.ts';

/** Holds a log against the checkpoints of it that were kept elsewhere, as far as the log goes. */
export class Witness {
  /** The name of the sink that they speak of. */
  of: string | null;
  agreed = 0;
  passed = 0;
  /** Whether there are checkpoints of other logs among them. */
  areMixed = false;
  readonly #records: AsyncIterator<CheckpointRecord, void>;
  readonly #findings: Findings;
  #due: CheckpointRecord | null = null;

  constructor(records: AsyncIterator<CheckpointRecord, void>, of: string | null, findings: Findings) {
    this.#records = records;
    this.of = of;
    this.#findings = findings;
  }

  /** Looks for the first. */
  async begin(): Promise<void> {
    this.#due = await this.#next();
  }

  /** Takes a record of the log; what it returns is to be waited for. */
  take(seq: number, hash: string, place: Place): Promise<void> | undefined {
    return this.#due && this.#due.seq <= seq ? this.#compare(seq, hash, place) : undefined;
  }

  /** The log is at its end, which is at `seq`. */
  async finish(seq: number, place: Place): Promise<void> {
    for (; this.#due; this.#due = await this.#next()) {
      if (this.#due.seq <= seq) {
        this.passed += 1;
        continue;
      }
      const ends = seq < 0 ? 'the log has no record' : `the log ends with record ${seq}`;
      const why = `A checkpoint says that the log was as far as record ${this.#due.seq}, and ${ends}.`;
      this.#report(this.#due.seq, place, why);
    }
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
    this.#findings.add({ kind: 'checkpoint', seq, line, segment, why });
  }
}
