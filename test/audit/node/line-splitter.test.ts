import { describe, expect, test } from 'vitest';

import { LineSplitter, MAX_LINE_BYTES } from '../../../src/audit/node/line-splitter.ts';

const feed = (splitter: LineSplitter, ...texts: (string | Buffer)[]) =>
  texts.flatMap((text) => splitter.take(Buffer.from(text as string)));

describe('lines of bytes', () => {
  test('are the same wherever the bytes are split', () => {
    const bytes = Buffer.from('one\n\nthree ☃ 😀\r\nfour\nfi');
    for (let one = 0; one <= bytes.length; one++) {
      for (let other = one; other <= bytes.length; other++) {
        const splitter = new LineSplitter();
        const parts = [bytes.subarray(0, one), bytes.subarray(one, other), bytes.subarray(other)];
        expect(feed(splitter, ...parts)).toEqual(['one', '', 'three ☃ 😀\r', 'four']);
        expect([splitter.restBytes, splitter.end(), splitter.end()]).toEqual([2, { flaw: 'torn', bytes: 2 }, null]);
      }
    }
  });

  test('keep a copy of what is left, for the bytes are overwritten', () => {
    const splitter = new LineSplitter();
    const bytes = Buffer.from('abc');
    splitter.take(bytes);
    bytes.fill(0);
    expect(feed(splitter, '\n')).toEqual(['abc']);
  });

  test('that are no UTF-8 are never text, and cost their neighbours nothing', () => {
    const splitter = new LineSplitter();
    const bytes = Buffer.concat([
      Buffer.from('ä\n'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('\nö\n'),
      Buffer.from([0xc3]),
    ]);
    const flaw = { flaw: 'encoding', bytes: 2 };
    expect(feed(splitter, Buffer.concat([Buffer.from('x\n'), bytes, Buffer.from('\n')]))).toEqual([
      ...['x', 'ä', flaw, 'ö', { flaw: 'encoding', bytes: 1 }],
    ]);
  });

  test('keep a byte order mark, which no entry has', () => {
    expect(feed(new LineSplitter(), '\ufeffa\n')).toEqual(['\ufeffa']);
  });

  test('are lines up to 16 MiB, and no longer', () => {
    expect(MAX_LINE_BYTES).toBe(16 * 2 ** 20);
    const splitter = new LineSplitter();
    splitter.take(Buffer.alloc(MAX_LINE_BYTES, 'x'));
    expect(feed(splitter, '\n')).toEqual([expect.stringMatching(/^x+$/)]);
    splitter.take(Buffer.alloc(MAX_LINE_BYTES, 'x'));
    expect(feed(splitter, 'x\n')).toEqual([{ flaw: 'length', bytes: MAX_LINE_BYTES + 1 }]);
  });

  test('that have no end are counted, not kept', () => {
    const splitter = new LineSplitter();
    const piece = Buffer.alloc(2 ** 20, 'x');
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 300; n++) expect(splitter.take(piece)).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * MAX_LINE_BYTES);
    expect(feed(splitter, 'x\nnext\n')).toEqual([{ flaw: 'length', bytes: 300 * 2 ** 20 + 1 }, 'next']);
  });
});
