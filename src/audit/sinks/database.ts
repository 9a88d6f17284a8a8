import { quiet } from '../../core/isolation.ts';
import * as rules from '../../core/rules.ts';
import { headOf } from './stored.ts';

/** The store of lines, by their number. */
export const LINES = 'lines';
/** The store of segments: the number of the first line of each, by its own number. */
export const SEGMENTS = 'segments';

export interface ReadIndexedDbOptions {
  /** @default 'holdfast-audit' */
  database?: string;
  /** Lines that are read at once, and are in memory. @default 256 */
  pageSize?: number;
  /** @default the platform's */
  indexedDB?: IDBFactory;
}

const VERSION = 1;

const rule = rules.object({
  database: rules.text,
  pageSize: rules.positive,
  indexedDB: rules.must('an object with open', (value) => rules.has(value, 'open')),
});

/**
 * The lines that `indexedDbSink` has stored, in order, a page at a time; also while another page writes. Of a database that does not exist, none: it is made.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`
 */
export function readIndexedDb(options: ReadIndexedDbOptions = {}): AsyncIterableIterator<string> {
  rules.check(rule, options);
  return pages(options);
}

async function* pages({
  database = 'holdfast-audit',
  pageSize = 256,
  indexedDB,
}: ReadIndexedDbOptions): AsyncGenerator<string, void> {
  const db = await openDatabase(database, indexedDB);
  try {
    for (let after = -1; ;) {
      const page = await valueOf(
        db.transaction(LINES).objectStore(LINES).getAll(IDBKeyRange.lowerBound(after, true), pageSize),
      );
      yield* page as string[];
      if (page.length < pageSize) return;
      after = headOf(page.at(-1) as string).seq;
    }
  } finally {
    db.close();
  }
}

/** Opens the database of a log, made where it is missing. It closes itself when somebody deletes it. */
export async function openDatabase(database: string, given?: IDBFactory): Promise<IDBDatabase> {
  const factory = given ?? (globalThis as { indexedDB?: IDBFactory }).indexedDB;
  if (!factory) throw new Error('The platform has no IndexedDB.');
  const request = factory.open(database, VERSION);
  request.onupgradeneeded = () => {
    for (const store of [LINES, SEGMENTS]) request.result.createObjectStore(store);
  };
  const db = await valueOf(request);
  db.onversionchange = () => db.close();
  return db;
}

/** Writes in one transaction: all of it is stored when it resolves, and nothing when it rejects. */
export async function write(transaction: IDBTransaction, writes: () => void | Promise<void>): Promise<void> {
  const outcome = quiet(
    new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('The transaction was given up.'));
    }),
  );
  try {
    await writes();
  } catch (cause) {
    giveUp(transaction);
    throw cause;
  }
  await outcome;
}

function giveUp(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // it has ended
  }
}

/** What a request gives. */
export function valueOf<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The request failed.'));
  });
}
