import { describe, expect, test } from 'vitest';

import type { Failure } from '../src/core/recovery.ts';
import { Endpoint } from '../src/endpoint.ts';
import type { AddressRequest, ServiceOptions } from '../src/options.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import { deferred, fateOf, microtasks, rig, TERMINAL, type Rig } from './support/service.ts';

const CANARY = 'c4n4ry-t0k3n';

async function dialled(terminal: Partial<ServiceOptions>): Promise<Rig> {
  const r = rig({ terminal });
  void r.service.connect(TERMINAL);
  await r.settle();
  return r;
}

describe('a URL provider', () => {
  test.each([
    [
      'throws',
      () => {
        throw new TypeError('boom');
      },
      'TypeError',
    ],
    ['rejects', () => Promise.reject(new RangeError('boom')), 'RangeError'],
    ['rejects with no error', () => Promise.resolve().then(nonError), 'a string'],
  ])('that %s is asked again, for ever by default (original fault 26) (pain 2)', async (_how, fail, kind) => {
    let failures = 5;
    const r = await dialled({ url: () => (failures-- > 0 ? fail() : 'wss://host/t') });
    expect(r.of('error')[0]).toMatchObject({ code: 'URL_FAILED', retryable: true, connectionId: 'terminal:one' });
    expect(r.of('error')[0]?.message).toContain(kind);
    for (let retry = 1; retry <= 5; retry++) {
      expect(r.state()).toBe('backoff');
      await r.passBackoff();
    }
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), r.of('error').length]).toEqual(['open', 5]);
  });

  test.each<[string, unknown]>([
    ['a URL in it', Object.assign(new Error('boom'), { name: `wss://host/?t=${CANARY}` })],
    ['a line of its own', Object.assign(new Error('boom'), { name: `Error\n${CANARY}` })],
    ['no end', Object.assign(new Error('boom'), { name: CANARY.repeat(100) })],
    ['no text', Object.assign(new Error('boom'), { name: 7 })],
    [
      'a trap in it',
      Object.defineProperty(new Error('boom'), 'name', {
        get: () => {
          throw new Error(CANARY);
        },
      }),
    ],
  ])('that throws an error whose name has %s is told of without that name', async (_what, thrown) => {
    const throwIt = (): never => {
      throw thrown;
    };
    for (const r of [await dialled({ url: throwIt }), await dialled({ credentials: throwIt })]) {
      expect(r.of('error')[0]?.message).toMatch(/^The (URL|credentials) provider failed: a object\.$/);
      expect([r.of('error')[0]?.cause, r.state()]).toEqual([thrown, 'backoff']);
    }
  });

  test('is told of as the cause of what it threw, and its message is not repeated', async () => {
    const thrown = new Error(`401 for ${CANARY}`);
    const r = await dialled({ url: () => Promise.reject(thrown) });
    expect(r.of('error')[0]?.cause).toBe(thrown);
    expect(r.of('error')[0]?.message).not.toContain(CANARY);
  });

  test('that never answers is given up in time, told so, and asked again; a late answer is nothing (pain 2)', async () => {
    const answers = [deferred<string>(), deferred<string>()];
    const asked: AddressRequest[] = [];
    const r = await dialled({
      urlTimeoutMs: 4_000,
      url: (request) => {
        asked.push(request);
        return answers[asked.length - 1]?.promise ?? '';
      },
    });
    await r.clock.advanceAsync(3_999);
    expect([asked[0]?.signal.aborted, r.state()]).toEqual([false, 'connecting']);
    await r.clock.advanceAsync(1);
    expect([asked[0]?.signal.aborted, r.state()]).toEqual([true, 'backoff']);
    expect(r.of('error')).toMatchObject([{ code: 'URL_TIMEOUT', category: 'timeout', retryable: true }]);
    await r.passBackoff();
    answers[0]?.resolve('wss://host/stale');
    await r.settle();
    expect(r.sockets.constructions).toBe(0);
    answers[1]?.resolve('wss://host/fresh');
    await r.settle();
    expect(r.sockets.all.map(({ url }) => url)).toEqual(['wss://host/fresh']);
  });

  test.each([
    ['nonsense', 'not a url at all'],
    ['another scheme', 'ftp://host/'],
    ['a fragment', 'wss://host/#top'],
    ['a number', 5],
    ['nothing', undefined],
    ['an object', { url: 'wss://host/' }],
  ])('that gives %s is a fault of the configuration, and ends the connection', async (_what, answer) => {
    const r = rig({ terminal: { url: () => answer as never } });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    expect(fate.error).toMatchObject({ name: 'ConfigurationError', code: 'INVALID_URL', retryable: false });
    expect([r.state(), r.sockets.constructions]).toEqual(['failed', 0]);
  });

  test.each([
    ['a URL object', new URL('wss://host/u'), 'wss://host/u'],
    ['http, which is dialled as ws', 'http://host/u', 'ws://host/u'],
    ['a promise', Promise.resolve('wss://host/u'), 'wss://host/u'],
  ])('may give %s', async (_what, answer, url) => {
    expect((await dialled({ url: () => answer })).sockets.last.url).toBe(url);
  });

  test('is asked anew for each attempt, with what ended the one before (pain 31)', async () => {
    const asked: AddressRequest[] = [];
    const r = await dialled({
      url: (request) => {
        asked.push(request);
        return `wss://host/${asked.length}`;
      },
    });
    r.sockets.last.ends(1013, 'busy');
    await r.settle();
    await r.passBackoff();
    expect(r.sockets.all.map(({ url }) => url)).toEqual(['wss://host/1', 'wss://host/2']);
    expect(asked).toMatchObject([
      { attempt: 0, lastFailure: undefined, credentials: undefined },
      { attempt: 1, lastFailure: { code: 'HANDSHAKE_FAILED', closeCode: 1013 } },
    ]);
  });
});

describe('a token', () => {
  test('is in no error, event, status or inspection event, whatever becomes of the connection', async () => {
    const inspected: unknown[] = [];
    const r = rig({
      inspect: (event: unknown) => inspected.push(event),
      onError: null,
      terminal: {
        credentials: () => ({ token: CANARY }),
        url: ({ credentials }) => `wss://user:${CANARY}@host/?t=${(credentials as { token: string }).token}#${CANARY}`,
      },
    });
    // a fragment makes the URL invalid, and the complaint about it must not quote the rest
    void r.service.connect(TERMINAL);
    await r.settle();
    expect(r.state()).toBe('failed');
    r.service.updateConfig({
      services: { terminal: { url: ({ token }) => `wss://host/?t=${String(token)}` } },
    });
    for (const name of ['SyntaxError', 'SecurityError', 'Error']) {
      r.sockets.constructorError = Object.assign(new Error(`${CANARY} is bad`), { name });
      void r.service.connect(TERMINAL);
      await r.settle();
    }
    r.sockets.constructorError = undefined;
    const { id, connection } = await r.open();
    expect(r.sockets.last.url).toContain(CANARY);
    void r.service.sendMessage(id, 'waits');
    r.sockets.last.ends(1006);
    await r.settle();
    await r.reopen();
    r.sockets.last.ends(4401);
    await r.settle();
    const told = [r.events, r.service.getConnections(), connection, connection.status.lastError, inspected];
    expect(inspected.length).toBeGreaterThan(50);
    for (const text of texts(told)) expect(text).not.toContain(CANARY);
  });

  test('that a provider gives as the scheme of a URL is not quoted', async () => {
    const r = rig({ terminal: { url: () => 'c4n4ry:token' } });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    expect((fate.error as Error).message).not.toContain('c4n4ry');
  });

  test('that was given as the URL itself is not repeated by the complaint', async () => {
    const r = await dialled({ url: () => CANARY });
    expect(r.status().lastError).toMatchObject({ code: 'INVALID_URL' });
    for (const text of texts([r.status(), r.events])) expect(text).not.toContain(CANARY);
  });
});

describe('an endpoint', () => {
  const FACTS = {
    connectionId: 'c',
    serviceType: 's',
    terminalId: undefined,
    sessionId: undefined,
    params: {},
    attemptId: 'a-1',
    attempt: 0,
    lastFailure: undefined,
  };

  const clock = { now: 0 };

  function endpointOf(service: ServiceOptions): Endpoint {
    const { services } = settle({ services: { s: service } });
    return new Endpoint(
      () => services.get('s') as ServiceSettings,
      () => clock.now,
    );
  }

  test('gives an address out once', async () => {
    const endpoint = endpointOf({ url: 'https://host/' });
    const told: unknown[] = [];
    endpoint.locate(FACTS, (failed) => told.push(failed));
    await microtasks();
    expect([told, endpoint.take(), endpoint.take()]).toEqual([
      [null],
      { address: { url: 'wss://host/', protocols: [] }, token: undefined },
      undefined,
    ]);
  });

  test('keeps and tells nothing of an answer that is no longer wanted', async () => {
    const answer = deferred<string>();
    const endpoint = endpointOf({ url: () => answer.promise, credentials: () => answer.promise });
    const told: unknown[] = [];
    const settled = (failed: Failure | null): unknown => told.push(failed);
    endpoint.authorize(FACTS, 'fresh', settled)();
    endpoint.locate(FACTS, settled)();
    answer.resolve('wss://host/');
    await microtasks();
    expect([told, endpoint.take()]).toEqual([[], undefined]);
  });
});

describe('subprotocols', () => {
  test('are offered as given, or as the function gives them, credentials and all', async () => {
    expect((await dialled({ protocols: ['v2', 'v1'] })).sockets.last.protocols).toEqual(['v2', 'v1']);
    const r = await dialled({
      credentials: () => 'abc',
      protocols: ({ token }) => ['v1', `bearer.${String(token)}`],
    });
    expect(r.sockets.last.protocols).toEqual(['v1', 'bearer.abc']);
  });

  test.each([
    ['repeat', ['a', 'a']],
    ['are no tokens', ['a b']],
    ['are empty', ['']],
  ])('that %s are refused, and no socket is made', async (_how, protocols) => {
    expect(() => rig({ terminal: { protocols } })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTIONS',
        message: expect.stringContaining('protocols') as string,
      }) as Error,
    );
    const r = rig({ terminal: { protocols: () => protocols } });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    expect(fate.error).toMatchObject({ name: 'ConfigurationError', code: 'INVALID_PROTOCOLS', retryable: false });
    expect(r.sockets.constructions).toBe(0);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'URL_FAILED',
      'backoff',
    ],
    ['gives no list', () => 'v1' as never, 'INVALID_PROTOCOLS', 'failed'],
  ])('by a function that %s are told as %s', async (_how, protocols, code, state) => {
    const r = await dialled({ protocols });
    expect([r.of('error')[0]?.code, r.state()]).toEqual([code, state]);
  });
});

function nonError(): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a provider of another's code may do
  throw 'boom';
}

/** Every text that can be reached from a value: properties, error messages, stacks and causes, names of the keys too. */
function texts(root: unknown): string[] {
  const found: string[] = [];
  const seen = new Set<unknown>();
  const pending = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === 'string') found.push(value);
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Map) pending.push(...value.entries());
    for (const key of Reflect.ownKeys(value)) {
      found.push(String(key));
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      if (descriptor && 'value' in descriptor) pending.push(descriptor.value);
    }
  }
  return found;
}
