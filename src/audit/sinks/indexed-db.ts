import * as rules from '../../core/rules.ts';
import { AuditError } from '../../errors.ts';
import type { RemovedSegment } from '../record.ts';
import type { AuditSink, SinkTail } from '../sink.ts';
import { LINES, openDatabase, SEGMENTS, valueOf, write } from './database.ts';
import { closedError, headOf, soundEntry } from './stored.ts';

export interface IndexedDbSinkOptions {
  /** The name of the database; it holds nothing else. @default 'holdfast-audit' */
  database?: string;
  /** @default 'indexeddb' */
  name?: string;
  /** Lines of a segment, give or take the last batch. @default 10_000 */
  maxRecordsPerSegment?: number;
  /** How many segments are kept, the running one among them. @default 10 */
  maxSegments?: number;
  /** @default the platform's */
  indexedDB?: IDBFactory;
  /** @default the platform's */
  locks?: Pick<LockManager, 'request'>;
}

/** What the sink writes to. */
interface Running {
  db: IDBDatabase;
  segment: number;
  /** Number of the segment's first line, and of the next. */
  first: number;
  next: number;
  /** Up to which number lines are deleted with the next that are stored, and the segments before which. */
  drop: { lines: number; segments: number } | null;
}

const rule = rules.object({
  database: rules.text,
  name: rules.text,
  maxRecordsPerSegment: rules.positive,
  maxSegments: rules.positive,
  indexedDB: rules.must('an object with open', (value) => rules.has(value, 'open')),
  locks: rules.must('an object with request', (value) => rules.has(value, 'request')),
});

/**
 * Keeps a log in an IndexedDB of the browser, one batch a transaction. One page at a time writes, the one that holds the Web Lock `holdfast-audit:<database>`: `open` waits for it
 * until `close` is called, and takes over where the page before has ended, however it did. A browser may not keep a page with a lock for the way back (the back/forward cache).
 *
 * Transactions have the durability `relaxed`, so that a power failure may take the newest of them; `flush` makes sure with one that is `strict`.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`
 */
export function indexedDbSink(options: IndexedDbSinkOptions = {}): AuditSink {
  rules.check(rule, options);
  return new IndexedDbSink(options);
}

class IndexedDbSink implements AuditSink {
  readonly name: string;
  readonly #options: Required<Omit<IndexedDbSinkOptions, 'indexedDB' | 'locks'>> & IndexedDbSinkOptions;
  readonly #closing = new AbortController();
  #running: Running | null = null;
  #release: (() => void) | null = null;

  constructor(options: IndexedDbSinkOptions) {
    this.#options = {
      database: 'holdfast-audit',
      name: 'indexeddb',
      maxRecordsPerSegment: 10_000,
      maxSegments: 10,
      ...options,
    };
    this.name = this.#options.name;
  }

  open(): Promise<SinkTail | null> {
    return this.#attempt('cannot be opened', async () => {
      this.#release = await this.#locked();
      let db: IDBDatabase | undefined;
      try {
        db = await openDatabase(this.#options.database, this.#options.indexedDB);
        const { line, segment, first } = await readTail(db);
        const entry = line === undefined ? null : await soundEntry(line);
        if (line !== undefined && !entry) throw this.#invalid();
        this.#closing.signal.throwIfAborted();
        this.#running = { db, segment, first, next: (entry?.seq ?? -1) + 1, drop: null };
        return line === undefined ? null : { line, segment };
      } catch (cause) {
        db?.close();
        this.#letGo();
        throw cause;
      }
    });
  }

  append(lines: readonly string[]): Promise<void> {
    return this.#attempt('cannot be written to', async () => {
      const running = this.#own();
      if (lines.length === 0) return;
      const { db, segment, first, next, drop } = running;
      const transaction = db.transaction([LINES, SEGMENTS], 'readwrite', { durability: 'relaxed' });
      await write(transaction, () => {
        // `add` refuses what is there, so that no line can take the place of another
        for (const line of lines) transaction.objectStore(LINES).add(line, headOf(line).seq);
        if (first === next) transaction.objectStore(SEGMENTS).put(first, segment);
        if (!drop) return;
        transaction.objectStore(LINES).delete(IDBKeyRange.upperBound(drop.lines));
        transaction.objectStore(SEGMENTS).delete(IDBKeyRange.upperBound(drop.segments));
      });
      running.next += lines.length;
      running.drop = null;
    });
  }

  isFull(): boolean {
    const running = this.#running;
    return running !== null && running.next - running.first >= this.#options.maxRecordsPerSegment;
  }

  rotate(): Promise<readonly RemovedSegment[]> {
    return this.#attempt('cannot begin another segment', async () => {
      const running = this.#own();
      const segment = running.segment + 1;
      const removed = await readOld(running, segment - this.#options.maxSegments);
      const last = removed.at(-1);
      // both are stored with the first line of the segment, or not at all
      running.drop = last ? { lines: last.seq, segments: last.segment } : null;
      running.segment = segment;
      running.first = running.next;
      return removed;
    });
  }

  flush(): Promise<void> {
    return this.#attempt('cannot be flushed', async () => {
      if (!this.#running) return;
      const transaction = this.#running.db.transaction(SEGMENTS, 'readwrite', { durability: 'strict' });
      await write(transaction, async () => {
        const newest = await valueOf(transaction.objectStore(SEGMENTS).openCursor(null, 'prev'));
        // the same again: a transaction that writes nothing may make sure of nothing
        newest?.update(newest.value);
      });
    });
  }

  close(): void {
    this.#closing.abort(closedError(this.name));
    this.#running?.db.close();
    this.#running = null;
    this.#letGo();
  }

  #own(): Running {
    this.#closing.signal.throwIfAborted();
    if (!this.#running) throw new Error('it is not open');
    return this.#running;
  }

  /** Waits until no other page writes, for what lets go of that again. */
  #locked(): Promise<() => void> {
    const { database, locks = platformLocks() } = this.#options;
    const { signal } = this.#closing;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (!locks) throw new Error('The platform has no Web Locks.');
      const held = (): Promise<void> => new Promise((release) => resolve(release));
      locks.request(`holdfast-audit:${database}`, { mode: 'exclusive', signal }, held).catch(reject);
    });
  }

  #letGo(): void {
    this.#release?.();
    this.#release = null;
  }

  async #attempt<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof AuditError) throw cause;
      const message = `The database ${this.#options.database} of the audit log ${what}.`;
      throw new AuditError('AUDIT_SINK_FAILED', { sink: this.name, message, cause });
    }
  }

  #invalid(): AuditError {
    const message = `The database ${this.#options.database} does not hold an audit log that can go on; it was left as it is.`;
    return new AuditError('AUDIT_LOG_INVALID', { sink: this.name, message });
  }
}

/** The last line, its segment, and the number of that segment's first line. */
async function readTail(db: IDBDatabase): Promise<{ line: string | undefined; segment: number; first: number }> {
  const transaction = db.transaction([LINES, SEGMENTS]);
  const [lines, segments] = await Promise.all([
    valueOf(transaction.objectStore(LINES).openCursor(null, 'prev')),
    valueOf(transaction.objectStore(SEGMENTS).openCursor(null, 'prev')),
  ]);
  return {
    line: lines?.value as string | undefined,
    segment: Number(segments?.key ?? 1),
    first: (segments?.value as number | undefined) ?? 0,
  };
}

/** The segments up to a number, each with its last line, oldest first. */
async function readOld({ db, next }: Running, upTo: number): Promise<RemovedSegment[]> {
  const transaction = db.transaction([LINES, SEGMENTS]);
  const numbers = await valueOf(transaction.objectStore(SEGMENTS).getAllKeys(IDBKeyRange.upperBound(upTo)));
  return Promise.all(
    numbers.map(async (number) => {
      const following = await valueOf<unknown>(transaction.objectStore(SEGMENTS).get(Number(number) + 1));
      const line = await valueOf<unknown>(transaction.objectStore(LINES).get(Number(following ?? next) - 1));
      return { segment: Number(number), ...headOf(String(line)) };
    }),
  );
}

function platformLocks(): IndexedDbSinkOptions['locks'] {
  return (globalThis as { navigator?: Partial<Navigator> }).navigator?.locks;
}
