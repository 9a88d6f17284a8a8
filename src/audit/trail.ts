import { AuditError, type HoldfastError } from '../errors.ts';
import { isThenable } from '../core/isolation.ts';
import { monotonicNow, type Clock } from '../transport/clock.ts';
import type { Head } from './chain.ts';
import { bodyOf, Chaining, type Says } from './chaining.ts';
import type { Item, Moment } from './recorder.ts';
import type { Signer } from './signature.ts';
import type { AuditSink } from './sink.ts';
import { within } from './within.ts';

/** How one sink of a log is doing. */
export interface TrailStatus {
  sink: string;
  /** `opening`: it is not ready yet; `failing`: it could not store what it was given, and is given it again. */
  state: 'opening' | 'writing' | 'failing' | 'closed';
  /** Records that wait to be stored. */
  waiting: number;
  /** Lines that were stored in this run. */
  stored: number;
  /** Records that there was no room for, of which a `gap` record says where; and those that were not stored in the end. */
  lost: number;
  /** The number of the last line that was stored in this run; -1 for none. */
  seq: number;
  /** What went wrong last; `null` until something has. */
  lastError: HoldfastError | null;
}

export interface TrailOptions {
  sink: AuditSink;
  clock: Clock;
  now: () => Moment;
  /** What the first record of the run says. */
  opened: () => Promise<Says<'opened'>>;
  signer: Signer | undefined;
  /** How many records, and how many characters of them, may wait. */
  most: { records: number; bytes: number };
  /** Hears of trouble: once each time that it begins. */
  report: (error: AuditError) => void;
  /** Hears how far the chain is stored, after each batch. */
  stored?: ((head: Head) => void) | undefined;
}

/** What stands between records that wait: records that there was no room for, or the end of a segment. */
type Mark = { kind: 'gap'; says: Says<'gap'> } | { kind: 'turn' };

// for so long are records gathered, unless there are many
const GATHERING_MS = 100;
const MANY = 256;
const STALL_MS = 10_000;
// what is longer no reader takes for a line
const MOST_CHARACTERS = 4 * 1_048_576;
const BATCH = { records: 512, bytes: 262_144 };
const WAIT = { firstMs: 250, mostMs: 30_000 };

/**
 * The way of records to one sink: a bounded queue, then its chain. Whoever adds to it neither waits nor hears of trouble. What cannot be stored is tried again; what there is no
 * room for is counted, and the chain says so.
 */
export class Trail {
  readonly #options: TrailOptions;
  readonly #chaining: Chaining;
  #state: TrailStatus['state'] = 'opening';
  #isReady = false;
  #queue: (string | Mark)[] = [];
  #bytes = 0;
  // actors whose state is on record since the last mark: what is between two marks can be replayed by itself
  #based = new WeakSet();
  #lost = 0;
  #stored = 0;
  #head: Head | null = null;
  // chained, and not stored yet
  #lines: string[] = [];
  #lastError: AuditError | null = null;
  #waitMs = WAIT.firstMs;
  #timer: unknown;
  #stall: unknown;
  // what the sink does now, and whether it went well: one thing at a time
  #work: Promise<boolean> | null = null;
  #closing: Promise<void> | undefined;
  // what was put into the queue, what was taken from it, and what of that is stored
  #pushed = 0;
  #taken = 0;
  #settled = 0;
  // what wants the sink for itself, before more is stored
  readonly #asked: (() => void)[] = [];

  constructor(options: TrailOptions) {
    this.#options = options;
    this.#chaining = new Chaining(options.signer, options.now);
  }

  get status(): TrailStatus {
    return {
      sink: this.#options.sink.name,
      state: this.#state,
      waiting: this.#queue.length + this.#lines.length,
      stored: this.#stored,
      lost: this.#lost,
      seq: this.#head?.seq ?? -1,
      lastError: this.#lastError,
    };
  }

  /** Takes a record, or counts it. */
  add(item: Item): void {
    if (this.#state === 'closed') return;
    const { records, bytes } = this.#options.most;
    const hasRoom = this.#queue.length < records && this.#bytes + item.body.length <= bytes;
    if (hasRoom && item.body.length <= MOST_CHARACTERS) this.#take(item);
    else this.#miss(item);
    if (this.#queue.length >= MANY && this.#state === 'writing') this.#begin();
    else this.#later(GATHERING_MS);
  }

  /** Resolves once everything that was added is stored, and safe as far as the sink can make it. @throws {AuditError} Rejects once that fails, or takes too long. */
  async flush(deadlineMs: number): Promise<void> {
    const isDone = await within(this.#options.clock, deadlineMs, () => this.#flush());
    if (!isDone) throw this.#errorOf(new Error('It did not store everything in time.'));
  }

  // what is added meanwhile may wait for another
  async #flush(): Promise<void> {
    const target = this.#pushed;
    while (!this.#isClosed) {
      this.#begin();
      if ((await this.#work) === false) throw this.#lastError as AuditError;
      if (this.#isReady && this.#settled >= target) break;
    }
    if (this.#isClosed) {
      if (this.#waits) throw this.#lastError as AuditError;
      return;
    }
    if (!(await this.#alone(() => this.#options.sink.flush?.()))) throw this.#lastError as AuditError;
    if (this.#state === 'failing') this.#state = 'writing';
  }

  /** Stores what waits, says that nothing follows, and lets go of the sink: within the deadline, whatever the sink does. */
  close(deadlineMs: number): Promise<void> {
    return (this.#closing ??= this.#close(deadlineMs));
  }

  async #close(deadlineMs: number): Promise<void> {
    const { sink, clock } = this.#options;
    const began = monotonicNow(clock);
    await within(clock, deadlineMs, () => this.#finish().catch(() => undefined));
    this.#rest();
    clock.clearTimeout(this.#stall);
    this.#state = 'closed';
    const left = this.#queue.length + this.#lines.length;
    this.#lost += left;
    if (left > 0) this.#report(new Error(`${left} records could not be stored before the end.`));
    await within(clock, Math.max(0, deadlineMs - (monotonicNow(clock) - began)), async () => {
      try {
        await sink.close?.();
      } catch (cause) {
        this.#report(cause);
      }
    });
  }

  get #waits(): boolean {
    return this.#queue.length > 0 || this.#lines.length > 0;
  }

  // what waits may have changed it
  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  async #finish(): Promise<void> {
    await this.#persist();
    // both or neither: what is closed and not sealed looks as if somebody had cut the seal off
    const closed = await this.#chaining.link([bodyOf('closed', {}, this.#options.now())]);
    const lines = [...closed, ...(await this.#chaining.seal())];
    if (this.#isClosed) return;
    this.#lines = lines;
    await this.#persist();
  }

  // as often as there is time for: there is no later
  async #persist(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#flush();
        return;
      } catch {
        await this.#pause();
      }
    }
  }

  // instead of the timer that would try again
  #pause(): Promise<void> {
    this.#rest();
    return new Promise((resolve) => {
      this.#timer = this.#options.clock.setTimeout(() => {
        this.#timer = undefined;
        resolve();
      }, WAIT.firstMs);
    });
  }

  #take({ actor, base, body }: Item): void {
    if (actor && base !== undefined && !this.#based.has(actor)) {
      this.#based.add(actor);
      if (base) this.#push(base());
    }
    this.#push(body);
  }

  #push(body: string): void {
    this.#queue.push(body);
    this.#pushed += 1;
    this.#bytes += body.length;
  }

  #miss({ at }: Item): void {
    this.#lost += 1;
    const last = this.#queue.at(-1);
    if (typeof last === 'object' && last.kind === 'gap') last.says = { ...last.says, lost: last.says.lost + 1 };
    else {
      this.#mark({ kind: 'gap', says: { lost: 1, since: at } });
      this.#report(new Error('It is too slow: records are lost.'));
    }
  }

  #mark(mark: Mark): void {
    this.#queue.push(mark);
    this.#pushed += 1;
    this.#based = new WeakSet();
  }

  #later(delayMs: number): void {
    if (this.#timer !== undefined || this.#work || this.#isClosed) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#begin();
    }, delayMs);
  }

  #rest(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #begin(): void {
    if (!this.#work && !this.#isClosed) void this.#occupy(() => this.#run());
  }

  // resolves with whether everything went well; never rejects
  #occupy(act: () => unknown): Promise<boolean> {
    this.#rest();
    if (this.#isReady) this.#watch();
    this.#work = this.#safely(act).then((isDone) => {
      this.#options.clock.clearTimeout(this.#stall);
      this.#work = null;
      const asked = this.#asked.shift();
      if (asked) asked();
      else if (!isDone) this.#later(this.#waited());
      else if (this.#waits) this.#begin();
      return isDone;
    });
    return this.#work;
  }

  // it may wait for as long as it wants to be ready, and no longer to store
  #watch(): void {
    this.#stall = this.#options.clock.setTimeout(() => {
      this.#state = 'failing';
      this.#report(new Error('It has not answered for 10 seconds.'));
    }, STALL_MS);
  }

  // the same once the sink has done what it does now
  #alone(act: () => unknown): Promise<boolean> {
    if (!this.#work) return this.#occupy(act);
    return new Promise((resolve) => {
      this.#asked.push(() => {
        resolve(this.#occupy(act));
      });
    });
  }

  // one batch: others may want something in between
  async #run(): Promise<void> {
    if (!this.#isReady) await this.#open();
    if (!this.#isClosed) await this.#store();
  }

  async #open(): Promise<void> {
    const { sink, opened } = this.#options;
    const tail = (await sink.open?.()) ?? null;
    const lines = await this.#chaining.begin(tail, await opened());
    if (this.#isClosed) return;
    this.#lines = lines;
    this.#isReady = true;
    this.#watch();
  }

  async #store(): Promise<void> {
    const { sink } = this.#options;
    if (this.#lines.length === 0) {
      if (!this.#waits) return;
      if (sink.isFull?.() && !this.#queue.some(isTurn)) this.#mark({ kind: 'turn' });
      this.#lines = await this.#next();
      // the end may have come meanwhile, here and below
      if (this.#isClosed) return;
    }
    const { length } = this.#lines;
    const appended = sink.append(this.#lines);
    if (isThenable(appended)) await appended;
    if (this.#isClosed) return;
    this.#lines = [];
    this.#settled = this.#taken;
    this.#stored += length;
    this.#head = this.#chaining.head;
    this.#state = 'writing';
    this.#waitMs = WAIT.firstMs;
    this.#options.stored?.(this.#head);
  }

  #next(): Promise<string[]> {
    const [first] = this.#queue;
    if (typeof first !== 'object') return this.#chaining.link(this.#batch());
    if (first.kind === 'turn') return this.#turn();
    this.#shift();
    return this.#chaining.link([bodyOf('gap', first.says, this.#options.now())]);
  }

  // a seal is stored before what it seals is put aside
  async #turn(): Promise<string[]> {
    const seal = await this.#chaining.seal();
    if (seal.length > 0) return seal;
    const removed: unknown = await this.#options.sink.rotate?.();
    if (this.#isClosed) return [];
    this.#shift();
    return this.#chaining.turn(removed);
  }

  #shift(): void {
    this.#queue.shift();
    this.#taken += 1;
  }

  // as many as fit into one, up to the next mark
  #batch(): string[] {
    let bytes = 0;
    const isEnd = (item: string | Mark): boolean => typeof item === 'object' || (bytes += item.length) > BATCH.bytes;
    const end = this.#queue.findIndex(isEnd);
    const size = Math.min(BATCH.records, end < 0 ? this.#queue.length : Math.max(1, end));
    const batch = this.#queue.splice(0, size) as string[];
    this.#taken += size;
    for (const body of batch) this.#bytes -= body.length;
    return batch;
  }

  async #safely(act: () => unknown): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (cause) {
      if (this.#state === 'closed') return false;
      const wasFailing = this.#state === 'failing';
      this.#state = 'failing';
      this.#fail(cause, wasFailing);
      return false;
    }
  }

  #fail(cause: unknown, isKnown: boolean): void {
    const error = this.#errorOf(cause);
    this.#lastError = error;
    if (!isKnown) this.#options.report(error);
  }

  #report(cause: unknown): void {
    this.#fail(cause, false);
  }

  #errorOf(cause: unknown): AuditError {
    if (cause instanceof AuditError) return cause;
    return new AuditError('AUDIT_SINK_FAILED', { sink: this.#options.sink.name, cause });
  }

  // what a server asks for, or twice as long as the last time
  #waited(): number {
    const asked = this.#lastError?.retryAfterMs ?? 0;
    const waitMs = Math.min(WAIT.mostMs, Math.max(this.#waitMs, asked));
    this.#waitMs = Math.min(WAIT.mostMs, this.#waitMs * 2);
    return waitMs;
  }
}

function isTurn(item: string | Mark): boolean {
  return typeof item === 'object' && item.kind === 'turn';
}
