import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { fileSink } from '../../src/audit/node/file-sink.ts';
import type { AuditSink } from '../../src/audit/sink.ts';
import { headOf } from '../../src/audit/sinks/stored.ts';
import type { HoldfastError } from '../../src/index.ts';
import { Chain } from './audit-lines.ts';

/** Appends to a log as fast as it can until it is killed, and tells of each batch that is stored. */
export async function appendForEver(path: string, report: (value: unknown) => void): Promise<never> {
  const sink = fileSink({ path, maxBytes: 4_000_000, keepSegments: 2 });
  const tail = (await sink.open?.()) ?? null;
  let segment = tail?.segment ?? 1;
  // so much at once that it is written in parts, between which it can be killed
  const chain = new Chain({ filler: 'x'.repeat(30_000), ...(tail && { after: headOf(tail.line) }) });
  report({ torn: tail?.torn ?? 0, stored: chain.head.seq });
  for (;;) {
    const lines: string[] = [];
    if (sink.isFull?.()) {
      const removed = await sink.rotate?.();
      lines.push(chain.next({ kind: 'segment', segment: (segment += 1) }), chain.next({ kind: 'retention', removed }));
    }
    lines.push(...chain.lines(1 + ((chain.head.seq + 1) % 50)));
    await sink.append(lines);
    report({ stored: chain.head.seq });
  }
}

/** Fills a small disk with a log, makes room, and goes on; what the log is at its fullest and at its end goes to a larger disk. */
export async function fillDisk(path: string, outside: string): Promise<unknown> {
  const ballast = join(dirname(path), 'ballast');
  writeFileSync(ballast, Buffer.alloc(20_000));
  const sink = fileSink({ path });
  await sink.open?.();
  const chain = new Chain({ filler: 'x'.repeat(1_500) });
  let stored = 0;
  let lines = chain.lines(3);
  const failures: unknown[] = [];
  while (failures.length < 3) {
    const failure = await failureOf(sink, lines);
    if (failure) {
      failures.push({ ...failure, bytes: statSync(path).size });
      continue;
    }
    stored += lines.length;
    lines = chain.lines(3);
  }
  copyFileSync(path, join(outside, 'full.jsonl'));
  rmSync(ballast);
  await sink.append(lines);
  await sink.close?.();
  copyFileSync(path, join(outside, 'end.jsonl'));
  return { failures, stored, end: chain.head.seq + 1 };
}

/** Opens a log on a disk that can only be read. */
export async function openReadOnly(path: string, outside: string): Promise<unknown> {
  const chain = new Chain();
  const sink = fileSink({ path });
  await sink.open?.();
  await sink.append(chain.lines(3));
  await sink.close?.();
  execFileSync('mount', ['-o', 'remount,ro', dirname(path)]);
  const refused = await failureOf(fileSink({ path }));
  copyFileSync(path, join(outside, 'end.jsonl'));
  return refused;
}

async function failureOf(sink: AuditSink, lines?: readonly string[]): Promise<object | null> {
  try {
    if (lines) await sink.append(lines);
    else await sink.open?.();
    return null;
  } catch (error) {
    const { code, cause } = error as HoldfastError;
    return { code, cause: (cause as NodeJS.ErrnoException).code };
  }
}
