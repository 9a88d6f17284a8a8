import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  dropRemoved,
  endedPath,
  endedSegments,
  readSegment,
  remove,
  settleRemoved,
} from '../../../src/audit/node/segments.ts';
import { auditLines, Chain } from '../../support/audit-lines.ts';
import { makeDirectory, type Directory } from '../../support/directory.ts';

let directory: Directory;
let path: string;

beforeEach(() => {
  directory = makeDirectory();
  path = join(directory.path, 'out.jsonl');
});

afterEach(() => directory.remove());

const write = (name: string, text = ''): void => writeFileSync(join(directory.path, name), text);
const names = (): string[] => readdirSync(directory.path).sort();

describe('the segments of a log', () => {
  test.each([
    ['/logs/out.jsonl', 1, '/logs/out.000001.jsonl'],
    ['/logs/out.a.jsonl', 12, '/logs/out.a.000012.jsonl'],
    ['/logs/out', 3, '/logs/out.000003'],
    ['/logs/.out', 3, '/logs/.out.000003'],
    ['out.jsonl', 1_234_567, 'out.1234567.jsonl'],
  ])('of %s have names with their number: %i', (file, number, name) => {
    expect(endedPath(file, number)).toBe(name);
  });

  test('are found by their names, oldest first, and nothing else is', async () => {
    const others = ['out.jsonl', 'out.1.jsonl', 'out.000001.jsonl.gz', 'out.x.000001.jsonl', 'in.000001.jsonl'];
    for (const name of [...others, 'out.000010.jsonl', 'out.1000000.jsonl', 'out.000002.jsonl']) write(name);
    expect((await endedSegments(path)).map(({ number }) => number)).toEqual([2, 10, 1_000_000]);
    expect(await endedSegments(join(directory.path, 'other'))).toEqual([]);
  });

  test('are deleted where the log says that they were removed, and put back where it does not', async () => {
    const chain = new Chain();
    const third = chain.next({ kind: 'segment', segment: 3 });
    // longer than what is read of a file at first
    const told = chain.next({ kind: 'retention', removed: [{ segment: 1, seq: 0, hash: 'x'.repeat(10_000) }] });
    const all = [1, 2, 3].map((number) => `out.00000${number}.jsonl`);
    const cases = [
      { ended: `${third}\n${told}\n`, left: all.slice(1) },
      { ended: `${third}\n${told}`, left: all },
      { ended: `${third}\n${told.replace('"mono":0', '"mono":1')}\n`, left: all },
    ];
    for (const { ended, left } of cases) {
      for (const number of [1, 2]) write(`out.00000${number}.jsonl.removed`);
      write('out.000003.jsonl', ended);
      write('out.jsonl', `${chain.next({ kind: 'segment', segment: 4 })}\n`);
      await settleRemoved(path);
      expect(names()).toEqual([...left, 'out.jsonl']);
      for (const name of names()) rmSync(join(directory.path, name));
    }
    expect(directory.open()).toBe(0);
  });

  test('are deleted when they were removed, and nothing else is', async () => {
    for (const name of ['out.000001.jsonl', 'out.000002.jsonl', 'out.000009.jsonl.removed.not']) write(name);
    const [first, second] = await endedSegments(path);
    if (first) await remove(first);
    expect(await endedSegments(path)).toEqual([second]);
    await settleRemoved(path);
    expect(await endedSegments(path)).toEqual([first, second]);
    if (first) await remove(first);
    await dropRemoved(path);
    expect(names()).toEqual(['out.000002.jsonl', 'out.000009.jsonl.removed.not']);
  });
});

describe('a file', () => {
  test('is read for its last whole line, whatever its length, and what is torn after it', async () => {
    for (const filler of ['', 'x'.repeat(10_000), 'ü'.repeat(80_000)]) {
      const chain = new Chain({ filler });
      const lines = chain.lines(3);
      const whole = `${lines.join('\n')}\n`;
      for (const torn of ['', '{"hash":', '{"x'.repeat(20_000)]) {
        write('out.jsonl', whole + torn);
        const bytes = Buffer.byteLength(whole);
        const file = await readSegment(path);
        expect(file).toMatchObject({ bytes, torn: torn.length, number: null, beganAt: Date.UTC(2026, 0, 1) });
        expect(file).toMatchObject({ last: { line: lines[2], entry: { seq: 2, hash: chain.head.hash } } });
      }
    }
  });

  test('says which segment it is', async () => {
    const chain = new Chain({ at: 1_000.125 });
    write('out.jsonl', `${chain.next({ kind: 'segment', segment: 7 })}\n${chain.next()}\n`);
    expect(await readSegment(path)).toMatchObject({ number: 7, beganAt: 1_000.125 });
    write('out.jsonl', `${new Chain().next({ kind: 'segment', segment: 'seven' })}\n`);
    expect(await readSegment(path)).toMatchObject({ number: null });
  });

  test('has nothing in it, or the beginning of a line', async () => {
    const [line = ''] = auditLines(1);
    for (const text of ['', '{', line.slice(0, 40), line.slice(0, 100), line]) {
      write('out.jsonl', text);
      expect(await readSegment(path)).toMatchObject({ last: null, bytes: 0, torn: text.length });
    }
  });

  test('is missing, or is not a log that can go on', async () => {
    expect(await readSegment(path)).toBe('missing');
    const [line = ''] = auditLines(1);
    const forged = line.replace('"mono":0', '"mono":1');
    for (const text of [
      'hello',
      '\n',
      '{"hash":"g',
      '{}\n',
      `${line}\n\n`,
      `${line}\n${forged}\n`,
      `hello\n${line}\n`,
    ]) {
      write('out.jsonl', text);
      expect(await readSegment(path), text).toBe('foreign');
    }
    mkdirSync(join(directory.path, 'folder'));
    expect(await readSegment(join(directory.path, 'folder'))).toBe('foreign');
    await expect(readSegment(join(path, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    expect(directory.open()).toBe(0);
  });
});
