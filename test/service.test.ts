import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { HoldfastError } from '../src/errors.ts';
import { EnhancedWebSocketService } from '../src/service.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { browserSockets } from './support/fake-socket.ts';
import { fateOf, ManualSignals, rig, TERMINAL } from './support/service.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the first usage example', () => {
  test('connects, and hands the message to the socket', async () => {
    const sockets = browserSockets();
    const handedIn = { WebSocket: sockets.WebSocket, clock: new SimulatedClock(), signals: new ManualSignals() };

    const enhancedService = new EnhancedWebSocketService({
      services: { terminal: { url: 'wss://host/t' }, chat: { url: 'wss://host/c' }, main: { url: 'wss://host/m' } },
      enableMessageQueue: true,
      enableHealthMonitoring: true,
      enableAutoRecovery: true,
      ...handedIn,
    });
    const example = async (): Promise<void> => {
      const connectionId = await enhancedService.connect({ serviceType: 'terminal', terminalId: 'my-terminal' });
      await enhancedService.sendMessage(connectionId, { type: 'input', data: 'ls -la' });
    };

    const run = example();
    await handedIn.clock.advanceAsync(0);
    sockets.last.opens();
    await handedIn.clock.advanceAsync(0);
    await run;
    expect(sockets.last.sent).toEqual(['{"type":"input","data":"ls -la"}']);
  });
});

describe('which connection is meant', () => {
  test('two wishes for the same one share it (original fault 28)', async () => {
    const r = rig();
    const { service, sockets } = r;
    const wishes = [service.connect(TERMINAL), service.connect({ ...TERMINAL })];
    await r.settle();
    sockets.last.opens();
    expect(await Promise.all(wishes)).toEqual(['terminal:one', 'terminal:one']);
    expect(await service.connect(TERMINAL)).toBe('terminal:one');
    expect(sockets.constructions).toBe(1);
  });

  test('params are compared by what they say, not by their order', async () => {
    const r = rig();
    const { service, sockets } = r;
    const first = service.connect({ ...TERMINAL, params: { a: '1', b: '2' } });
    const second = service.connect({ ...TERMINAL, params: { b: '2', a: '1' } });
    await r.settle();
    sockets.last.opens();
    expect(await first).toBe(await second);
  });

  test('the same one with other params is a conflict, and the present one stays as it is (pain 43)', async () => {
    const r = rig();
    const { id } = await r.open({ ...TERMINAL, params: { shell: 'bash' } });
    await expect(r.service.connect({ ...TERMINAL, params: { shell: 'zsh' } })).rejects.toMatchObject({
      name: 'ConfigurationError',
      code: 'CONNECTION_CONFLICT',
      connectionId: id,
      serviceType: 'terminal',
    });
    await expect(r.service.connect(TERMINAL)).rejects.toMatchObject({ code: 'CONNECTION_CONFLICT' });
    expect([r.state(id), r.sockets.constructions]).toEqual(['open', 1]);
  });

  test('a name can be no disguise for another: what would get the same id is a conflict', async () => {
    const r = rig();
    await r.open({ serviceType: 'terminal', sessionId: 'x' });
    await expect(r.service.connect({ serviceType: 'terminal', terminalId: 'session=x' })).rejects.toMatchObject({
      code: 'CONNECTION_CONFLICT',
    });
  });

  test('terminal, session and key each tell connections apart', async () => {
    const r = rig();
    const ids = [];
    for (const name of [{}, { terminalId: 'x' }, { sessionId: 'x' }, { key: 'x' }, { terminalId: 'x', key: 'x' }]) {
      ids.push((await r.open({ serviceType: 'terminal', ...name })).id);
    }
    expect(new Set(ids).size).toBe(5);
    expect(r.sockets.live).toHaveLength(5);
  });

  test('the id stays the same over every attempt, and so does what the provider is told (original fault 29)', async () => {
    const asked: unknown[] = [];
    const r = rig({
      terminal: {
        url: ({ connectionId, terminalId, sessionId, params }) => {
          asked.push({ connectionId, terminalId, sessionId, params });
          return 'wss://host/t';
        },
      },
    });
    const { id } = await r.open({ ...TERMINAL, sessionId: 's', params: { cols: '80' } });
    r.sockets.last.ends(1006);
    await r.settle();
    await r.reopen(id);
    const facts = { connectionId: id, terminalId: 'one', sessionId: 's', params: { cols: '80' } };
    expect(asked).toEqual([facts, facts]);
  });

  test('a terminal without a name is a terminal all the same (original fault 29)', async () => {
    const r = rig();
    expect((await r.open({ serviceType: 'terminal' })).id).toBe('terminal');
  });

  test('a terminal without a name keeps its id over every attempt, and is asked about by it (original fault 29)', async () => {
    const asked: string[] = [];
    const r = rig({
      terminal: {
        url: ({ connectionId }) => {
          asked.push(connectionId);
          return 'wss://host/t';
        },
      },
    });
    const { id } = await r.open({ serviceType: 'terminal' });
    r.sockets.last.ends(1006);
    await r.settle();
    await r.reopen(id);
    expect([asked, r.service.getConnections().map(({ connectionId }) => connectionId)]).toEqual([[id, id], [id]]);
  });
});

describe('what is asked for in vain', () => {
  test('a service type that is none is named, with those that there are', async () => {
    const { service } = rig();
    await expect(service.connect({ serviceType: 'terminl' })).rejects.toMatchObject({
      code: 'UNKNOWN_SERVICE',
      message: expect.stringMatching(/"terminl".*terminal, chat/) as string,
    });
  });

  test.each([
    ['no wish at all', undefined],
    ['a wish without a type', {}],
    ['an empty name', { serviceType: 'terminal', terminalId: '' }],
    ['a number for a param', { serviceType: 'terminal', params: { cols: 80 } }],
    ['a misspelt option', { serviceType: 'terminal', terminalID: 'one' }],
    ['a deadline that is none', { serviceType: 'terminal', timeoutMs: -1 }],
    ['a signal that is none', { serviceType: 'terminal', signal: {} }],
  ])('connect refuses %s, and makes nothing (original fault 32)', async (_what, wish) => {
    const { service, sockets, clock } = rig();
    await expect(service.connect(wish as never)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect([service.getConnections(), sockets.constructions, clock.pending()]).toEqual([[], 0, 0]);
  });

  test('an id that is none is refused by name (original fault 32)', async () => {
    const { service } = rig();
    const refusal = { name: 'ConfigurationError', code: 'UNKNOWN_CONNECTION', connectionId: 'nobody' };
    await expect(service.sendMessage('nobody', 'hi')).rejects.toMatchObject(refusal);
    await expect(service.disconnect('nobody')).rejects.toMatchObject(refusal);
    await expect(service.disconnect(undefined as never)).rejects.toMatchObject({ code: 'UNKNOWN_CONNECTION' });
    expect(() => service.connection('nobody')).toThrow(expect.objectContaining(refusal));
    expect(service.getConnectionStatus('nobody')).toBeNull();
  });
});

describe('a platform without a WebSocket', () => {
  test('lets a service be made, and connect is refused with the reason', async () => {
    vi.stubGlobal('WebSocket', undefined);
    const clock = new SimulatedClock();
    const service = new EnhancedWebSocketService({
      services: { terminal: { url: 'wss://host/t' } },
      clock,
      signals: new ManualSignals(),
    });
    const fate = fateOf(service.connect({ serviceType: 'terminal' }));
    await clock.advanceAsync(0);
    expect(fate.error).toMatchObject({ name: 'ConfigurationError', code: 'NO_WEBSOCKET', retryable: false });
    expect([service.getConnectionStatus('terminal')?.state, clock.pending()]).toEqual(['failed', 0]);
  });

  test('is asked again at every attempt: a WebSocket that comes later is used', async () => {
    vi.stubGlobal('WebSocket', undefined);
    const clock = new SimulatedClock();
    const services = { terminal: { url: 'wss://host/t' } };
    const service = new EnhancedWebSocketService({ services, clock, signals: new ManualSignals() });
    await expect(service.connect({ serviceType: 'terminal' })).rejects.toMatchObject({ code: 'NO_WEBSOCKET' });
    const sockets = browserSockets();
    vi.stubGlobal('WebSocket', sockets.WebSocket);
    const connected = service.connect({ serviceType: 'terminal' });
    await clock.advanceAsync(0);
    sockets.last.opens();
    expect(await connected).toBe('terminal');
  });
});

describe('making a service', () => {
  test('opens nothing, starts no timer and listens to nothing (pain 47)', () => {
    const { sockets, clock, signals, service } = rig();
    expect([sockets.constructions, clock.pending(), signals.subscribers]).toEqual([0, 0, 0]);
    expect(service.getConnections()).toEqual([]);
  });

  test('twice gives two that know nothing of each other', async () => {
    const [one, other] = [rig(), rig()];
    await one.open();
    expect(other.service.getConnections()).toEqual([]);
    await other.open();
    await one.destroy();
    expect(other.state()).toBe('open');
  });

  test('by importing the package, nothing happens and nothing is looked at (original fault 30) (pain 47)', () => {
    // a process of its own, where every global of a browser reports that it was touched
    const script = `
      const noticed = [];
      for (const name of ['WebSocket', 'window', 'document', 'navigator', 'location', 'localStorage', 'CloseEvent'])
        Object.defineProperty(globalThis, name, { get: () => void noticed.push(name) });
      for (const name of ['setTimeout', 'setInterval', 'addEventListener'])
        Object.defineProperty(globalThis, name, { value: () => void noticed.push(name) });
      const names = Reflect.ownKeys(globalThis).length;
      const { EnhancedWebSocketService } = await import(${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)});
      new EnhancedWebSocketService({ services: { main: { url: '/ws' } } });
      console.log(JSON.stringify({ noticed, added: Reflect.ownKeys(globalThis).length - names }));
    `;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ noticed: [], added: 0 });
  }, 30_000);
});

describe('a random that throws', () => {
  test('is told as a fault of its own kind, and leaves no connection behind', async () => {
    const r = rig({
      random: () => {
        throw new Error('no entropy');
      },
    });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    expect(fate.error).toBeInstanceOf(HoldfastError);
    expect(r.service.getConnections().filter(({ state }) => state === 'idle')).toEqual([]);
  });
});
