import { describe, expect, test } from 'vitest';

import { memorySink } from '../../../src/audit/sinks/memory.ts';
import { auditSinkContract } from '../../contract/audit-sink.ts';
import { auditLines } from '../../support/audit-lines.ts';

auditSinkContract('in memory', ['rotate'], () => {
  const sink = memorySink({ maxRecords: 12, segments: 3 });
  return {
    sink,
    stored: () => sink.lines(),
    segments: { lines: 4, kept: 3 },
    held: () => 0,
    stop: () => undefined,
  };
});

describe('the memory sink', () => {
  test('is full at its share of the lines, by default a fourth of 10,000', () => {
    const sink = memorySink();
    void sink.append(auditLines(2_499));
    expect(sink.isFull?.()).toBe(false);
    void sink.append(auditLines(1));
    expect(sink.isFull?.()).toBe(true);
  });

  test('keeps no more than the newest segment where that is all it may have', () => {
    const sink = memorySink({ maxRecords: 2, segments: 1 });
    const lines = auditLines(3);
    void sink.append(lines.slice(0, 2));
    expect(sink.rotate?.()).toMatchObject([{ segment: 1, seq: 1 }]);
    void sink.append(lines.slice(2));
    expect(sink.lines()).toEqual(lines.slice(2));
  });

  test('takes its name, and refuses options that make no sense', () => {
    expect([memorySink().name, memorySink({ name: 'mine' }).name]).toEqual(['memory', 'mine']);
    expect(() => memorySink({ maxRecords: 0, segments: 1.5 })).toThrow(
      'Invalid options: maxRecords: must be a whole number of at least 1; segments: must be a whole number of at least 1.',
    );
  });
});
