import { describe, expect, test } from 'vitest';

import type { ConfigurationError } from '../../src/errors.ts';
import { MemoryStore } from '../../src/server/memory-store.ts';
import { createHoldfastServer, type HoldfastServerOptions } from '../../src/server/server.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { startWireServer } from '../support/wire-server.ts';

const authenticate = () => null;
const make = createHoldfastServer as (options?: unknown) => unknown;

function problemsOf(act: () => unknown): readonly string[] {
  try {
    act();
    return [];
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'INVALID_OPTIONS' });
    return (error as ConfigurationError).problems;
  }
}

const pathsOf = (act: () => unknown): string[] => problemsOf(act).map((problem) => problem.split(': ')[0] ?? '');

describe('the options of a server', () => {
  test('may all be given, and all but one be left out', () => {
    const clock = new SimulatedClock();
    const options: HoldfastServerOptions = {
      authenticate,
      onSession: () => undefined,
      onPlain: () => undefined,
      onError: () => undefined,
      limits: {
        frameBytes: 256,
        inflatedBytes: 256,
        windowMessages: 1,
        windowBytes: 1,
        messagesPerSecond: 0.5,
        sessionsPerPrincipal: Infinity,
        bufferedBytes: Infinity,
        channelsPerSession: 0,
        helloMs: 1,
      },
      ping: { intervalMs: 1, timeoutMs: 1 },
      ttlMs: 0,
      store: new MemoryStore({ clock }),
      node: 'n',
      compression: false,
      origins: ['https://a.example', 'http://localhost:8080', 'capacitor://localhost', 'null'],
      clock,
      random: () => undefined,
    };
    expect(problemsOf(() => make(options))).toEqual([]);
    expect(
      problemsOf(() => make({ authenticate, origins: () => true, limits: { messagesPerSecond: Infinity } })),
    ).toEqual([]);
    expect(problemsOf(() => make({ authenticate }))).toEqual([]);
  });

  test('are told of all that is wrong with them at once', () => {
    expect(problemsOf(() => make())).toEqual(['options: is required']);
    expect(problemsOf(() => make(null))).toEqual(['options: must be an object']);
    expect(
      problemsOf(() => make({ authentciate: authenticate, onSesion: authenticate, limits: { frames: 1 } })),
    ).toEqual([
      'authenticate: is required',
      'limits.frames: unknown option',
      'authentciate: unknown option',
      'onSesion: unknown option',
    ]);
  });

  test.each<[string, readonly unknown[]]>([
    ['authenticate', [null, {}, 'secret']],
    ['onSession', [{}]],
    ['onPlain', [true]],
    ['onError', ['log']],
    ['limits', [5, []]],
    ['ping', [25_000, false]],
    ['ttlMs', [-1, 0.5, '120s', Infinity]],
    ['store', [{}, new Map()]],
    ['node', ['', 5, 'n'.repeat(257)]],
    ['compression', ['deflate', 1]],
    ['origins', ['https://a.example', ['*'], ['a.example'], ['https://a.example/'], ['https://*.example'], [/a/]]],
    ['clock', [Date, {}]],
    ['random', [0.5]],
  ])('%s must be what it says', (name, values) => {
    for (const value of values) expect(pathsOf(() => make({ authenticate, [name]: value }))).toEqual([name]);
  });

  test.each<[string, readonly unknown[]]>([
    ['frameBytes', [255, 1e9 + 0.5, Infinity, '262144']],
    ['inflatedBytes', [0, Infinity]],
    ['windowMessages', [0, -1, Infinity]],
    ['windowBytes', [0, Infinity]],
    ['messagesPerSecond', [0, -1, NaN, '5']],
    ['sessionsPerPrincipal', [0, 1.5, NaN]],
    ['bufferedBytes', [0, -1]],
    ['channelsPerSession', [-1, 0.5]],
    ['helloMs', [0, Infinity]],
  ])('the limit %s has its bounds', (name, values) => {
    for (const value of values)
      expect(pathsOf(() => make({ authenticate, limits: { [name]: value } }))).toEqual([`limits.${name}`]);
  });

  test('so many windows are a number', () => {
    for (const windows of [0, -1, 1.5, Infinity, undefined])
      expect(pathsOf(() => make({ authenticate, compression: { windows } }))).toEqual(['compression.windows']);
    expect(problemsOf(() => make({ authenticate, compression: { windows: 1 } }))).toEqual([]);
  });

  test.each(['intervalMs', 'timeoutMs'])('ping.%s is a time', (name) => {
    for (const value of [0, -1, Infinity, null])
      expect(pathsOf(() => make({ authenticate, ping: { [name]: value } }))).toEqual([`ping.${name}`]);
  });
});

describe('what is asked of a server and its sessions', () => {
  test('are events that there are, and functions to call', async () => {
    const { server, join, sessions } = startWireServer();
    await join();
    const wrong: [() => unknown, string[]][] = [
      [() => server.on('sesion' as never, authenticate), ['type']],
      [() => server.on('session', undefined as never), ['listener']],
      [() => sessions[0]?.on('closed' as never, authenticate), ['type']],
      [() => sessions[0]?.on('ended', {} as never), ['listener']],
      [() => sessions[0]?.onMessage(undefined as never), ['handler']],
      [() => sessions[0]?.onMessage(authenticate, { acknowledge: 'process' as never }), ['acknowledge']],
      [() => sessions[0]?.onRequest(authenticate, { ack: 'processed' } as never), ['ack']],
      [() => sessions[0]?.onChannel('chat' as never), ['listener']],
    ];
    for (const [act, paths] of wrong) expect(pathsOf(act)).toEqual(paths);
    for (const type of ['session', 'detached', 'resumed', 'ended', 'closed'] as const)
      expect(() => server.on(type, () => undefined)()).not.toThrow();
  });

  test.each<[string, unknown]>([
    ['spreadMs', -1],
    ['deadlineMs', Infinity],
    ['why', 5],
    ['url', 'elsewhere'],
    ['url', ''],
    ['spread', 1],
  ])('is no drain with a wrong %s, and it goes on', async (name, value) => {
    const { server, join } = startWireServer();
    await expect(server.drain({ [name]: value })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect((await join()).closed).toBeUndefined();
  });
});

describe('the options of a store in memory', () => {
  test('may all be left out', () => {
    expect(problemsOf(() => new MemoryStore())).toEqual([]);
    expect(
      problemsOf(
        () => new MemoryStore({ maxMessages: 1, maxBytes: 1, maxSessions: Infinity, keyTtlMs: 0, maxKeys: 0 }),
      ),
    ).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['clock', Date],
    ['maxMessages', 0],
    ['maxBytes', -1],
    ['maxSessions', 0.5],
    ['keyTtlMs', -1],
    ['maxKeys', '5'],
    ['ttlMs', 5],
  ])('%s must be what it says', (name, value) => {
    expect(pathsOf(() => new MemoryStore({ [name]: value }))).toEqual([name]);
  });
});
