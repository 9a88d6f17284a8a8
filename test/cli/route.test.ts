import { describe, expect, test } from 'vitest';

import {
  chosen,
  codeOf,
  judgeAttempts,
  judgeInsecurity,
  judgeLookup,
  judgeSecurity,
  type Attempt,
  type Security,
} from '../../src/cli/route.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);
const addresses = Array.from({ length: 8 }, (_, index) => ({ address: `10.0.0.${index}`, family: 4 }));

function attempt(address: string, problem: string | null): Attempt {
  return { address, family: address.includes(':') ? 6 : 4, durationMs: 1.234, problem };
}

function security(given: Partial<Security> = {}, daysLeft = 90): Security {
  const certificate = { subject: 'host', issuer: 'ca', validFrom: NOW - DAY_MS, validTo: NOW + daysLeft * DAY_MS };
  return { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', certificate, problem: null, ...given };
}

describe('the lookup of a name', () => {
  test('passes with its addresses, of which the first six are tried', () => {
    expect(judgeLookup('host', { addresses: addresses.slice(0, 2) })).toEqual({
      verdict: 'passed',
      detail: '10.0.0.0, 10.0.0.1',
      facts: { addresses: ['10.0.0.0', '10.0.0.1'] },
    });
    expect(judgeLookup('host', { addresses }).detail).toMatch(/10\.0\.0\.5 and 2 more$/);
    expect(chosen(addresses)).toHaveLength(6);
  });

  test.each([
    ['ENOTFOUND', 'host: no such name', /misspelt/],
    ['EAI_AGAIN', 'host: no name server answers', /name servers/],
    ['EAI_NODATA', 'host: EAI_NODATA', /name servers/],
  ])('fails with %s', (problem, detail, advice) => {
    const finding = judgeLookup('host', { problem });
    expect(finding).toMatchObject({ verdict: 'failed', detail, facts: { problem } });
    expect(finding.advice).toMatch(advice);
  });
});

describe('connecting', () => {
  test('passes where an address answers and the others refuse at once', () => {
    expect(judgeAttempts([attempt('::1', 'ECONNREFUSED'), attempt('127.0.0.1', null)], 80)).toMatchObject({
      verdict: 'passed',
      detail: '[::1]:80 (refused: nothing listens there), 127.0.0.1:80 in 1.2 ms',
      facts: { used: '127.0.0.1', port: 80, attempts: [{ durationMs: 1.2 }, {}] },
    });
  });

  test('is warned of where an address keeps clients waiting', () => {
    const finding = judgeAttempts([attempt('::1', 'ETIMEDOUT'), attempt('127.0.0.1', null)], 80);
    expect(finding.verdict).toBe('warning');
    expect(finding.advice).toContain('::1');
  });

  test('fails where none answers', () => {
    expect(judgeAttempts([attempt('10.0.0.1', 'ECONNREFUSED')], 80)).toMatchObject({
      verdict: 'failed',
      facts: { used: null },
    });
    expect(judgeAttempts([attempt('10.0.0.1', 'ETIMEDOUT')], 80).advice).toMatch(/firewall/);
  });
});

describe('a certificate', () => {
  const with_ = { now: NOW, isInsecure: false };

  test('that is valid for long passes', () => {
    expect(judgeSecurity(security(), with_)).toEqual({
      verdict: 'passed',
      detail: 'TLSv1.3, TLS_AES_128_GCM_SHA256, for host by ca, 90 days left',
      facts: {
        protocol: 'TLSv1.3',
        cipher: 'TLS_AES_128_GCM_SHA256',
        subject: 'host',
        issuer: 'ca',
        validFrom: '2025-12-31T00:00:00.000Z',
        validTo: '2026-04-01T00:00:00.000Z',
        daysLeft: 90,
        problem: null,
      },
    });
  });

  test('that ends within 14 days is warned of', () => {
    expect(judgeSecurity(security({}, 14), with_).verdict).toBe('passed');
    expect(judgeSecurity(security({}, 13.9), with_)).toMatchObject({ verdict: 'warning', facts: { daysLeft: 13 } });
  });

  test.each([
    ['CERT_HAS_EXPIRED', -2, /not valid: it has expired\. .*expired 2 days ago$/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 90, /it is for another host/],
    ['SOMETHING_ELSE', 90, /SOMETHING_ELSE/],
  ])('that is not valid fails, or is warned of where that is wished: %s', (problem, daysLeft, detail) => {
    const given = security({ problem }, daysLeft);
    const finding = judgeSecurity(given, with_);
    expect(finding.verdict).toBe('failed');
    expect(finding.detail).toMatch(detail);
    expect(judgeSecurity(given, { ...with_, isInsecure: true }).verdict).toBe('warning');
  });

  test('that begins later, or has no dates at all, is told as such', () => {
    const certificate = { subject: 'a', issuer: 'b', validFrom: NOW + 1.5 * DAY_MS, validTo: NOW + 9 * DAY_MS };
    expect(judgeSecurity(security({ certificate, problem: 'CERT_NOT_YET_VALID' }), with_).detail).toMatch(
      /valid in 2 days$/,
    );
    const none = { subject: 'unnamed', issuer: 'unnamed', validFrom: NaN, validTo: NaN };
    expect(judgeSecurity(security({ certificate: none, problem: 'X' }), with_).facts).toMatchObject({ validTo: null });
  });

  test('names its owner without control characters', () => {
    const certificate = { subject: 'a\u001b[2Jb', issuer: 'c', validFrom: NOW, validTo: NOW + 90 * DAY_MS };
    expect(judgeSecurity(security({ certificate }), with_).facts).toMatchObject({ subject: 'a [2Jb' });
  });
});

describe('TLS that does not come about', () => {
  test.each([
    [null, 'no answer to the TLS handshake'],
    [
      Object.assign(new Error('wrong version number'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }),
      'the server does not speak TLS at this port',
    ],
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'no TLS: the connection was cut'],
    [new Error('alert number 40'), 'no TLS: alert number 40'],
  ])('is told: %s', (error, detail) => {
    expect(judgeInsecurity(error)).toMatchObject({ verdict: 'failed', detail });
  });
});

describe('the code of an error', () => {
  test('is its name where it has none', () => {
    expect([codeOf(new TypeError('a')), codeOf(Object.assign(new Error('a'), { code: 'EPIPE' }))]).toEqual([
      'TypeError',
      'EPIPE',
    ]);
  });
});
