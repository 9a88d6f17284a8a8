import { appendFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { readAuditFile, type ReadAuditFileOptions } from '../../../src/audit/node/read-file.ts';
import { verify } from '../../../src/audit/verify.ts';
import { smallLog } from '../../support/audit-chain.ts';

let folder = '';
let path = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-'));
  path = join(folder, 'out.jsonl');
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

const write = (name: string, text: string | Buffer) => writeFile(join(folder, name), text);

async function read(file = path, options: ReadAuditFileOptions = {}): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of readAuditFile(file, options)) lines.push(line);
  return lines;
}

describe('a log in files', () => {
  test('is read segment by segment, oldest first', async () => {
    await write('out.000002.jsonl', 'three\n');
    await write('out.000001.jsonl', 'one\ntwo\n');
    await write('out.1000000.jsonl', 'four\n');
    await write('out.jsonl', 'five\n');
    for (const other of ['out.00001.jsonl', 'out.000003.json', 'other.000003.jsonl', 'out.000003x.jsonl']) {
      await write(other, 'other\n');
    }
    expect(await read()).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(await read(join(folder, 'out.000001.jsonl'))).toEqual(['one', 'two']);
  });

  test('may have no extension, and no file that is written to yet', async () => {
    await write('out.000001', 'one\n');
    await write('out.000002', 'two\n');
    expect(await read(join(folder, 'out'))).toEqual(['one', 'two']);
    await write('out', '');
    expect(await read(join(folder, 'out'))).toEqual(['one', 'two']);
  });

  test('has the segments that were taken out, as long as they are there', async () => {
    await write('out.000001.jsonl.removed', 'one\n');
    await write('out.000002.jsonl', 'two\n');
    await write('out.jsonl', 'three\n');
    expect(await read()).toEqual(['one', 'two', 'three']);
  });

  test('has what comes while its lines are worked on, and nothing that was cut off meanwhile', async () => {
    const whole = `${'x'.repeat(99)}\n`.repeat(656);
    await write('out.jsonl', `${whole}torn-torn`);
    const lines: unknown[] = [];
    for await (const line of readAuditFile(path)) {
      lines.push(line);
      if (lines.length > 1) continue;
      // longer than it takes to read ahead
      await new Promise((resolve) => setTimeout(resolve, 20));
      await truncate(path, whole.length);
      await appendFile(path, 'a whole new line\n');
    }
    expect([lines.length, lines.at(-1)]).toEqual([657, 'a whole new line']);
  });

  test('marks a line without an end, in each file', async () => {
    await write('out.000001.jsonl', 'one\ntw');
    await write('out.jsonl', 'three\nfo');
    expect(await read()).toEqual(['one', { flaw: 'torn', bytes: 2 }, 'three', { flaw: 'torn', bytes: 2 }]);
  });

  test('is verified as its lines are, and changed bytes show', async () => {
    const lines = await smallLog();
    await write('out.000001.jsonl', `${lines.slice(0, 5).join('\n')}\n`);
    await write('out.jsonl', `${lines.slice(5).join('\n')}\n`);
    expect(await verify(readAuditFile(path))).toEqual(await verify(lines));
    const bytes = Buffer.from(`${lines.slice(5).join('\n')}\n`);
    bytes[100] = 0xff;
    await write('out.jsonl', bytes);
    expect((await verify(readAuditFile(path))).problems[0]).toMatchObject({ kind: 'malformed', seq: 5, line: 6 });
  });

  test('tells how far it is', async () => {
    await write('out.000001.jsonl', 'x'.repeat(3 * 2 ** 20));
    await write('out.jsonl', 'one\n');
    const told: [number, number][] = [];
    await read(path, { onProgress: (bytes, total) => told.push([bytes, total]) });
    const total = 3 * 2 ** 20 + 4;
    expect(told.slice(-2)).toEqual([
      [total - 4, total],
      [total, total],
    ]);
    expect(told.map(([bytes]) => bytes)).toEqual(told.map(([bytes]) => bytes).toSorted((a, b) => a - b));
  });
});

describe('a log that cannot be read', () => {
  test.each([
    ['is missing', 'none.jsonl', /^There is no file .*none\.jsonl\.$/],
    ['is in no directory', 'none/none.jsonl', /^There is no file .*none\.jsonl\.$/],
    ['is empty', 'empty.jsonl', /empty\.jsonl is empty\.$/],
    ['is a directory', 'directory.jsonl', /is a directory\.$/],
    ['is below a file', 'empty.jsonl/x.jsonl', /cannot be read: ENOTDIR\.$/],
  ])('because it %s says so', async (_why, name, message) => {
    await write('empty.jsonl', '');
    await mkdir(join(folder, 'directory.jsonl'));
    await expect(read(join(folder, name))).rejects.toMatchObject({
      ...{ name: 'HoldfastError', code: 'AUDIT_UNREADABLE', message: expect.stringMatching(message) as string },
    });
  });

  test('ends when it is told to, with the reason', async () => {
    await write('out.jsonl', 'one\n');
    await expect(read(path, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    await expect(read('')).rejects.toThrow(/path: must be/);
  });
});

describe('a log that is followed', () => {
  /** Does one thing after the other, each at the end of what there is. */
  const following = (...things: (() => Promise<unknown>)[]) =>
    read(path, {
      onEnd: async () => {
        const next = things.shift();
        await next?.();
        return next !== undefined;
      },
    });

  test('has what is appended, and a line once it has its end', async () => {
    await write('out.jsonl', 'one\nt');
    const lines = await following(
      () => appendFile(path, 'wo\n'),
      () => Promise.resolve(),
      () => appendFile(path, 'three\nfo'),
    );
    expect(lines).toEqual(['one', 'two', 'three', { flaw: 'torn', bytes: 2 }]);
  });

  test('is followed through segments that end, even two at once', async () => {
    await write('out.jsonl', 'one\n');
    const lines = await following(
      async () => {
        await appendFile(path, 'two\n');
        await rename(path, join(folder, 'out.000001.jsonl'));
      },
      async () => {
        await write('out.000002.jsonl', 'three\n');
        await write('out.jsonl', 'four\n');
      },
      () => appendFile(path, 'five\n'),
    );
    expect(lines).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('goes on where a line that was not finished was cut off', async () => {
    await write('out.jsonl', 'one\ntwo, which is lo');
    const lines = await following(
      () => truncate(path, 4),
      () => appendFile(path, 'two\n'),
    );
    expect(lines).toEqual(['one', 'two']);
  });

  test('is waited for where its first segment has ended and no other begun', async () => {
    await write('out.000001.jsonl', 'one\n');
    expect(await following(() => write('out.jsonl', 'two\n'))).toEqual(['one', 'two']);
  });
});
