import { describe, expect, test } from 'vitest';

import {
  judgeClosing,
  judgeEnding,
  judgeHeartbeat,
  judgeIdle,
  judgeRoundTrips,
  judgeWire,
  readGreeting,
  sparkline,
} from '../../src/cli/conduct.ts';
import { tameText } from '../../src/cli/secrecy.ts';

const SRV =
  '{"t":"srv","v":[1],"node":"n1\\u001b","caps":["deflate",1],"lim":{},"ping":{"iv":25000,"to":10000},"now":5}';
const greeting = { versions: [1], node: 'n1', capabilities: ['deflate'], pingIntervalMs: 25_000 };
const expected = { isSelected: true, isWanted: false, waitedMs: 500 };

describe('a greeting', () => {
  test('is read with what is of interest, tamed', () => {
    expect(readGreeting(SRV, (text) => tameText(text))).toEqual(greeting);
  });

  test('may lack all that is not needed to know it', () => {
    const bare = { versions: [], node: 'unnamed', capabilities: [], pingIntervalMs: null };
    expect(readGreeting('{"t":"srv","v":["1"],"ping":null}', String)).toEqual(bare);
  });

  test.each(['hello', '[]', 'null', '1', '{"t":"hello","v":[1]}', '{"t":"srv","v":1}'])('is not %s', (text) => {
    expect(readGreeting(text, String)).toBeNull();
  });
});

describe('the wire', () => {
  const said = { isBinary: false, bytes: 120, afterMs: 3, greeting: null };

  test('is holdfast.v1 where it was selected and the server greets', () => {
    expect(judgeWire({ ...said, greeting }, expected)).toEqual({
      verdict: 'passed',
      detail: 'holdfast.v1: node n1, wants a ping every 25.00 s, can deflate',
      facts: { wire: 'holdfast.v1', ...greeting },
    });
    expect(judgeWire({ ...said, greeting }, { ...expected, isSelected: false }).facts).toMatchObject({ wire: 'plain' });
  });

  test('is warned of in a version that clients do not speak', () => {
    const finding = judgeWire({ ...said, greeting: { ...greeting, versions: [2] } }, expected);
    expect(finding).toMatchObject({
      verdict: 'warning',
      detail: expect.stringMatching(/versions 2, not 1$/) as string,
    });
  });

  test('is plain otherwise, and a server that echoes names is warned of only where the name was asked for', () => {
    const plain = judgeWire(said, { ...expected, isSelected: false });
    expect(plain).toMatchObject({ verdict: 'passed', detail: 'plain; text of 120 bytes after 3.0 ms' });
    expect(judgeWire({ ...said, isBinary: true, bytes: 1 }, { ...expected, isSelected: false }).detail).toContain(
      'binary of 1 byte ',
    );
    expect(judgeWire(null, expected)).toMatchObject({
      verdict: 'passed',
      detail: 'plain, though it selected holdfast.v1; nothing said unasked within 500 ms',
    });
    expect(judgeWire(null, { ...expected, isWanted: true }).verdict).toBe('warning');
  });
});

describe('round trips', () => {
  test('are told by their least, their middle, their most, and how much they differ', () => {
    expect(judgeRoundTrips({ sent: 4, samplesMs: [4, 1, 2, 3] })).toEqual({
      verdict: 'passed',
      detail: 'min 1.0 ms, median 2.5 ms, max 4.0 ms, jitter 1.7 ms █▁▃▆',
      facts: { sent: 4, answered: 4, samplesMs: [4, 1, 2, 3], minMs: 1, medianMs: 2.5, maxMs: 4, jitterMs: 1.67 },
    });
    expect(judgeRoundTrips({ sent: 1, samplesMs: [7] }).facts).toMatchObject({ medianMs: 7, jitterMs: 0 });
  });

  test('that are missing are warned of', () => {
    expect(judgeRoundTrips({ sent: 1, samplesMs: [] })).toMatchObject({
      verdict: 'warning',
      detail: 'pings are not answered',
    });
    expect(judgeRoundTrips({ sent: 2, samplesMs: [1] })).toMatchObject({
      verdict: 'warning',
      detail: expect.stringMatching(/; 1 of 2 not answered$/) as string,
    });
  });

  test('are drawn, the last twenty of them', () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([5, 5])).toBe('▁▁');
    expect(sparkline(Array.from({ length: 30 }, (_, index) => index))).toHaveLength(20);
  });
});

describe('silence', () => {
  test('is survived or not', () => {
    expect(judgeIdle(60_000, null, 60_000)).toMatchObject({ verdict: 'passed', facts: { survived: true } });
    expect(judgeIdle(60_000, { code: 1001, reason: 'idle', problem: null }, 30_000)).toMatchObject({
      verdict: 'warning',
      detail: 'ended after 30.00 s: close 1001 (idle)',
    });
  });
});

describe('the heartbeat of a server', () => {
  test('is told by number and interval', () => {
    expect(judgeHeartbeat({ pings: 0, watchedMs: 2_000, intervalMs: null }).detail).toBe(
      'no ping of its own in 2.00 s',
    );
    expect(judgeHeartbeat({ pings: 2, watchedMs: 2_000, intervalMs: 900 }).detail).toBe(
      '2 pings of its own in 2.00 s, one every 900 ms',
    );
  });
});

describe('the answer to a close', () => {
  test.each([
    [{ code: 1000, durationMs: 5, isLeftOpen: false }, 'passed', '1000 answered with 1000'],
    [{ code: 1005, durationMs: 5, isLeftOpen: false }, 'passed', '1000 answered without a code'],
    [{ code: 1006, durationMs: 2_000, isLeftOpen: true }, 'warning', 'not answered within 2.00 s'],
    [
      { code: 1000, durationMs: 2_000, isLeftOpen: true },
      'warning',
      'answered with 1000, but the connection stayed open',
    ],
  ])('%j is judged', (closing, verdict, detail) => {
    expect(judgeClosing(closing)).toMatchObject({ verdict, detail });
  });
});

describe('an end that nobody asked for', () => {
  test.each([
    [{ code: 1008, reason: 'no token', problem: null }, 'close 1008 (no token)', /credentials/],
    [{ code: 1005, reason: '', problem: null }, 'close without a code', undefined],
    [{ code: 1006, reason: '', problem: null }, 'the connection broke', undefined],
    [{ code: 1006, reason: '', problem: 'Invalid WebSocket frame' }, 'Invalid WebSocket frame', undefined],
  ])('%j is a failure', (ending, detail, advice) => {
    const finding = judgeEnding(ending);
    expect(finding).toMatchObject({
      verdict: 'failed',
      detail: `ended by the server: ${detail}`,
      facts: { code: ending.code },
    });
    if (advice) expect(finding.advice).toMatch(advice);
    else expect(finding.advice).toBeUndefined();
  });
});
