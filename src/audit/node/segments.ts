import { open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';

import { readLine, type AuditEntry } from '../chain.ts';
import { soundEntry } from '../sinks/stored.ts';

/** A segment that has ended. */
export interface EndedSegment {
  number: number;
  path: string;
}

/** What of a file is a log. */
export interface SegmentFile {
  /** Its last whole line, which holds; `null` where it has none. */
  last: { line: string; entry: AuditEntry } | null;
  /** Bytes of its whole lines, and those of a line that was not finished. */
  bytes: number;
  torn: number;
  /** What its first line says: which segment it is, and when it began; `null` where it does not. */
  number: number | null;
  beganAt: number | null;
}

const DIGITS = 6;
const NUMBER = new RegExp(`^\\d{${DIGITS},}$`);
const REMOVED = '.removed';

const LINE_BREAK = 0x0a;
// a first line that says what segment it is fits in
const BEGIN_BYTES = 4_096;
// what segment it is, and which ones were removed
const BEGIN_LINES = 2;
const END_BYTES = 16_384;
const SHAPE = `{"hash":"${'0'.repeat(64)}","prev":"${'0'.repeat(64)}","record":{`;
const LINE = /^\{"hash":"[\da-f]{64}","prev":"[\da-f]{64}","record":\{/;
const BEGAN_AT = /^"at":(\d+(?:\.\d+)?),/;

/** Where a segment goes when it has ended: `out.jsonl` to `out.000001.jsonl`. */
export function endedPath(path: string, number: number): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${String(number).padStart(DIGITS, '0')}${ext}`);
}

/** The segments of a log that have ended, oldest first. */
export async function endedSegments(path: string): Promise<EndedSegment[]> {
  return (await numbersBeside(path)).map((number) => ({ number, path: endedPath(path, number) }));
}

/** The same with those that were taken out and are not deleted yet: until the log says that they were removed they are a part of it. */
export async function storedSegments(path: string): Promise<EndedSegment[]> {
  return [...(await removedSegments(path)), ...(await endedSegments(path))].sort((a, b) => a.number - b.number);
}

/** Takes a segment out of the log; it is there until {@link dropRemoved}, for nothing says yet that it was removed. */
export async function remove({ path }: EndedSegment): Promise<void> {
  await rename(path, path + REMOVED);
}

/** Deletes what was removed. */
export async function dropRemoved(path: string): Promise<void> {
  for (const removed of await removedSegments(path)) await unlink(removed.path);
}

/** Deletes what the log says was removed, and puts back what it does not: a process may have been killed before it was told. */
export async function settleRemoved(path: string): Promise<void> {
  const removed = await removedSegments(path);
  if (removed.length === 0) return;
  const stored = [path, ...(await endedSegments(path)).map((segment) => segment.path)];
  // the oldest are removed first, and what could not be deleted at once may have been told of long ago
  let told = 0;
  for (const file of stored) told = Math.max(told, await newestToldBy(file));
  for (const segment of removed) {
    if (segment.number <= told) await unlink(segment.path);
    else await rename(segment.path, endedPath(path, segment.number));
  }
}

async function removedSegments(path: string): Promise<EndedSegment[]> {
  const numbers = await numbersBeside(path, REMOVED);
  return numbers.map((number) => ({ number, path: endedPath(path, number) + REMOVED }));
}

/** The newest segment that a file says was removed; 0 where it says so of none. */
async function newestToldBy(path: string): Promise<number> {
  let newest = 0;
  for (const line of await readFirstLines(path)) {
    const record = (await soundEntry(line))?.record;
    if (record?.kind !== 'retention') continue;
    for (const { segment } of record.removed) newest = Math.max(newest, segment);
  }
  return newest;
}

/** The numbers of the segments beside a file, by their names. */
async function numbersBeside(path: string, suffix = ''): Promise<number[]> {
  const { name, ext } = parse(path);
  const end = ext + suffix;
  return (await readdir(dirname(path)))
    .filter((file) => file.startsWith(`${name}.`) && file.endsWith(end))
    .map((file) => file.slice(name.length + 1, file.length - end.length))
    .filter((middle) => NUMBER.test(middle))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Reads the beginning and the end of a file, and no more: `missing` where there is none, `foreign` where it is not a log that can go on. */
export async function readSegment(path: string): Promise<SegmentFile | 'missing' | 'foreign'> {
  let handle: FileHandle;
  try {
    // a pipe would be waited for
    if (!(await stat(path)).isFile()) return 'foreign';
    handle = await open(path, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw cause;
  }
  try {
    return await readLog(handle, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}

async function readLog(handle: FileHandle, size: number): Promise<SegmentFile | 'foreign'> {
  const begin = await readBytes(handle, 0, Math.min(size, BEGIN_BYTES));
  if (!isBegun(begin.toString('latin1'))) return 'foreign';
  const { line, bytes } = await readEnd(handle, size);
  const entry = line === null ? null : await soundEntry(line);
  if (line !== null && !entry) return 'foreign';
  return { last: line !== null && entry ? { line, entry } : null, bytes, torn: size - bytes, ...saidBy(begin) };
}

/** Whether a text begins as a line of a log does, as far as it goes. */
function isBegun(text: string): boolean {
  return LINE.test(text + SHAPE.slice(text.length));
}

/** What the first line says. It is a short one wherever a log begins a segment. */
function saidBy(begin: Buffer): Pick<SegmentFile, 'number' | 'beganAt'> {
  const text = begin.toString('utf8', 0, Math.max(0, begin.indexOf(LINE_BREAK)));
  const { entry } = readLine(text);
  const number = entry?.record.kind === 'segment' ? entry.record.segment : null;
  const [, at] = BEGAN_AT.exec(begin.toString('latin1', SHAPE.length)) ?? [];
  return { number: Number.isSafeInteger(number) ? number : null, beganAt: at === undefined ? null : Number(at) };
}

/** The last whole line, from the end backwards, and where it ends. */
async function readEnd(handle: FileHandle, size: number): Promise<{ line: string | null; bytes: number }> {
  for (let length = Math.min(size, END_BYTES); ; length = Math.min(size, length * 4)) {
    const end = await readBytes(handle, size - length, length);
    const last = end.lastIndexOf(LINE_BREAK);
    const before = last > 0 ? end.lastIndexOf(LINE_BREAK, last - 1) : -1;
    if (last >= 0 && (before >= 0 || length === size)) {
      return { line: end.toString('utf8', before + 1, last), bytes: size - length + last + 1 };
    }
    if (length === size) return { line: null, bytes: 0 };
  }
}

/** The first lines, as many as a segment begins with, where they are whole. */
async function readFirstLines(path: string): Promise<string[]> {
  const handle = await openFile(path);
  if (!handle) return [];
  try {
    const { size } = await handle.stat();
    for (let length = Math.min(size, BEGIN_BYTES); ; length = Math.min(size, length * 4)) {
      const lines = (await readBytes(handle, 0, length)).toString('utf8').split('\n').slice(0, -1);
      if (lines.length >= BEGIN_LINES || length === size) return lines.slice(0, BEGIN_LINES);
    }
  } finally {
    await handle.close();
  }
}

/** Opens a file to read; `null` where there is none. */
async function openFile(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cause;
  }
}

async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}
