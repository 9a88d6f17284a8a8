import type { Head } from './chain.ts';
import { bodyOf } from './chaining.ts';
import type { AuditSink } from './sink.ts';
import { Trail, type TrailOptions, type TrailStatus } from './trail.ts';

/** Where it is said how far the chains are, and how often: whoever cuts the end of a log off, or writes it anew, has to do so there as well. */
export interface CheckpointOptions {
  /** Best where others write: another machine, another account. */
  sinks: readonly AuditSink[];
  /** After so many records. @default 1000 */
  everyRecords?: number;
  /** No later than this after a record, in ms. @default 60,000 */
  everyMs?: number;
}

/** Says how far chains are, in chains of its own. */
export class Checkpoints {
  readonly trails: readonly Trail[];
  readonly #run: string;
  readonly #clock: TrailOptions['clock'];
  readonly #now: TrailOptions['now'];
  readonly #everyRecords: number;
  readonly #everyMs: number;
  // by the name of the sink: what is stored, and what was said of it last
  readonly #heads = new Map<string, Head>();
  readonly #said = new Map<string, number>();
  #timer: unknown;

  constructor(options: CheckpointOptions | undefined, { run, ...trail }: Omit<TrailOptions, 'sink'> & { run: string }) {
    this.#run = run;
    this.trails = (options?.sinks ?? []).map((sink) => new Trail({ ...trail, sink }));
    this.#clock = trail.clock;
    this.#now = trail.now;
    this.#everyRecords = options?.everyRecords ?? 1_000;
    this.#everyMs = options?.everyMs ?? 60_000;
  }

  get status(): TrailStatus[] {
    return this.trails.map(({ status }) => status);
  }

  /** A chain is stored as far as this. */
  note(sink: string, head: Head): void {
    if (this.trails.length === 0) return;
    this.#heads.set(sink, head);
    if (head.seq - (this.#said.get(sink) ?? -1) >= this.#everyRecords) this.#say(sink, head);
    else {
      this.#timer ??= this.#clock.setTimeout(() => {
        this.#sayAll();
      }, this.#everyMs);
    }
  }

  async close(deadlineMs: number): Promise<void> {
    this.#sayAll();
    await Promise.all(this.trails.map((trail) => trail.close(deadlineMs)));
  }

  #sayAll(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [sink, head] of this.#heads) if (head.seq > (this.#said.get(sink) ?? -1)) this.#say(sink, head);
  }

  #say(of: string, { seq, hash }: Head): void {
    this.#said.set(of, seq);
    const moment = this.#now();
    const body = bodyOf('checkpoint', { of, run: this.#run, seq, hash }, moment);
    for (const trail of this.trails) trail.add({ at: moment.at, body });
  }
}
