import { isFunction, must } from '../core/rules.ts';
import { lineOfEntry, readLine, type AuditEntry } from './chain.ts';
import { sha256 } from './digest.ts';

/** What stands where a line should, and is none. */
export interface FlawedLine {
  /** `torn`: it is the last, and has no line break; `encoding`: it is not UTF-8; `length`: with more than 16 MiB it is longer than any line of a log. */
  flaw: 'torn' | 'encoding' | 'length';
  /** How long it is; of text that was decoded already, in characters. */
  bytes: number;
}

/** A piece of a log: a line without its line break, an entry that was parsed already, or what is neither. */
export type AuditLine = string | AuditEntry | FlawedLine;

/** A log, oldest first, such as `readAuditFile` reads it, {@link linesOf} splits it, or a database returns its entries. */
export type AuditSource = Iterable<AuditLine> | AsyncIterable<AuditLine>;

/** A line that was read: `hash` is the one that its content has. */
export type Reading =
  | { entry: AuditEntry; hash: string; problem: null }
  | { entry: null; problem: 'malformed' | 'future' | 'torn'; why: string };

const isIterable = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (isFunction((value as Iterable<unknown>)[Symbol.iterator]) ||
    isFunction((value as AsyncIterable<unknown>)[Symbol.asyncIterator]));
/** Holds what is given to be a log. */
export const sourceRule = must('an iterable of lines or entries', isIterable);

const NO_ENTRY: Reading = { entry: null, problem: 'malformed', why: 'it is not an entry of an audit log' };

// so few that they are gone before the garbage collector has to move them
const BATCH_LINES = 32;
const BATCH_CHARACTERS = 2 ** 20;
const TURN_BATCHES = 128;

/** Splits the text of a log into its lines, and marks a last one that has no line break. */
export function linesOf(text: string): AuditLine[] {
  const lines: AuditLine[] = text.split('\n');
  const rest = lines.pop() as string;
  return rest === '' ? lines : [...lines, { flaw: 'torn', bytes: rest.length }];
}

/**
 * Reads a log by and by, in batches, and lets other work of the process have its turn after some of them: where a digest is made at once, waiting for it would not.
 */
export async function* readingsOf(source: AuditSource): AsyncGenerator<Reading[]> {
  let batch: AuditLine[] = [];
  let characters = 0;
  let batches = 0;
  for await (const line of untouched(source)) {
    batch.push(line);
    characters += typeof line === 'string' ? line.length : 0;
    if (batch.length < BATCH_LINES && characters < BATCH_CHARACTERS) continue;
    const isTurn = ++batches % TURN_BATCHES === 0 || characters >= BATCH_CHARACTERS;
    yield await readingsOfBatch(batch);
    batch = [];
    characters = 0;
    if (isTurn) await new Promise((resolve) => setTimeout(resolve));
  }
  yield await readingsOfBatch(batch);
}

/** A list as a source of its own kind: a line of it that was waited for would be asked for its `then`, and may be anything. */
function untouched(source: AuditSource): AsyncIterable<AuditLine> {
  if (isFunction((source as AsyncIterable<AuditLine>)[Symbol.asyncIterator])) return source as AsyncIterable<AuditLine>;
  const lines = (source as Iterable<AuditLine>)[Symbol.iterator]();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve(lines.next()),
      return: () => Promise.resolve(lines.return?.() ?? { done: true, value: undefined }),
    }),
  };
}

async function readingsOfBatch(batch: readonly AuditLine[]): Promise<Reading[]> {
  const readings = batch.map(readingOf);
  // where the platform digests elsewhere, it has all of them at once
  return readings.some((reading) => reading instanceof Promise)
    ? Promise.all(readings as Promise<Reading>[])
    : (readings as Reading[]);
}

function readingOf(line: AuditLine): Reading | Promise<Reading> {
  const text = textOf(line);
  if (typeof text !== 'string') return text;
  const read = readLine(text);
  if (!read.entry) return read;
  const { entry } = read;
  const hash = sha256(read.hashed);
  return typeof hash === 'string'
    ? { entry, hash, problem: null }
    : hash.then((late) => ({ entry, hash: late, problem: null }));
}

function textOf(line: AuditLine): string | Reading {
  if (typeof line === 'string') return line;
  try {
    return 'flaw' in line ? flawed(line) : lineOfEntry(line);
  } catch {
    return NO_ENTRY;
  }
}

function flawed({ flaw, bytes }: FlawedLine): Reading {
  switch (flaw) {
    case 'torn':
      return {
        entry: null,
        problem: 'torn',
        why: `it has no line break: its ${bytes} bytes were not finished, or cut`,
      };
    case 'encoding':
      return { entry: null, problem: 'malformed', why: 'it is not UTF-8' };
    case 'length':
      return { entry: null, problem: 'malformed', why: `with ${bytes} bytes it is longer than any line of a log` };
    default:
      return NO_ENTRY;
  }
}
