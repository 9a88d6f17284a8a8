import { describe, expect, test } from 'vitest';

import { readFrame } from '../../src/protocol/wire.ts';
import { frameBytesOf, Run, volatileFrame, weighed, type Frame } from '../../src/protocol/framing.ts';

const read = (frame: Frame) =>
  readFrame(typeof frame === 'string' ? frame : frame.slice().buffer, {
    from: 'server',
    limits: { frame: 1_000_000, inflated: 0 },
    compression: null,
  });

function runOf(...messages: Parameters<typeof weighed>[0][]): Run {
  const run = new Run(1_000_000);
  for (const message of messages) expect(run.add(weighed(message))).toBe(true);
  return run;
}

describe('a run of messages', () => {
  test('is a short batch while none carries anything beside its payload', () => {
    const run = runOf({ data: '1' }, { data: '{"a":2}' });
    expect([run.frame(7, 0), run.frame(7, 3)]).toEqual(['7[1,{"a":2}]', '7,3[1,{"a":2}]']);
  });

  test('is an m frame when one does', () => {
    const run = runOf({ data: '1' }, { data: '"x"', meta: { k: 'k"y', re: 'q' } });
    expect(read(run.frame(7, 3))).toEqual({ t: 'm', s: 7, a: 3, b: [{ d: 1 }, { d: 'x', k: 'k"y', re: 'q' }] });
    expect(read(run.frame(7, 0))).not.toHaveProperty('a');
  });

  test('is a binary batch when its payloads are bytes', () => {
    const run = runOf({ data: new Uint8Array([1]) }, { data: new Uint8Array([2]), meta: { n: 't' } });
    expect(read(run.frame(7, 3))).toEqual({
      t: 'bytes',
      s: 7,
      a: 3,
      b: [
        { meta: {}, d: new Uint8Array([1]) },
        { meta: { n: 't' }, d: new Uint8Array([2]) },
      ],
    });
  });

  test('never mixes text and bytes', () => {
    const run = runOf({ data: '1' });
    expect(run.add(weighed({ data: new Uint8Array([1]) }))).toBe(false);
    expect(run.size).toBe(1);
  });

  test('holds at most 256 messages, and 64 KiB', () => {
    const run = new Run(1_000_000);
    for (let count = 0; count < 256; count++) expect(run.add(weighed({ data: '1' }))).toBe(true);
    expect(run.add(weighed({ data: '1' }))).toBe(false);
    const big = runOf({ data: '1'.repeat(40_000) });
    expect(big.add(weighed({ data: '1'.repeat(40_000) }))).toBe(false);
  });

  test('is never longer than it weighs', () => {
    const meta = { k: 'ü'.repeat(9), h: { a: '"' } };
    for (const message of [{ data: '"ü"', meta }, { data: new Uint8Array(99), meta }, { data: '1' }]) {
      const frame = runOf(message).frame(2 ** 53 - 1, 2 ** 53 - 1);
      expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(frameBytesOf(weighed(message)));
    }
  });

  test('takes its first message whatever its size', () => {
    expect(new Run(10).add(weighed({ data: '1'.repeat(100_000) }))).toBe(true);
  });
});

test('a volatile message has no position', () => {
  expect(read(volatileFrame({ data: '1', meta: { n: 't' } }))).toEqual({ t: 'v', b: [{ d: 1, n: 't' }] });
  expect(read(volatileFrame({ data: new Uint8Array([1]) }))).toMatchObject({ t: 'bytes', s: 0 });
});
