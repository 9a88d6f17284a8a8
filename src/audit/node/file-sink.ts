import { mkdir, open, rename, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import * as rules from '../../core/rules.ts';
import { AuditError } from '../../errors.ts';
import { systemClock, type Clock } from '../../transport/clock.ts';
import type { RemovedSegment } from '../record.ts';
import type { AuditSink, SinkTail } from '../sink.ts';
import { closedError } from '../sinks/stored.ts';
import {
  dropRemoved,
  endedPath,
  endedSegments,
  readSegment,
  remove,
  settleRemoved,
  type EndedSegment,
  type SegmentFile,
} from './segments.ts';

export interface FileSinkOptions {
  /** The file that the log goes to. Its directory is made where it is missing. */
  path: string;
  /** @default 'file' */
  name?: string;
  /** Bytes of a segment, give or take the last batch. @default 64 MiB */
  maxBytes?: number;
  /** How old a segment may become before the next begins, in ms. @default 24 hours */
  maxAgeMs?: number;
  /** How many segments that have ended are kept. @default Infinity */
  keepSegments?: number;
  /** How long a segment is kept after it was last written to, in ms. @default Infinity */
  keepMs?: number;
  /**
   * When it is made sure of that what is written outlives the machine's power: after each `append`, at the end of each segment, or never by itself. `flush` always does so.
   *
   * @default 'segment'
   */
  fsync?: 'never' | 'segment' | 'append';
  /** @default the platform's */
  clock?: Pick<Clock, 'now'>;
}

/** The file that is written to. */
interface Running {
  handle: FileHandle;
  /** Which file it is: a path can become another's. */
  ino: number;
  /** Bytes of what is stored in it. */
  bytes: number;
  segment: number;
  beganAt: number;
  /** Something that is not stored may be at its end. */
  isTorn: boolean;
}

const bound = rules.must(
  'a whole number of at least 1, or Infinity',
  (value) => value === Infinity || rules.isWhole(value, 1),
);

const rule = rules.object({
  path: rules.required(rules.text),
  name: rules.text,
  maxBytes: bound,
  maxAgeMs: bound,
  keepSegments: rules.limit,
  keepMs: bound,
  fsync: rules.oneOf(['never', 'segment', 'append']),
  clock: rules.must('an object with now', (value) => rules.has(value, 'now')),
});

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

const ignored = (): undefined => undefined;

/**
 * Writes a log to a file, one line per record. A segment that has ended is `out.000001.jsonl` beside `out.jsonl`, and so on; whole segments are removed when they are too many
 * or too old, but never one whose end does not hold, nor those after it.
 *
 * A process that was killed is made up for by the next: a line that was not finished is cut off, a segment that ended and was not followed goes on. A file that is not such a
 * log is never changed: `open` rejects with `AUDIT_LOG_INVALID`. One process writes at a time: when another has opened the same path and written to it, this one's `append` rejects
 * instead of breaking the chain, and so it does when the file was moved away.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`
 */
export function fileSink(options: FileSinkOptions): AuditSink {
  rules.check(rule, options);
  return new FileSink(options);
}

class FileSink implements AuditSink {
  readonly name: string;
  readonly #options: Required<FileSinkOptions>;
  #running: Running | null = null;
  // segments were removed, and the line that says so is not stored yet
  #isRemoving = false;
  #isClosed = false;

  constructor(options: FileSinkOptions) {
    this.#options = {
      name: 'file',
      maxBytes: 67_108_864,
      maxAgeMs: 86_400_000,
      keepSegments: Infinity,
      keepMs: Infinity,
      fsync: 'segment',
      clock: systemClock(),
      ...options,
    };
    this.name = this.#options.name;
  }

  open(): Promise<SinkTail | null> {
    return this.#attempt('cannot be opened', async () => {
      this.#check();
      const { path, clock } = this.#options;
      await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
      const { file, torn } = await this.#recover();
      const newest = (await endedSegments(path)).at(-1)?.number ?? 0;
      const handle = await open(path, 'a+', FILE_MODE);
      try {
        const { ino, size } = await handle.stat();
        if (size !== file.bytes + file.torn) throw new Error('somebody else writes to it');
        if (file.torn > 0) await handle.truncate(file.bytes);
        this.#check();
        const segment = Math.max(file.number ?? 1, newest + 1);
        const beganAt = file.beganAt ?? clock.now();
        this.#running = { handle, ino, bytes: file.bytes, segment, beganAt, isTorn: false };
        return file.last && { line: file.last.line, segment, ...(torn > 0 && { torn }) };
      } catch (cause) {
        await handle.close();
        throw cause;
      }
    });
  }

  async append(lines: readonly string[]): Promise<void> {
    await this.#attempt('cannot be written to', async () => {
      const running = await this.#own();
      if (lines.length === 0) return;
      // line by line: text as long as all of them costs ten times as much to join and to encode
      const bytes = Buffer.concat(lines.map((line) => Buffer.from(`${line}\n`)));
      try {
        await running.handle.appendFile(bytes);
        if (this.#isSyncDue) await running.handle.datasync();
      } catch (cause) {
        running.isTorn = true;
        await mend(running).catch(ignored);
        throw cause;
      }
      running.bytes += bytes.length;
    });
    if (lines.length === 0 || !this.#isRemoving) return;
    this.#isRemoving = false;
    // what cannot be deleted now is deleted by the next who opens the log
    await dropRemoved(this.#options.path).catch(ignored);
  }

  isFull(): boolean {
    const { maxBytes, maxAgeMs, clock } = this.#options;
    if (!this.#running || this.#running.bytes === 0) return false;
    return this.#running.bytes >= maxBytes || clock.now() - this.#running.beganAt >= maxAgeMs;
  }

  rotate(): Promise<readonly RemovedSegment[]> {
    return this.#attempt('cannot begin another segment', async () => {
      const { path, fsync, clock } = this.#options;
      const { handle, segment } = await this.#own();
      if (fsync !== 'never') await handle.datasync();
      const ended = endedPath(path, segment);
      await rename(path, ended);
      let next: FileHandle | undefined;
      try {
        next = await open(path, 'ax+', FILE_MODE);
        const { ino } = await next.stat();
        this.#check();
        this.#running = { handle: next, ino, bytes: 0, segment: segment + 1, beganAt: clock.now(), isTorn: false };
      } catch (cause) {
        await next?.close();
        await rename(ended, path);
        throw cause;
      }
      // the segment has begun, whatever becomes of the rest
      await handle.close().catch(ignored);
      if (fsync !== 'never') await syncDirectory(path).catch(ignored);
      return this.#retire();
    });
  }

  flush(): Promise<void> {
    return this.#attempt('cannot be flushed', async () => {
      if (this.#running) await this.#running.handle.datasync();
    });
  }

  close(): Promise<void> {
    return this.#attempt('cannot be closed', async () => {
      const running = this.#running;
      this.#running = null;
      this.#isClosed = true;
      if (!running) return;
      try {
        await mend(running);
        if (this.#options.fsync !== 'never') await running.handle.datasync();
      } finally {
        await running.handle.close();
      }
    });
  }

  // with the lines that are written comes the record of what is removed, and the removed is deleted next
  get #isSyncDue(): boolean {
    const { fsync } = this.#options;
    return fsync === 'append' || (this.#isRemoving && fsync !== 'never');
  }

  /** Asked again after each wait that a handle comes from: nobody would let go of it after the end. */
  #check(): void {
    if (this.#isClosed) throw closedError(this.name);
  }

  /** Where the log ends, after a rotation that was begun and not finished is undone. */
  async #recover(): Promise<{ file: SegmentFile; torn: number }> {
    const { path } = this.#options;
    const file = await this.#read(path);
    await settleRemoved(path);
    if (file.last) return { file, torn: file.torn };
    const newest = (await endedSegments(path)).at(-1);
    if (!newest) return { file, torn: file.torn };
    const ended = await this.#read(newest.path);
    if (!ended.last) throw this.#invalid(newest.path);
    await rename(newest.path, path);
    return { file: ended, torn: file.torn + ended.torn };
  }

  async #read(path: string): Promise<SegmentFile> {
    const file = await readSegment(path);
    if (file === 'missing') return { last: null, bytes: 0, torn: 0, number: null, beganAt: null };
    if (file === 'foreign') throw this.#invalid(path);
    return file;
  }

  /** The file that is written to, as this sink has left it. */
  async #own(): Promise<Running> {
    this.#check();
    const running = this.#running;
    if (!running) throw new Error('it is not open');
    await mend(running);
    const { ino, size } = await stat(this.#options.path);
    if (ino !== running.ino || size !== running.bytes) throw new Error('somebody else has written to it or moved it');
    return running;
  }

  /** Removes the oldest segments that are too many or too old. */
  async #retire(): Promise<RemovedSegment[]> {
    const { path, keepSegments } = this.#options;
    const removed: RemovedSegment[] = [];
    try {
      const ended = await endedSegments(path);
      for (const [index, segment] of ended.entries()) {
        if (ended.length - index <= keepSegments && !(await this.#isOld(segment))) break;
        const file = await readSegment(segment.path);
        if (typeof file === 'string' || !file.last) break;
        await remove(segment);
        this.#isRemoving = true;
        const { seq, hash } = file.last.entry;
        removed.push({ segment: segment.number, seq, hash });
      }
    } catch {
      // what could not be removed is tried again at the next rotation
    }
    return removed;
  }

  async #isOld({ path }: EndedSegment): Promise<boolean> {
    const { keepMs, clock } = this.#options;
    return clock.now() - (await stat(path)).mtimeMs > keepMs;
  }

  async #attempt<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof AuditError) throw cause;
      const message = `The audit log ${this.#options.path} ${what}: ${(cause as Error).message}.`;
      throw new AuditError('AUDIT_SINK_FAILED', { sink: this.name, message, cause });
    }
  }

  #invalid(path: string): AuditError {
    const message = `${path} is not an audit log that can go on; it was left as it is.`;
    return new AuditError('AUDIT_LOG_INVALID', { sink: this.name, message });
  }
}

/** Cuts off what is not stored. */
async function mend(running: Running): Promise<void> {
  if (!running.isTorn) return;
  await running.handle.truncate(running.bytes);
  running.isTorn = false;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
