import { createHmac } from 'node:crypto';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { canonicalJson } from '../../src/audit/canonical.ts';
import type { Item } from '../../src/audit/recorder.ts';
import type { Signer } from '../../src/audit/signature.ts';
import type { AuditSink } from '../../src/audit/sink.ts';
import { Trail, type TrailOptions } from '../../src/audit/trail.ts';
import type { AuditError } from '../../src/errors.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { fateOf, microtasks } from './service.ts';

type Acts = Partial<Omit<AuditSink, 'name'>>;

/** A sink that does what the test says, and says in which order it was called. */
export class ScriptedSink implements AuditSink {
  readonly name: string;
  readonly calls: string[] = [];
  /** What was appended, and stored. */
  readonly batches: string[][] = [];
  acts: Acts;

  constructor(acts: Acts = {}, name = 'script') {
    this.acts = acts;
    this.name = name;
  }

  get lines(): string[] {
    return this.batches.flat();
  }

  get records(): AuditEntry['record'][] {
    return this.lines.map((line) => (JSON.parse(line) as AuditEntry).record);
  }

  get kinds(): string[] {
    return this.records.map(({ kind }) => kind);
  }

  open = (): ReturnType<NonNullable<AuditSink['open']>> => {
    this.calls.push('open');
    return this.acts.open?.() ?? null;
  };
  isFull = (): boolean => this.acts.isFull?.() ?? false;
  rotate = (): ReturnType<NonNullable<AuditSink['rotate']>> => {
    this.calls.push('rotate');
    return this.acts.rotate?.() ?? [];
  };
  flush = (): void | Promise<void> => {
    this.calls.push('flush');
    return this.acts.flush?.();
  };
  close = (): void | Promise<void> => {
    this.calls.push('close');
    return this.acts.close?.();
  };

  append(lines: readonly string[]): void | Promise<void> {
    this.calls.push('append');
    const stored = (): void => void this.batches.push([...lines]);
    const done = this.acts.append?.(lines);
    return done instanceof Promise ? done.then(stored) : stored();
  }
}

/** Signs as {@link createSigner} does, and without waiting for another thread, of which a simulated clock knows nothing. */
export function signerAtOnce(key: Uint8Array): Signer {
  return {
    algorithm: 'HMAC-SHA-256',
    key: 'spring',
    sign: (segment, hash) =>
      Promise.resolve(createHmac('sha256', key).update(`holdfast-audit:1:${segment}:${hash}`).digest('base64')),
  };
}

export const FOR_EVER = new Promise<never>(() => undefined);

/** A trail to a scripted sink. */
export class TrailRig {
  readonly clock = new SimulatedClock();
  readonly sink: ScriptedSink;
  readonly trail: Trail;
  readonly errors: AuditError[] = [];
  #made = 0;

  constructor(acts: Acts = {}, options: { most?: Partial<TrailOptions['most']>; signer?: Signer } = {}) {
    this.sink = new ScriptedSink(acts);
    this.trail = new Trail({
      sink: this.sink,
      clock: this.clock,
      now: () => ({ at: this.clock.now(), mono: this.clock.now() }),
      opened: () => Promise.resolve({ run: 'run', machines: {}, level: 'transitions' }),
      signer: options.signer,
      most: { records: 1_000, bytes: 1_000_000, ...options.most },
      report: (error) => this.errors.push(error),
    });
  }

  /** Adds records, whose names are counted. */
  add(count = 1): void {
    for (let n = 0; n < count; n++) this.trail.add(this.item());
  }

  item(more: Partial<Item> = {}): Item {
    const moment = { at: this.clock.now(), mono: this.clock.now() };
    return {
      at: moment.at,
      body: canonicalJson({ kind: 'attached', service: String(this.#made++), v: 1, ...moment }),
      ...more,
    };
  }

  /** The names of the records that were stored, in order. */
  get stored(): string[] {
    return this.sink.records.flatMap((record) => (record.kind === 'attached' ? [record.service] : []));
  }

  async pass(ms = 0): Promise<void> {
    await this.clock.advanceAsync(ms);
    for (let turn = 0; turn < 20; turn++) await microtasks();
  }

  /** Ends it. @returns How long that took. */
  async close(deadlineMs = 5_000): Promise<number> {
    return this.timed(this.trail.close(deadlineMs));
  }

  /** How long a promise takes to settle; what it rejects with is thrown. */
  async timed(promise: Promise<unknown>): Promise<number> {
    const began = this.clock.now();
    const fate = fateOf(promise);
    await this.pass();
    while (fate.kind === 'pending' && this.clock.now() - began < 100_000) {
      await this.pass(this.clock.untilNextMs() ?? 100_000);
    }
    const ms = this.clock.now() - began;
    await promise;
    return ms;
  }
}
