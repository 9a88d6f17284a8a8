import type { AuditEntry } from './chain.ts';
import type { Place } from './continuity.ts';
import type { Findings, ProblemKind } from './findings.ts';
import type { SealRecord } from './record.ts';
import type { Verifier } from './signature.ts';

interface Subject {
  entry: AuditEntry;
  place: Place;
  /** Whether the record before is missing, or something is wrong with this one. */
  isApart: boolean;
}

const MAX_KEYS = 16;

/** Whether seals are missed where a key is given: always, or only once there has been one. */
export type Need = 'always' | 'after-one';

/** Holds the seals of a log against the keys: each segment ends in one, and so does a log that is closed. Without a key it only takes down whose they are. */
export class Seals {
  readonly keys = new Set<string>();
  verified = 0;
  through: number | null = null;
  readonly #verifiers: readonly Verifier[];
  readonly #findings: Findings;
  /** Whether what has no seal is wrong. */
  #areRequired: boolean;
  /** Whether nothing has come after the last seal but a process that began to write. */
  #isSealed = true;

  constructor(verifiers: readonly Verifier[], findings: Findings, need: Need) {
    this.#verifiers = verifiers;
    this.#areRequired = verifiers.length > 0 && need === 'always';
    this.#findings = findings;
  }

  /** Takes a record that is in its place; what it returns is to be waited for. */
  take(subject: Subject): Promise<void> | undefined {
    const { record, seq } = subject.entry;
    switch (record.kind) {
      case 'seal':
        this.#isSealed = true;
        this.#areRequired = this.#verifiers.length > 0;
        return this.#takeSeal(record, subject);
      case 'opened':
        return undefined;
      case 'segment':
        if (seq > 1 && !subject.isApart) this.#requireSeal(subject);
        break;
      default:
    }
    this.#isSealed = false;
    return undefined;
  }

  /** The log ends with a record that closes it, or with its seal. */
  close(seq: number, place: Place): void {
    if (!this.#areRequired || this.#isSealed) return;
    this.#report('unsigned', { seq, place, why: 'The log is closed, and its end is not signed.' });
  }

  #requireSeal({ entry: { seq }, place }: Subject): void {
    if (!this.#areRequired || this.#isSealed) return;
    this.#report('unsigned', { seq, place, why: 'The segment before has ended, and is not signed.' });
  }

  async #takeSeal(record: SealRecord, { entry, place, isApart }: Subject): Promise<void> {
    const { seq, prev } = entry;
    if (typeof record.key === 'string' && this.keys.size < MAX_KEYS) this.keys.add(record.key);
    if (this.#verifiers.length === 0 || isApart) return;
    const verifier = this.#verifiers.find(
      ({ algorithm, key }) => algorithm === record.algorithm && (key === null || key === record.key),
    );
    if (!verifier) {
      this.#report('unknown-key', { seq, place, why: 'The seal is by a key of another name or kind.' });
    } else if (place.segment !== record.segment) {
      this.#report('signature', { seq, place, why: 'The seal is that of another segment.' });
    } else if (await verifier.verify(record, prev)) {
      this.verified += 1;
      this.through = seq;
    } else {
      this.#report('signature', {
        seq,
        place,
        why: 'The signature is not that of the key: what is signed was not written by who has it.',
      });
    }
  }

  #report(kind: ProblemKind, { seq, place, why }: { seq: number; place: Place; why: string }): void {
    this.#findings.add({ kind, seq, line: place.line, segment: place.segment, why });
  }
}
