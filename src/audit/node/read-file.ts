import { open, stat, type FileHandle } from 'node:fs/promises';

import { callback, check, must, object, required, text } from '../../core/rules.ts';
import { HoldfastError } from '../../errors.ts';
import type { FlawedLine } from '../source.ts';
import { LineSplitter } from './line-splitter.ts';
import { storedSegments, type EndedSegment } from './segments.ts';

export interface ReadAuditFileOptions {
  /** Ends the reading: it rejects with the reason. */
  signal?: AbortSignal;
  /** Called after each piece that was read, of at most 64 KiB, with the bytes so far and those that there were when it began. */
  onProgress?: (bytesRead: number, bytesTotal: number) => void;
  /**
   * Called at the end of what there is, and again at each later end: whether to look for what has come since. It decides how long to wait before that.
   *
   * @default () => false
   */
  onEnd?: () => boolean | Promise<boolean>;
}

const CHUNK_BYTES = 2 ** 16;

const rule = object({
  path: required(text),
  signal: must('an AbortSignal', (value) => value instanceof AbortSignal),
  onProgress: callback,
  onEnd: callback,
});

/**
 * Reads a log that `fileSink` keeps, line by line: first the segments beside the file that have ended, `out.000001.jsonl` of `out.jsonl` and so on, then the file. The path of
 * a segment that has ended reads that one alone. It holds one piece of 64 KiB and one line in memory, whatever the files hold; lines of more than 16 MiB,
 * and what is not UTF-8, are told as such.
 *
 * @throws {HoldfastError} `AUDIT_UNREADABLE`: there is no such file, nothing in it, it is a directory, or the system refuses it; `cause` has the system's error.
 * @throws {ConfigurationError} `INVALID_OPTIONS`.
 */
export async function* readAuditFile(
  path: string,
  options: ReadAuditFileOptions = {},
): AsyncGenerator<string | FlawedLine, void> {
  check(rule, { ...options, path });
  const reader = new Reader(path, options);
  try {
    await reader.begin();
    for (let file = await reader.next(); file; file = await reader.next()) yield* reader.read(file);
  } catch (cause) {
    throw isOfSystem(cause) ? unreadable(`The audit log ${path} cannot be read: ${cause.code}.`, cause) : cause;
  }
}

interface OpenFile {
  handle: FileHandle;
  /** Of a segment that has ended. */
  number: number | null;
}

class Reader {
  readonly #path: string;
  readonly #options: ReadAuditFileOptions;
  #bytesRead = 0;
  #bytesTotal = 0;
  /** The last segment that was read. */
  #last = -1;
  #isDone = false;

  constructor(path: string, options: ReadAuditFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  async begin(): Promise<void> {
    const found = await stat(this.#path).catch(missing);
    if (found && !found.isFile())
      throw unreadable(`${this.#path} is ${found.isDirectory() ? 'a directory' : 'no file'}.`);
    const segments = await this.#later();
    if (!found && segments.length === 0) throw unreadable(`There is no file ${this.#path}.`);
    const sizes = await Promise.all(segments.map(({ path }) => stat(path).then(({ size }) => size)));
    this.#bytesTotal = sizes.reduce((sum, size) => sum + size, found?.size ?? 0);
    if (this.#bytesTotal === 0 && !this.#options.onEnd) throw unreadable(`${this.#path} is empty.`);
  }

  /** The file that follows; `null` after the last. */
  async next(): Promise<OpenFile | null> {
    while (!this.#isDone) {
      const [segment] = await this.#later();
      if (segment) return await this.#openSegment(segment);
      const handle = await open(this.#path).catch(missing);
      if (!handle) {
        // between the end of a segment and the next one there is no file for a moment
        this.#isDone = !(await this.#options.onEnd?.());
        this.#options.signal?.throwIfAborted();
        continue;
      }
      if ((await this.#later()).length === 0) return { handle, number: null };
      // a segment has ended in the meantime, and comes first
      await handle.close();
    }
    return null;
  }

  async *read({ handle, number }: OpenFile): AsyncGenerator<string | FlawedLine, void> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const splitter = new LineSplitter();
    let position = 0;
    let ahead: ReturnType<typeof readOn> | null = null;
    let isEnded = number !== null;
    const readOn = () => handle.read(buffer, 0, CHUNK_BYTES, position);
    // what was at the end then may be another by now: more has come, or a line that was not finished was cut off
    const readNext = async () => {
      const early = await ahead;
      ahead = null;
      return early?.bytesRead === CHUNK_BYTES ? early : await readOn();
    };
    try {
      while (true) {
        this.#options.signal?.throwIfAborted();
        const { bytesRead } = await readNext();
        position += bytesRead;
        if (bytesRead > 0) {
          const lines = splitter.take(buffer.subarray(0, bytesRead));
          // the next piece comes while these lines are worked on
          ahead = readOn();
          ahead.catch(() => undefined);
          yield* lines;
          this.#report(bytesRead);
        } else if (isEnded) break;
        else if (!(await this.#options.onEnd?.())) {
          this.#isDone = true;
          break;
        } else {
          isEnded = await this.#hasEnded(handle);
          // a line that was not finished is cut off by the process that goes on
          if ((await handle.stat()).size < position) {
            position -= splitter.restBytes;
            splitter.end();
          }
        }
      }
      const torn = splitter.end();
      if (torn) yield torn;
      if (number !== null) this.#last = number;
    } finally {
      await handle.close();
    }
  }

  /** Whether the file that is read is a segment that has ended by now. */
  async #hasEnded(handle: FileHandle): Promise<boolean> {
    const [segment] = await this.#later();
    if (!segment) return false;
    // it may have been removed since: then the segments that are left are all to be read
    const [own, other] = await Promise.all([handle.stat(), stat(segment.path).catch(missing)]);
    if (own.ino === other?.ino && own.dev === other.dev) this.#last = segment.number;
    return true;
  }

  async #later(): Promise<EndedSegment[]> {
    return ((await storedSegments(this.#path).catch(missing)) ?? []).filter(({ number }) => number > this.#last);
  }

  async #openSegment({ path, number }: EndedSegment): Promise<OpenFile> {
    const handle = await open(path).catch(missing);
    if (handle) return { handle, number };
    throw unreadable(`${path} was removed while the log was read: read it again.`);
  }

  #report(bytesRead: number): void {
    this.#bytesRead += bytesRead;
    this.#options.onProgress?.(this.#bytesRead, Math.max(this.#bytesRead, this.#bytesTotal));
  }
}

function missing(error: unknown): null {
  if (isOfSystem(error) && error.code === 'ENOENT') return null;
  throw error;
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

function unreadable(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('AUDIT_UNREADABLE', { message, ...(cause !== undefined && { cause }) });
}
