import {
  appendFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import files, { open, type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { fileSink, type FileSinkOptions } from '../../../src/audit/node/file-sink.ts';
import { headOf } from '../../../src/audit/sinks/stored.ts';
import type { AuditSink } from '../../../src/audit/sink.ts';
import { auditSinkContract } from '../../contract/audit-sink.ts';
import { auditLines, Chain } from '../../support/audit-lines.ts';
import { SimulatedClock } from '../../../src/testing/clock.ts';
import { makeDirectory, type Directory } from '../../support/directory.ts';

const LINE_BYTES = (auditLines(1)[0]?.length ?? 0) + 1;
const handle = await open('/dev/null');
const handles = Object.getPrototypeOf(handle) as FileHandle;
await handle.close();

let directory: Directory;
let path: string;
let clock: SimulatedClock;
const sinks: AuditSink[] = [];

beforeEach(() => {
  directory = makeDirectory();
  path = join(directory.path, 'out.jsonl');
  clock = new SimulatedClock();
});

afterEach(async () => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  for (const sink of sinks.splice(0)) await sink.close?.();
  directory.remove();
});

const names = (): string[] => readdirSync(directory.path).sort();
const read = (file = path): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const sinkOf = (options: Partial<FileSinkOptions> = {}): AuditSink => {
  const sink = fileSink({ path, clock, ...options });
  sinks.push(sink);
  return sink;
};
/** The next write stores this many bytes, and fails. */
const full = (bytes = 0): void => {
  vi.spyOn(handles, 'appendFile').mockImplementationOnce(function (this: FileHandle, data) {
    appendFileSync(path, (data as Buffer).subarray(0, bytes));
    return Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }));
  });
};

auditSinkContract('of a file', ['fail', 'resume', 'rotate'], () => {
  const options = { maxBytes: 4 * LINE_BYTES, keepSegments: 2, maxAgeMs: Infinity };
  let failures = 0;
  return {
    sink: sinkOf(options),
    // the running file sorts after those that have ended
    stored: () =>
      names()
        .filter((name) => name.endsWith('.jsonl'))
        .flatMap((name) => read(join(directory.path, name))),
    another: () => sinkOf(options),
    segments: { lines: 4, kept: 3 },
    fail: () => full(1_500 * ++failures),
    held: () => directory.open(),
    stop: () => undefined,
  };
});

describe('the file sink', () => {
  test('makes file and directories, for nobody else to read', async () => {
    const deep = join(directory.path, 'a', 'b', 'out.jsonl');
    const sink = sinkOf({ path: deep });
    await sink.open?.();
    expect([statSync(deep).mode & 0o777, statSync(join(directory.path, 'a')).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  test('begins another segment at a size and at an age, also of a segment that was begun before', async () => {
    const DAY_MS = 86_400_000;
    const chain = new Chain({ at: clock.now() });
    const sink = sinkOf({ maxBytes: 3 * LINE_BYTES });
    await sink.open?.();
    clock.advance(2 * DAY_MS);
    expect(sink.isFull?.()).toBe(false);
    await sink.append(chain.lines(2));
    expect(sink.isFull?.()).toBe(true);
    await sink.rotate?.();
    await sink.append(chain.lines(2));
    clock.advance(DAY_MS - 1);
    expect(sink.isFull?.()).toBe(false);
    await sink.append(chain.lines(1));
    expect(sink.isFull?.()).toBe(true);
    await sink.close?.();
    const again = sinkOf();
    await again.open?.();
    expect(again.isFull?.()).toBe(true);
  });

  test('gives segments names by their numbers, which the log itself says where the older ones are elsewhere', async () => {
    const chain = new Chain();
    writeFileSync(path, `${chain.next({ kind: 'segment', segment: 7 })}\n`);
    const sink = sinkOf();
    expect(await sink.open?.()).toMatchObject({ segment: 7 });
    await sink.rotate?.();
    await sink.append(chain.lines(1));
    expect(names()).toEqual(['out.000007.jsonl', 'out.jsonl']);
    await sink.close?.();
    expect(await sinkOf().open?.()).toMatchObject({ segment: 8 });
  });

  test('removes segments that were last written to too long ago, and a newer one never before an older', async () => {
    const chain = new Chain();
    const lines = chain.lines(4);
    const sink = sinkOf({ keepMs: 1_000 });
    await sink.open?.();
    const ages = [500, 2_000, 1_001];
    for (const [index, age] of ages.entries()) {
      await sink.append(lines.slice(index, index + 1));
      utimesSync(path, new Date(clock.now() - age), new Date(clock.now() - age));
      expect(await sink.rotate?.()).toEqual([]);
    }
    clock.advance(600);
    await sink.append(lines.slice(3));
    const last = (index: number): object => ({ segment: index + 1, ...headOf(lines[index] ?? '') });
    expect(await sink.rotate?.()).toEqual([last(0), last(1), last(2)]);
    expect(names()).toContain('out.000001.jsonl.removed');
    await sink.append(chain.lines(1));
    expect(names()).toEqual(['out.000004.jsonl', 'out.jsonl']);
  });

  test('keeps a segment whose end does not hold, for it is evidence', async () => {
    const chain = new Chain();
    const sink = sinkOf({ keepSegments: 0 });
    await sink.open?.();
    await sink.append(chain.lines(1));
    const forged = read()[0]?.replace('"mono":0', '"mono":1');
    writeFileSync(path, `${forged}\n`);
    expect(await sink.rotate?.()).toEqual([]);
    await sink.append(chain.lines(1));
    expect(await sink.rotate?.()).toEqual([]);
    expect(names()).toEqual(['out.000001.jsonl', 'out.000002.jsonl', 'out.jsonl']);
  });

  test.each([
    ['never', 0, 0, 0],
    ['segment', 0, 1, 1],
    ['append', 2, 1, 1],
  ] as const)(
    'makes sure that it is written as often as fsync: %s says, and when it is told to',
    async (fsync, ...counts) => {
      const synced = vi.spyOn(handles, 'datasync');
      const sink = sinkOf({ fsync });
      await sink.open?.();
      const countOf = async (act: () => unknown): Promise<number> => {
        synced.mockClear();
        await act();
        return synced.mock.calls.length;
      };
      const lines = auditLines(2);
      const appends = await countOf(async () => {
        await sink.append(lines.slice(0, 1));
        await sink.append(lines.slice(1));
      });
      expect([appends, await countOf(() => sink.rotate?.()), await countOf(() => sink.close?.())]).toEqual(counts);
      const again = sinkOf({ fsync });
      await again.open?.();
      expect(await countOf(() => again.flush?.())).toBe(1);
      await again.close?.();
    },
  );

  test('deletes no segment before the record of that is safe', async () => {
    const chain = auditLines(3);
    const sink = sinkOf({ keepSegments: 0 });
    await sink.open?.();
    await sink.append(chain.slice(0, 1));
    await sink.rotate?.();
    vi.spyOn(handles, 'datasync').mockRejectedValueOnce(new Error('EIO: i/o error'));
    await expect(sink.append(chain.slice(1))).rejects.toThrow('EIO');
    expect([names(), read()]).toEqual([['out.000001.jsonl.removed', 'out.jsonl'], []]);
  });

  test('has a name, and refuses options that make no sense', () => {
    expect([sinkOf().name, sinkOf({ name: 'mine' }).name]).toEqual(['file', 'mine']);
    const options = { maxBytes: 0, maxAgeMs: -1, keepSegments: -1, keepMs: 0, fsync: 'always', clock: {} };
    for (const name of Object.keys(options)) expect(() => fileSink(options as never)).toThrow(`${name}: must be`);
    expect(() => fileSink({} as never)).toThrow('path: is required');
  });
});

describe('what went wrong with a file', () => {
  test('is mended before the next line, where it could not be mended at once', async () => {
    const lines = auditLines(3);
    const sink = sinkOf();
    await sink.open?.();
    await sink.append(lines.slice(0, 1));
    full(10);
    const truncate = vi.spyOn(handles, 'truncate').mockRejectedValue(new Error('EIO: i/o error'));
    await expect(sink.append(lines.slice(1))).rejects.toMatchObject({ cause: { code: 'ENOSPC' } });
    await expect(sink.append(lines.slice(1))).rejects.toThrow('EIO');
    truncate.mockRestore();
    await sink.append(lines.slice(1));
    expect(read()).toEqual(lines);
  });

  test('is mended when it is closed', async () => {
    const lines = auditLines(2);
    const sink = sinkOf();
    await sink.open?.();
    await sink.append(lines.slice(0, 1));
    full(10);
    vi.spyOn(handles, 'truncate').mockRejectedValueOnce(new Error('EIO: i/o error'));
    await expect(sink.append(lines.slice(1))).rejects.toThrow('ENOSPC');
    await sink.close?.();
    expect(readFileSync(path, 'utf8')).toBe(`${lines[0]}\n`);
    expect(directory.open()).toBe(0);
  });

  test('is told when it could not be made sure of, and what was written is taken back', async () => {
    const lines = auditLines(1);
    const sink = sinkOf({ fsync: 'append' });
    await sink.open?.();
    vi.spyOn(handles, 'datasync').mockRejectedValueOnce(new Error('EIO: i/o error'));
    await expect(sink.append(lines)).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED' });
    expect(read()).toEqual([]);
    await sink.append(lines);
    expect(read()).toEqual(lines);
  });

  test('leaves the segment as it was where another cannot begin', async () => {
    const lines = auditLines(2);
    const sink = sinkOf();
    await sink.open?.();
    await sink.append(lines.slice(0, 1));
    vi.spyOn(files, 'open').mockRejectedValueOnce(new Error('EMFILE: too many open files'));
    syncBuiltinESMExports();
    await expect(sink.rotate?.()).rejects.toThrow('cannot begin another segment: EMFILE');
    await sink.append(lines.slice(1));
    expect([names(), read()]).toEqual([['out.jsonl'], lines]);
  });

  test('is cut off where a line was not finished, with its bytes', async () => {
    const lines = auditLines(2);
    writeFileSync(path, `${lines[0]}\n{"hash":"ü`);
    const sink = sinkOf();
    expect(await sink.open?.()).toEqual({ line: lines[0], segment: 1, torn: 11 });
    await sink.append(lines.slice(1));
    expect(read()).toEqual(lines);
  });

  test('is nothing where not even the first line was finished', async () => {
    const lines = auditLines(1);
    writeFileSync(path, lines[0]?.slice(0, 90) ?? '');
    const sink = sinkOf();
    expect(await sink.open?.()).toBeNull();
    await sink.append(lines);
    expect(read()).toEqual(lines);
  });

  test.each([
    ['missing', null],
    ['empty', ''],
    ['torn', '{"hash":"0'],
  ])('is undone where a segment ended and the next is %s, with what was removed', async (_what, text) => {
    const chain = new Chain();
    const lines = chain.lines(2);
    const sink = sinkOf({ keepSegments: 0 });
    await sink.open?.();
    await sink.append(lines);
    const removed = await sink.rotate?.();
    expect(removed).toMatchObject([{ segment: 1, seq: 1 }]);
    await sink.close?.();
    if (text === null) rmSync(path);
    else writeFileSync(path, text);
    const again = sinkOf({ keepSegments: 0 });
    expect(await again.open?.()).toEqual({
      line: lines[1],
      segment: 1,
      ...(text !== null && text !== '' && { torn: text.length }),
    });
    expect(names()).toEqual(['out.jsonl']);
    expect(await again.rotate?.()).toEqual(removed);
    await again.append(chain.lines(1));
    expect([names(), read()]).toEqual([['out.jsonl'], [expect.stringContaining('"seq":2}')]]);
  });

  test('is finished where what was removed was told, and is still there', async () => {
    const chain = new Chain();
    const sink = sinkOf({ keepSegments: 0 });
    await sink.open?.();
    await sink.append(chain.lines(1));
    const removed = await sink.rotate?.();
    // stored by a process that was killed right after
    const lines = [chain.next({ kind: 'segment', segment: 2 }), chain.next({ kind: 'retention', removed })];
    appendFileSync(path, `${lines.join('\n')}\n`);
    expect(names()).toEqual(['out.000001.jsonl.removed', 'out.jsonl']);
    const again = sinkOf({ keepSegments: 0 });
    expect(await again.open?.()).toMatchObject({ line: lines[1] });
    expect(names()).toEqual(['out.jsonl']);
  });

  test.each([10, -1, 0])('is undone where what was removed was told in no whole line: cut at %i', async (cut) => {
    const chain = new Chain();
    const sink = sinkOf({ keepSegments: 0 });
    await sink.open?.();
    await sink.append(chain.lines(1));
    const removed = await sink.rotate?.();
    await sink.close?.();
    const heading = chain.next({ kind: 'segment', segment: 2 });
    const { head } = chain;
    // all but its line break, where the cut is at 0
    const told = chain.next({ kind: 'retention', removed }).slice(0, cut || undefined);
    writeFileSync(path, `${heading}\n${told}`);
    const again = sinkOf({ keepSegments: 0 });
    expect(await again.open?.()).toEqual({ line: heading, segment: 2, torn: told.length });
    expect(names()).toEqual(['out.000001.jsonl', 'out.jsonl']);
    expect(await again.rotate?.()).toEqual([...(removed ?? []), { segment: 2, ...head }]);
  });

  test.each(['hello', 'hello\n', '{"a":1}\n', `${auditLines(1)[0]?.replace('"mono":0', '"mono":1')}\n{"ha`])(
    'is no reason to change a file that is not such a log: %j',
    async (text) => {
      writeFileSync(path, text);
      const opened = sinkOf().open?.();
      await expect(opened).rejects.toMatchObject({ name: 'AuditError', code: 'AUDIT_LOG_INVALID', sink: 'file' });
      await expect(opened).rejects.toThrow(path);
      expect([readFileSync(path, 'utf8'), names(), directory.open()]).toEqual([text, ['out.jsonl'], 0]);
    },
  );

  test('is no reason to take another file for a segment', async () => {
    const other = join(directory.path, 'out.000001.jsonl');
    writeFileSync(other, '');
    const opened = sinkOf().open?.();
    await expect(opened).rejects.toMatchObject({ code: 'AUDIT_LOG_INVALID' });
    await expect(opened).rejects.toThrow(other);
    expect(names()).toEqual(['out.000001.jsonl']);
  });

  test('is told with the path, where there can be no such file', async () => {
    writeFileSync(path, '');
    const below = join(path, 'below', 'out.jsonl');
    const opened = sinkOf({ path: below }).open?.();
    await expect(opened).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED', sink: 'file' });
    await expect(opened).rejects.toThrow(below);
  });

  test('is opened once it can be', async () => {
    const sink = sinkOf();
    await expect(sink.append([''])).rejects.toThrow('it is not open');
    writeFileSync(path, 'hello');
    await expect(sink.open?.()).rejects.toMatchObject({ code: 'AUDIT_LOG_INVALID' });
    rmSync(path);
    expect(await sink.open?.()).toBeNull();
    await sink.close?.();
    await expect(sink.open?.()).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED', message: 'The sink is closed.' });
  });
});

describe('two who write to one path', () => {
  test('never break the chain: the one who opened it last goes on, and the other is told', async () => {
    const chain = new Chain();
    const lines = chain.lines(3);
    const [first, second] = [sinkOf(), sinkOf()];
    await first.open?.();
    await first.append(lines.slice(0, 1));
    expect(await second.open?.()).toMatchObject({ line: lines[0] });
    await second.append(lines.slice(1, 2));
    const refused = { code: 'AUDIT_SINK_FAILED', message: expect.stringContaining('somebody else') as string };
    await expect(first.append(['mine'])).rejects.toMatchObject(refused);
    await expect(first.rotate?.()).rejects.toMatchObject(refused);
    await first.close?.();
    await second.append(lines.slice(2));
    expect(read()).toEqual(lines);
  });

  test('are told apart when one has begun another segment, or somebody has moved the file', async () => {
    const lines = auditLines(2);
    const [first, second] = [sinkOf(), sinkOf()];
    await first.open?.();
    await first.append(lines.slice(0, 1));
    await second.open?.();
    await second.rotate?.();
    await expect(first.append(['mine'])).rejects.toThrow('somebody else');
    rmSync(path);
    await expect(second.append(lines.slice(1))).rejects.toThrow('ENOENT');
    expect(existsSync(path)).toBe(false);
  });
});
