import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { DOCTOR_HELP, readOptions } from '../../src/cli/options.ts';

describe('the options of the doctor', () => {
  test('have defaults', () => {
    expect(readOptions(['wss://host/'])).toEqual({
      wish: 'examine',
      options: {
        url: 'wss://host/',
        protocols: [],
        headers: [],
        origin: null,
        pings: 5,
        wireTimeoutMs: 3_000,
        idleMs: 0,
        timeoutMs: 15_000,
        isInsecure: false,
        isStrict: false,
        isJson: false,
      },
    });
  });

  test('are all read', () => {
    const args = `--protocol a --protocol b --protocol a --origin https://x --pings 0 --wire-timeout 0.5
      --idle 60 --timeout 20 --insecure --strict --json`.split(/\s+/);
    const headers = ['--header', 'Authorization: Bearer a:b', '--header', 'X-Empty:'];
    expect(readOptions([...args, ...headers, 'ws://host/'])).toEqual({
      wish: 'examine',
      options: {
        url: 'ws://host/',
        protocols: ['a', 'b'],
        headers: [
          ['Authorization', 'Bearer a:b'],
          ['X-Empty', ''],
        ],
        origin: 'https://x',
        pings: 0,
        wireTimeoutMs: 500,
        idleMs: 60_000,
        timeoutMs: 20_000,
        isInsecure: true,
        isStrict: true,
        isJson: true,
      },
    });
  });

  test.each([
    [[], 'The URL is missing.'],
    [['ws://a', 'ws://hush'], 'There is more than one URL.'],
    [['--verbose', 'ws://a'], "Unknown option '--verbose'."],
    [['--pings', 'hush', 'ws://a'], '--pings takes a whole number from 0 to 1000.'],
    [['--pings', '1.5', 'ws://a'], '--pings takes a whole number from 0 to 1000.'],
    [['--timeout', '0', 'ws://a'], '--timeout takes a number of seconds from 0.1 to 86400.'],
    [['--idle', '1e3', 'ws://a'], '--idle takes a number of seconds from 0 to 86400.'],
    [['--header', 'hush', 'ws://a'], "--header takes 'Name: value'."],
    [['--header', 'A: hush\r\nB: c', 'ws://a'], "--header takes 'Name: value'."],
    [['--header', 'Upgrade: hush', 'ws://a'], '--header cannot set Upgrade: the handshake does.'],
    [['--header', 'Sec-WebSocket-Key: hush', 'ws://a'], '--header cannot set Sec-WebSocket-Key: the handshake does.'],
    [['--protocol', 'a hush', 'ws://a'], '--protocol takes the name of one subprotocol.'],
    [['--origin', 'a\r\nhush', 'ws://a'], '--origin takes an origin such as https://example.com.'],
  ])('that are wrong are told without their values: %j', (args, problem) => {
    expect(readOptions(args)).toEqual({ wish: null, problem });
  });

  test('are explained', () => {
    expect(readOptions(['--help'])).toEqual({ wish: 'help' });
    expect(readOptions(['-h', 'ws://a'])).toEqual({ wish: 'help' });
    for (const line of DOCTOR_HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('are the ones that the README tells of', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const rows = /\| option of `doctor` [^]*?\n\n/.exec(readme)?.[0] ?? '';
    const named = (text: string): string[] => [...text.matchAll(/(?:^ +|`)(--[a-z-]+)/gm)].map(([, name = '']) => name);
    expect([...new Set(named(rows))].toSorted()).toEqual(
      named(DOCTOR_HELP)
        .filter((name) => name !== '--help')
        .toSorted(),
    );
  });
});
