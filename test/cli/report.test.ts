import { describe, expect, test } from 'vitest';

import { json, stepLines, summaryLines, wrap } from '../../src/cli/report.ts';
import type { Examination, Step } from '../../src/cli/step.ts';

const plain = { width: 80, isColoured: false };
const network: Step = { id: 'network', verdict: 'passed', durationMs: 12.3, detail: '127.0.0.1:8080 in 12 ms' };
const wire: Step = {
  id: 'wire',
  verdict: 'warning',
  durationMs: 3_000,
  detail: 'plain, though it selected holdfast.v1; nothing said unasked within 3.00 s',
  advice: 'The server echoes names of subprotocols that it does not know, as many do.',
};
const idle: Step = { id: 'idle', verdict: 'skipped', durationMs: 0, detail: 'asked for by --idle' };
const examination: Examination = {
  url: 'ws://127.0.0.1:8080/',
  startedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 3_100,
  verdict: 'warning',
  steps: [network, wire, idle],
};

describe('the line of a step', () => {
  test('has columns, and goes on below its details', () => {
    expect([network, wire, idle].flatMap((step) => stepLines(step, plain))).toEqual([
      '✓ passed   network        12 ms  127.0.0.1:8080 in 12 ms',
      '! warning  wire          3.00 s  plain, though it selected holdfast.v1; nothing',
      '                                 said unasked within 3.00 s',
      '– skipped  idle                  asked for by --idle',
    ]);
  });

  test('has its details below it where there is no room beside', () => {
    expect(stepLines(wire, { ...plain, width: 40 })).toEqual([
      '! warning wire 3.00 s',
      '    plain, though it selected',
      '    holdfast.v1; nothing said unasked',
      '    within 3.00 s',
    ]);
  });

  test('is coloured where that is wished, in its verdict only', () => {
    const [line = ''] = stepLines(network, { ...plain, isColoured: true });
    expect(line.startsWith('\u001b[32m✓ passed\u001b[39m   network ')).toBe(true);
  });

  test.each([0, 1, 30, 33, 40, 62, 63, 80, 200])('is no wider than the terminal, or than 30: %d', (width) => {
    const long = { ...network, detail: `${'x'.repeat(90)} ${'ab '.repeat(40)}` };
    for (const line of stepLines(long, { ...plain, width }))
      expect(line.length).toBeLessThanOrEqual(Math.max(width, 30));
  });
});

describe('the summary', () => {
  test('counts verdicts and gives advice', () => {
    expect(summaryLines(examination, { ...plain, width: 60 })).toEqual([
      '',
      '! warning: 1 passed, 1 warning, 1 skipped, in 3.10 s',
      '',
      'Advice',
      '- wire: The server echoes names of subprotocols that it does',
      '  not know, as many do.',
    ]);
  });

  test('gives none where there is none to give', () => {
    expect(summaryLines({ ...examination, verdict: 'passed', steps: [network] }, plain)).toEqual([
      '',
      '✓ passed: 1 passed, in 3.10 s',
    ]);
  });

  test('is coloured in its verdict', () => {
    const [, line = ''] = summaryLines(examination, { ...plain, isColoured: true });
    expect(line.startsWith('\u001b[33m! warning\u001b[39m: 1 passed')).toBe(true);
  });
});

describe('the document', () => {
  test('is the examination', () => {
    expect(JSON.parse(json(examination))).toEqual(examination);
  });
});

describe('wrapping', () => {
  test('breaks between words, and long words where it must', () => {
    expect(wrap('', 5)).toEqual(['']);
    expect(wrap('aa bb cc', 5)).toEqual(['aa bb', 'cc']);
    expect(wrap('abcdefgh i', 5)).toEqual(['abcde', 'fgh i']);
    expect(wrap('max 12 ms, 3 ms later', 6)).toEqual(['max', '12 ms,', '3 ms', 'later']);
    expect(wrap('😀😀😀', 2)).toEqual(['😀😀', '😀']);
  });

  test('leaves a number with what it counts, where there is room', () => {
    expect(wrap('down for 2 s (10.9 %)', 19)).toEqual(['down for 2 s', '(10.9 %)']);
    expect(wrap('1 dropped, 0 unknown.', 14)).toEqual(['1 dropped,', '0 unknown.']);
    expect(wrap('of 1,000 connections', 6)).toEqual(['of', '1,000', 'connec', 'tions']);
    expect(wrap('4 8 15 16 23 42', 6)).toEqual(['4 8 15', '16 23', '42']);
  });
});
