import { describe, expect, test } from 'vitest';

import { isPrivate, readAddress } from '../../src/cli/address.ts';

describe('an address', () => {
  test.each([
    ['wss://host.example/ws', { hostname: 'host.example', port: 443, isSecure: true }],
    ['https://host.example:8443/', { hostname: 'host.example', port: 8443, isSecure: true }],
    ['ws://127.0.0.1/', { hostname: '127.0.0.1', port: 80, isSecure: false }],
    ['http://localhost:8080', { hostname: 'localhost', port: 8080, isSecure: false }],
    ['ws://[::1]:9/', { hostname: '::1', port: 9, isSecure: false }],
  ])('such as %s is read', (text, target) => {
    const { verdict, target: found } = readAddress(text);
    expect(found).toMatchObject(target);
    expect(found?.url.protocol).toMatch(/^wss?:$/);
    expect(verdict).toBe('passed');
  });

  test.each(['example.com/ws', 'localhost:8080', 'ftp://host/', 'ws://host/#part', ''])(
    'such as "%s" fails',
    (text) => {
      expect(readAddress(text)).toMatchObject({ verdict: 'failed', target: null });
    },
  );

  test('without encryption is warned of on the public network', () => {
    expect(readAddress('ws://host.example/')).toMatchObject({
      verdict: 'warning',
      detail: 'ws://host.example/: not encrypted',
    });
    expect(readAddress('ws://93.184.216.34/').verdict).toBe('warning');
  });
});

describe('a host', () => {
  test.each([
    '127.1.2.3',
    '10.0.0.1',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
  ])('at %s is private', (address) => {
    expect(isPrivate(address)).toBe(true);
  });

  test.each(['8.8.8.8', '172.32.0.1', '2001:4860:4860::8888', 'example.com', 'local.example.com'])(
    'at %s is not',
    (address) => {
      expect(isPrivate(address)).toBe(false);
    },
  );

  test.each(['localhost', 'localhost.', 'a.localhost', 'printer.local', 'db', 'api.internal'])(
    'called %s is private',
    (name) => {
      expect(isPrivate(name)).toBe(true);
    },
  );
});
