import { createHash } from 'node:crypto';

import { canonicalJson } from '../../src/audit/canonical.ts';
import { hashedText, lineOf, START, type Head } from '../../src/audit/chain.ts';
import { AUDIT_VERSION } from '../../src/audit/record.ts';

const AT = Date.UTC(2026, 0, 1);

/** What lines are made for a test. */
export interface LinesWanted {
  /** What they follow. @default the start of a chain */
  after?: Head;
  /** What every record carries, beside what it must. @default nothing */
  filler?: string;
  /** When every record was made, in ms since 1970. @default 2026 begins */
  at?: number;
}

/** A chain that grows by real lines, which follow each other as those of a log do. */
export class Chain {
  #head: Head;
  readonly #wanted: LinesWanted;

  constructor(wanted: LinesWanted = {}) {
    this.#head = wanted.after ?? START;
    this.#wanted = wanted;
  }

  /** Its last entry. */
  get head(): Head {
    return this.#head;
  }

  /** Its next line; the record has these fields as well. */
  next(fields: object = { kind: 'attached', service: 'service' }): string {
    const { filler, at = AT } = this.#wanted;
    const record = { v: AUDIT_VERSION, at, mono: 0, ...fields, ...(filler !== undefined && { filler }) };
    const hashed = hashedText(this.#head, canonicalJson(record));
    const hash = createHash('sha256').update(hashed).digest('hex');
    this.#head = { seq: this.#head.seq + 1, hash };
    return lineOf(hashed, hash);
  }

  /** Its next lines. */
  lines(count: number): string[] {
    return Array.from({ length: count }, () => this.next());
  }
}

/** The first lines of a chain. */
export function auditLines(count: number, wanted?: LinesWanted): string[] {
  return new Chain(wanted).lines(count);
}
