import { describe, expect, test } from 'vitest';

import { failure } from '../src/core/recovery.ts';
import type { ServerFrame } from '../src/protocol/frames.ts';
import { Warning } from '../src/warning.ts';

const lost = failure('CONNECTION_LOST', 'platform');
const errOf = (given: Partial<Extract<ServerFrame, { t: 'err' }>> = {}): Extract<ServerFrame, { t: 'err' }> => ({
  t: 'err',
  c: 'BUSY',
  m: 'come\nback',
  temp: true,
  ra: 700,
  ...given,
});

function warned(...errors: Parameters<typeof errOf>): { warning: Warning; passes: (ms: number) => void } {
  let now = 1_000;
  const warning = new Warning(() => now);
  for (const error of errors) warning.heard(errOf(error));
  return {
    warning,
    passes: (ms) => {
      now += ms;
    },
  };
}

describe('what a server said of trouble', () => {
  test('explains nothing where it said nothing', () => {
    expect(warned().warning.explained(lost)).toBe(lost);
  });

  test('explains the end of its socket: why, and how long to stay away at least', () => {
    const { warning } = warned({});
    expect(warning.explained(lost)).toEqual({ ...lost, detail: 'platform; BUSY: come back', retryAfterMs: 700 });
    expect(warning.explained({ ...lost, detail: null, retryAfterMs: 900 })).toMatchObject({
      detail: 'BUSY: come back',
      retryAfterMs: 900,
    });
    expect(warned({ ra: undefined } as never).warning.explained(lost).retryAfterMs).toBe(0);
  });

  test('is no reason of an end that comes much later', () => {
    const { warning, passes } = warned({});
    passes(5_000);
    expect(warning.explained(lost).retryAfterMs).toBe(700);
    passes(1);
    expect(warning.explained(lost)).toBe(lost);
  });

  test('is the reason whenever the end comes, if the server said that it would', () => {
    const { warning, passes } = warned({ fatal: true });
    passes(60_000);
    expect(warning.explained(lost).detail).toContain('BUSY');
  });

  test('is the last that it said', () => {
    const { warning } = warned({});
    warning.heard(errOf({ c: 'QUOTA', ra: 5 }));
    expect(warning.explained(lost)).toMatchObject({ detail: 'platform; QUOTA: come back', retryAfterMs: 5 });
  });
});
