import { afterEach, describe, expect, test, vi } from 'vitest';

import { isProtocols, parseUrl } from '../src/address.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a WebSocket URL', () => {
  test.each([
    ['ws://host', 'ws://host/'],
    ['wss://host:8443/a/b?x=1&y=%20z', 'wss://host:8443/a/b?x=1&y=%20z'],
    ['http://host/a', 'ws://host/a'],
    ['https://host/a', 'wss://host/a'],
    ['WSS://HOST/A', 'wss://host/A'],
    [new URL('https://host/a'), 'wss://host/a'],
    ['ws://[::1]:9/', 'ws://[::1]:9/'],
  ])('is read from %s', (value, url) => {
    expect(parseUrl(value)).toEqual({ ok: true, url });
  });

  test.each([
    ['ftp://host/', 'its scheme is none of ws, wss, http and https'],
    ['s3cret:rest', 'its scheme is none of ws, wss, http and https'],
    ['wss://host/#top', 'a WebSocket URL has no fragment'],
    ['/relative', 'it cannot be parsed'],
    ['', 'it cannot be parsed'],
    ['wss://host:99999/?token=secret', 'it cannot be parsed'],
    [5, 'a number is no URL'],
    [undefined, 'a undefined is no URL'],
    [null, 'a object is no URL'],
  ])('is not read from %j', (value, problem) => {
    expect(parseUrl(value)).toEqual({ ok: false, problem });
  });

  test('is resolved against the page, where there is one', () => {
    vi.stubGlobal('location', { href: 'https://app.example/deep/page?x#y' });
    expect(parseUrl('/ws?a=1')).toEqual({ ok: true, url: 'wss://app.example/ws?a=1' });
    expect(parseUrl('ws')).toEqual({ ok: true, url: 'wss://app.example/deep/ws' });
  });
});

describe('subprotocols', () => {
  test.each([[[]], [['a']], [['v1', 'v2']], [["!#$%&'*+-.^_`|~09azAZ"]]])('%j are fine', (value) => {
    expect(isProtocols(value)).toBe(true);
  });

  test.each([[['a', 'a']], [['']], [['a b']], [['a,b']], [['é']], [['a\n']], [[5]], ['a'], [undefined]])(
    '%j are not',
    (value) => {
      expect(isProtocols(value)).toBe(false);
    },
  );
});
