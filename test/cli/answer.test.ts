import { describe, expect, test } from 'vitest';

import {
  headerOf,
  isUnexplained,
  judgeAnswer,
  judgeClock,
  judgeCompression,
  judgeSubprotocol,
  TLS_ANSWER,
  type Answer,
  type Request,
} from '../../src/cli/answer.ts';
import { tameText } from '../../src/cli/secrecy.ts';

const request: Request = {
  url: new URL('wss://host/chat'),
  offered: ['holdfast.v1'],
  wanted: [],
  tame: (text) => tameText(text, ['hush']),
};

function answer(given: Partial<Answer> = {}): Answer {
  return { outcome: 'open', status: 101, headers: {}, problem: null, durationMs: 10, askedAt: 0, ...given };
}

function refused(status: number, headers: Answer['headers'] = {}): Answer {
  return answer({ outcome: 'refused', status, headers });
}

describe('the answer to a handshake', () => {
  test('that accepts it passes, with the headers of interest', () => {
    const headers = { server: 'nginx hush', via: ['a', 'b'], 'x-other': 'c' };
    expect(judgeAnswer(answer({ headers }), request)).toEqual({
      verdict: 'passed',
      detail: '101; server: nginx …; via: a, b',
      facts: { status: 101, headers: { server: 'nginx …', via: 'a, b' } },
    });
  });

  test.each([
    [refused(401), /^401: credentials/, /--header/],
    [refused(403), /^403: not allowed/, /--origin/],
    [refused(404), /^404: nothing at this path/, /path/],
    [refused(418), /^418: refused/, /log of the server/],
    [refused(429, { 'retry-after': '8' }), /^429: too many requests; retry-after: 8/, /Wait/],
    [refused(200), /^200: an answer, but no WebSocket/, /Upgrade/],
    [refused(302, { location: '/login?next=hush' }), /^302: go to wss:\/\/host\/login\?next=…/, /redirections/],
    [refused(302, { location: '//hush.example/a/hush/b' }), /^302: go to wss:\/\/….example\/a\/…\/b/, /redirections/],
    [refused(302, { location: 'http://[' }), /^302: refused/, /log/],
    [answer({ outcome: 'silent', status: null }), /^no answer/, /does not speak HTTP/],
    [answer({ outcome: 'broken', status: null, problem: 'Parse Error: hush' }), /^no HTTP: Parse Error: …/, /port/],
    [answer({ outcome: 'broken', status: null, problem: 'socket hang up' }), /ended without an answer/, /log/],
    [answer({ outcome: 'broken', status: null, problem: TLS_ANSWER }), /speaks TLS/, /wss:/],
    [answer({ outcome: 'broken', problem: 'Invalid Sec-WebSocket-Accept header' }), /^101, but no valid/, /6455/],
  ])('that does not says why: %j', (given, detail, advice) => {
    const finding = judgeAnswer(given, request);
    expect(finding.verdict).toBe('failed');
    expect(finding.detail).toMatch(detail);
    expect(finding.advice).toMatch(advice);
    expect(JSON.stringify(finding)).not.toContain('hush');
  });

  test('hints at TLS only where there is none', () => {
    const url = new URL('ws://host/');
    expect(judgeAnswer(refused(400), { ...request, url }).advice).toMatch(/TLS/);
    expect(judgeAnswer(refused(400), request).advice).not.toMatch(/TLS/);
  });

  test('is unexplained only where its status says nothing', () => {
    expect([400, 418, 500].map((status) => isUnexplained(refused(status)))).toEqual([true, true, true]);
    expect([200, 302, 401, 404, 503].some((status) => isUnexplained(refused(status)))).toBe(false);
    expect(isUnexplained(answer({ outcome: 'broken', status: 400 }))).toBe(false);
  });

  test('has headers, of which several are one', () => {
    const headers = { a: 'x', b: ['y', 'z'], c: undefined };
    expect(['a', 'b', 'c', 'd'].map((name) => headerOf(answer({ headers }), name))).toEqual(['x', 'y, z', null, null]);
  });
});

describe('the subprotocol', () => {
  const selecting = (name?: string): Answer => answer({ headers: { 'sec-websocket-protocol': name } });

  test('may be any that was offered', () => {
    expect(judgeSubprotocol(selecting('holdfast.v1'), request)).toMatchObject({
      verdict: 'passed',
      facts: { selected: 'holdfast.v1' },
    });
  });

  test('may be missing, unless the user asked for one', () => {
    expect(judgeSubprotocol(selecting(), request).verdict).toBe('passed');
    expect(judgeSubprotocol(selecting(), { ...request, offered: [] }).detail).toBe('none offered, none selected');
    expect(judgeSubprotocol(selecting(), { ...request, wanted: ['chat'] }).verdict).toBe('warning');
  });

  test('must not be another', () => {
    expect(judgeSubprotocol(selecting('other'), request)).toMatchObject({
      verdict: 'failed',
      detail: 'selected other, which was not offered',
    });
  });

  test('is not shown where it looks like a token', () => {
    const token = 'bearer.0123456789abcdef';
    const finding = judgeSubprotocol(selecting(token), { ...request, offered: [token] });
    expect(finding).toMatchObject({ verdict: 'passed', facts: { offered: ['…'], selected: '…' } });
    expect(judgeSubprotocol(selecting('hush'), request).detail).toBe('selected …, which was not offered');
  });
});

describe('compression', () => {
  test('is told with its parameters, or as not accepted', () => {
    const headers = { 'sec-websocket-extensions': 'permessage-deflate; server_max_window_bits=10' };
    expect(judgeCompression(answer({ headers }), request.tame).detail).toBe(
      'permessage-deflate; server_max_window_bits=10 accepted',
    );
    expect(judgeCompression(answer(), request.tame)).toMatchObject({ verdict: 'passed', facts: { accepted: null } });
  });
});

describe('the clock of a server', () => {
  const at = (offsetMs: number): Answer =>
    answer({
      headers: { date: 'Thu, 01 Jan 2026 00:00:00 GMT' },
      askedAt: Date.UTC(2026, 0, 1) + 500 - offsetMs,
      durationMs: 400,
    });

  test('is not known without a date', () => {
    expect(judgeClock(answer()).verdict).toBe('skipped');
    expect(judgeClock(answer({ headers: { date: 'yesterday' } })).verdict).toBe('skipped');
  });

  test.each([
    [0, 'passed', 'the same as here, ± 1.20 s'],
    [1_200, 'passed', 'the same as here, ± 1.20 s'],
    [-5_000, 'passed', "5.00 s behind this machine's, ± 1.20 s"],
    [60_000, 'passed', "60.00 s ahead of this machine's, ± 1.20 s"],
    [60_001, 'warning', "60.00 s ahead of this machine's, ± 1.20 s"],
    [-7_200_000, 'warning', "120 minutes behind this machine's, ± 1.20 s"],
  ])('that is %d ms ahead is %s', (offsetMs, verdict, detail) => {
    expect(judgeClock(at(offsetMs))).toMatchObject({ verdict, detail, facts: { offsetMs, uncertaintyMs: 1_200 } });
  });
});
