import { describe, expect, test } from 'vitest';

import type { Handshake } from '../../examples/demo/gate.ts';
import { expiredToken, rateLimit, secrecy } from '../../examples/demo/refusals.ts';
import type { Wound } from '../../examples/demo/scenario.ts';
import { SecretScan } from '../../examples/demo/secret-scan.ts';
import { ConnectionError } from '../../src/errors.ts';

const UNHURT: Omit<Wound, 'kind' | 'name'> = {
  noticedMs: 5,
  noticedAs: 'CLOSED_BY_PEER',
  awayMs: 0,
  recoveredMs: 70,
  retries: [],
  turnedAway: 0,
  handshakes: [],
  grants: [],
  generations: [4, 5],
};

const closedWith = (closeCode: number): ConnectionError =>
  new ConnectionError('CLOSED_BY_PEER', { closeCode, initiator: 'peer' });
const answered = (status: Handshake['status'], rest: Partial<Handshake> = {}): Handshake => ({
  status,
  at: 0,
  token: null,
  retryAfterS: 0,
  ...rest,
});

describe('an expired token', () => {
  const replaced: Wound = {
    ...UNHURT,
    kind: 'expired token',
    name: 'main',
    grants: [{ number: 5, lastFailure: closedWith(4401) }],
    handshakes: [answered(101, { token: 5 })],
    retries: [{ attempt: 1, delayMs: 60, httpStatus: null }],
  };

  test('is replaced by one token, asked for once and shown at once', () => {
    expect(expiredToken([replaced])).toMatchObject({
      held: true,
      detail:
        'told CLOSED_BY_PEER (4401), the provider gave token 5; open with it after 70 ms, 0 of 1 handshakes refused',
    });
  });

  test.each<[string, Partial<Wound>, string]>([
    ['is never asked', { grants: [] }, 'asked for a token: 0 instead of 1'],
    ['is asked twice', { grants: [...replaced.grants, ...replaced.grants] }, 'asked for a token: 2 instead of 1'],
    ['is told nothing', { grants: [{ number: 5, lastFailure: undefined }] }, 'the provider was told no error'],
    [
      'is told of another end',
      { grants: [{ number: 5, lastFailure: closedWith(1001) }] },
      'the provider was told CLOSED_BY_PEER (1001)',
    ],
    [
      'is asked too late',
      { handshakes: [answered(401, { token: 4 }), ...replaced.handshakes] },
      'handshakes with another token: 1 instead of 0',
    ],
    ['gives what is refused', { handshakes: [answered(401, { token: 5 })] }, 'handshakes that were refused: 1'],
    ['is asked in vain', { handshakes: [] }, 'no handshake followed'],
    ['is asked after a backoff', { retries: [{ attempt: 1, delayMs: 400, httpStatus: null }] }, 'it waited for 400 ms'],
  ])('breaks the promise when the provider %s', (_how, course, problem) => {
    const { held, detail } = expiredToken([{ ...replaced, ...course }]);
    expect(held).toBe(false);
    expect(detail).toContain(problem);
  });
});

describe('a rate limit', () => {
  const kept: Wound = {
    ...UNHURT,
    kind: 'rate limit',
    name: 'terminal',
    handshakes: [answered(429, { at: 100, retryAfterS: 3 }), answered(101, { at: 4_110 })],
    retries: [
      { attempt: 1, delayMs: 90, httpStatus: null },
      { attempt: 2, delayMs: 4_000, httpStatus: 429 },
    ],
  };

  test('is kept by who announces the wait and waits', () => {
    expect(rateLimit([kept])).toMatchObject({
      held: true,
      detail: 'asked for 3.00 s, announced 4.00 s, away for 4.01 s',
    });
  });

  test('is kept by who did not hear the first refusal in time', () => {
    const late = answered(429, { at: 0, retryAfterS: 3 });
    expect(rateLimit([{ ...kept, handshakes: [late, ...kept.handshakes] }])).toMatchObject({ held: true });
  });

  test.each<[string, Partial<Wound>, string]>([
    ['was never told', { handshakes: [answered(101)], retries: [] }, 'no refusal was heard'],
    [
      'announces less',
      { retries: [{ attempt: 2, delayMs: 2_500, httpStatus: 429 }] },
      'asked for 3.00 s, it announced 2.50 s',
    ],
    ['does not hear it', { retries: [{ attempt: 2, delayMs: 4_000, httpStatus: null }] }, 'no refusal was heard'],
    [
      'comes too soon',
      { handshakes: [answered(429, { at: 100, retryAfterS: 3 }), answered(101, { at: 1_000 })] },
      'asked for 3.00 s, it came after 900 ms',
    ],
    [
      'comes again and again',
      { handshakes: [0, 1, 2].map((at) => answered(429, { at, retryAfterS: 3 })) },
      '3 handshakes were refused',
    ],
    [
      'never comes back',
      { handshakes: [answered(429, { at: 100, retryAfterS: 3 })] },
      'asked for 3.00 s, it came after 0 ms',
    ],
  ])('is broken by who %s', (_how, course, problem) => {
    const { held, detail } = rateLimit([{ ...kept, ...course }]);
    expect(held).toBe(false);
    expect(detail).toContain(problem);
  });
});

describe('the secrecy of tokens', () => {
  function searched(...lines: readonly string[]): SecretScan {
    const scan = new SecretScan();
    scan.plant('s3cr3t');
    scan.searchTold({ code: 'CLOSED_BY_PEER' });
    scan.search('inspection event', '{}');
    scan.search('audit record', '{}');
    for (const line of lines) scan.search('line', line);
    return scan;
  }

  test('holds when they were looked for everywhere and found nowhere', () => {
    expect(secrecy(searched('open'))).toMatchObject({ held: true });
  });

  test('is broken by one line', () => {
    expect(secrecy(searched('open', 'with s3cr3t'))).toMatchObject({ held: false, detail: '1 × line' });
  });

  test('is not proved by who did not look, or had nothing to look for', () => {
    expect(secrecy(searched())).toMatchObject({ held: false, detail: 'no line was searched' });
    const scan = new SecretScan();
    expect(secrecy(scan).detail).toContain('there were no tokens');
  });
});
