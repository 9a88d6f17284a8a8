import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { fileSink } from '../../src/audit/node/file-sink.ts';
import { soundEntry } from '../../src/audit/sinks/stored.ts';
import { pause, until } from '../support/deadline.ts';
import { makeDirectory, type Directory } from '../support/directory.ts';
import { startProgram, usePrograms, runProgram } from '../support/program.ts';

const KILLS = 20;
// a disk of its own, for a process and its children
const onTinyDisk = (at: string): string[] => [
  ...['unshare', '-rm', 'sh', '-c'],
  ...['mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"', at],
];
const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
if (!canMount) console.warn('Skipped: no disk can be mounted here, which takes unshare and user namespaces.');

usePrograms();

describe('an audit log in files', () => {
  let directory: Directory;
  let path: string;

  beforeEach(() => {
    directory = makeDirectory();
    path = join(directory.path, 'out.jsonl');
  });

  afterEach(() => directory.remove());

  const textOf = (name: string): string => readFileSync(join(directory.path, name), 'utf8');
  /** Its segments, the running one last. */
  const texts = (): string[] =>
    readdirSync(directory.path)
      .filter((name) => name.endsWith('.jsonl'))
      .sort()
      .map(textOf);

  test(`has everything that it was told of after ${KILLS} kills, with one torn line at the most, and goes on`, async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const program = startProgram('appendForEver', { args: [path] });
      await until('it appends', () => program.reports.length > 1);
      await pause(Math.random() * 100);
      await program.kill();
      const { result, stderr } = await program.end();
      expect(stderr).toBe('');
      const { stored } = result as { stored: number };

      const left = texts().at(-1) ?? '';
      const cut = Buffer.byteLength(left.slice(left.lastIndexOf('\n') + 1));
      const sink = fileSink({ path });
      const tail = await sink.open?.();
      await sink.close?.();
      const entries = await entriesOf(texts());
      const last = entries.at(-1);
      expect(last?.seq).toBeGreaterThanOrEqual(stored);
      expect(tail).toMatchObject({ line: expect.stringContaining(`"hash":"${last?.hash}"`) as string });
      expect(tail?.torn ?? 0).toBe(cut);
      expect(beginningOf(entries)).toEqual({ seq: entries[0]?.seq, prev: entries[0]?.prev });
    }
    expect(texts().length).toBeGreaterThan(1);
  }, 240_000);

  test.skipIf(!canMount)('is as it was while a disk is full, and goes on when there is room', async () => {
    const disk = makeDirectory();
    const under = onTinyDisk(disk.path);
    const args = [join(disk.path, 'out.jsonl'), directory.path];
    const { result, stderr } = await runProgram('fillDisk', { under, args });
    disk.remove();
    expect(stderr).toBe('');
    const { failures, stored, end } = result as { failures: object[]; stored: number; end: number };
    const full = textOf('full.jsonl');
    const failure = { code: 'AUDIT_SINK_FAILED', cause: 'ENOSPC', bytes: full.length };
    expect(failures).toEqual([failure, failure, failure]);
    expect(stored).toBeGreaterThan(10);
    expect(await entriesOf([full])).toHaveLength(stored);
    expect(await entriesOf([textOf('end.jsonl')])).toHaveLength(end);
  });

  test.skipIf(!canMount)('is left as it is on a disk that can only be read, which is told', async () => {
    const disk = makeDirectory();
    const under = onTinyDisk(disk.path);
    const args = [join(disk.path, 'out.jsonl'), directory.path];
    const { result, stderr } = await runProgram('openReadOnly', { under, args });
    disk.remove();
    expect([stderr, result]).toEqual(['', { code: 'AUDIT_SINK_FAILED', cause: 'EROFS' }]);
    expect(await entriesOf([textOf('end.jsonl')])).toHaveLength(3);
  });
});

/** The entries of segments, each of which follows the one before; no line of theirs is torn. */
async function entriesOf(segments: readonly string[]): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (const line of segments.flatMap((text) => text.split('\n').slice(0, -1))) {
    const entry = await soundEntry(line);
    if (!entry) throw new Error(`No entry: ${line.slice(0, 200)}`);
    const before = entries.at(-1);
    if (before && (entry.seq !== before.seq + 1 || entry.prev !== before.hash))
      throw new Error(`${entry.seq} follows nothing.`);
    entries.push(entry);
  }
  expect(segments.filter((text) => text !== '' && !text.endsWith('\n'))).toEqual([]);
  return entries;
}

/** Where a log begins by what it says of itself: after the last record that was removed. */
function beginningOf(entries: readonly AuditEntry[]): { seq: number; prev: string } {
  const removed = entries.flatMap(({ record }) => (record.kind === 'retention' ? record.removed : [])).at(-1);
  return removed ? { seq: removed.seq + 1, prev: removed.hash } : { seq: 0, prev: '0'.repeat(64) };
}
