import { createHash } from 'node:crypto';

import { hashedText, lineOf, START, type AuditEntry, type Head } from '../../src/audit/chain.ts';
import { canonicalJson } from '../../src/audit/canonical.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import type { Signer } from '../../src/audit/signature.ts';

/** A record without what every one has. */
export type Bare = { kind: AuditRecord['kind'] } & Record<string, unknown>;

/** Writes the lines of a log, as a trail does. */
export class Chain {
  readonly lines: string[] = [];
  head: Head;
  #at = 1_764_144_288_000;

  constructor(head: Head = START) {
    this.head = head;
  }

  /** The number of the last record. */
  get seq(): number {
    return this.head.seq;
  }

  add(...records: readonly Bare[]): this {
    for (const record of records) {
      this.#at += 10;
      const hashed = hashedText(this.head, canonicalJson({ v: 1, at: this.#at, mono: this.#at % 1e9, ...record }));
      const hash = digest(hashed);
      this.lines.push(lineOf(hashed, hash));
      this.head = { seq: this.head.seq + 1, hash };
    }
    return this;
  }

  async seal(signer: Signer, segment: number): Promise<this> {
    const { algorithm, key } = signer;
    return this.add({ kind: 'seal', algorithm, key, segment, signature: await signer.sign(segment, this.head.hash) });
  }
}

/** SHA-256 as Node has it, in hex digits. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The beginning of a log. */
export function opening(run = 'a'): Bare[] {
  return [opened(run), segment(1)];
}

export function opened(run = 'a'): Bare {
  return { kind: 'opened', run, level: 'transitions', machines: { connection: 'ab'.repeat(32) } };
}

export function segment(number: number): Bare {
  return { kind: 'segment', segment: number };
}

export function step(n: number): Bare {
  return {
    ...{ kind: 'step', actor: 'chat/connection:1', machine: 'connection@0123456789abcdef' },
    ...{ from: 'idle', to: 'open', event: { type: 'connect', n } },
  };
}

export function steps(count: number, from = 0): Bare[] {
  return Array.from({ length: count }, (_, index) => step(from + index));
}

export const closed: Bare = { kind: 'closed' };

/** A log of 17 records in three segments, closed; of 20 with a signer. */
export async function smallLog(signer?: Signer): Promise<string[]> {
  const chain = new Chain().add(...opening(), ...steps(3));
  if (signer) await chain.seal(signer, 1);
  chain.add(segment(2), ...steps(4, 3));
  if (signer) await chain.seal(signer, 2);
  chain.add(segment(3), opened('b'), ...steps(4, 7), closed);
  if (signer) await chain.seal(signer, 3);
  return chain.lines;
}

/** Writes lines anew from one of them on, as somebody does who knows the format and has no key. */
export function forged(lines: readonly string[], from: number, change: (record: AuditRecord) => AuditRecord): string[] {
  const entries = lines.map((line) => JSON.parse(line) as AuditEntry);
  const before = entries[from - 1];
  const chain = new Chain(before ? { seq: before.seq, hash: before.hash } : START);
  entries.slice(from).forEach(({ record }, index) => {
    chain.add((index === 0 ? change(record) : record) as unknown as Bare);
  });
  return [...lines.slice(0, from), ...chain.lines];
}

/** A line of a record that has its hash, wherever it is put. */
export function loose(head: Head, record: Bare): string {
  return new Chain(head).add(record).lines[0] ?? '';
}
