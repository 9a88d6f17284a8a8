import { describe, expect, test } from 'vitest';

import { freePort, echo, startServer } from '../support/server.ts';
import { runProgram, usePrograms } from '../support/program.ts';

usePrograms();

describe('a process where every unhandled rejection is fatal', () => {
  const node = ['--unhandled-rejections=strict', '--trace-warnings'];

  test('survives all that nobody awaits (pain 46)', async () => {
    const server = await startServer({ onSocket: echo });
    const end = await runProgram('unawaited', { node, args: [server.url, `ws://127.0.0.1:${await freePort()}`] });
    expect(end).toEqual({ code: 0, signal: null, result: { faults: true, warnings: [] }, stderr: '' });
  });

  test.each(['hold', 'accept', 401] as const)(
    'survives closing while connecting, upgrade: %s (pain 44)',
    async (upgrade) => {
      const server = await startServer({ upgrade });
      const end = await runProgram('closeWhileConnecting', { node, args: [server.url] });
      expect(end).toEqual({ code: 0, signal: null, result: 'survived', stderr: '' });
    },
  );
});

describe('a process without a WebSocket', () => {
  test('can load the library and make a service, which touches and holds nothing (original fault 35) (pain 47)', async () => {
    // since Node 22 there is one, unless it is turned away
    const node = process.allowedNodeEnvironmentFlags.has('--no-experimental-websocket')
      ? ['--no-experimental-websocket']
      : [];
    const end = await runProgram('importing', { node });
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(end.result).toEqual({
      before: [],
      after: [],
      end: [],
      imported: [],
      constructed: [],
      statuses: [],
      code: 'NO_WEBSOCKET',
      category: 'configuration',
    });
  });
});
