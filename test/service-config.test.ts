import { describe, expect, test } from 'vitest';

import type { ConfigPatch } from '../src/options.ts';
import { fateOf, rig, TERMINAL } from './support/service.ts';

describe('updateConfig', () => {
  test('applies to a connection that runs: the next failure is judged by it', async () => {
    const r = rig();
    await r.open();
    r.service.updateConfig({ services: { terminal: { retry: { maxRetries: 0 } } } });
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.state()).toBe('failed');
  });

  test('keeps what the patch does not mention', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 3, baseMs: 7, capMs: 7 } } });
    r.service.updateConfig({ services: { terminal: { retry: { maxRetries: 4 } } } });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.of('retrying')).toMatchObject([{ delayMs: 7, maxRetries: 4 }]);
  });

  test.each([
    { present: { retry: { capMs: 120_000 } }, change: { retry: { baseMs: 60_000 } } },
    { present: { heartbeat: { timeoutMs: 60_000 } }, change: { heartbeat: { lateMs: 20_000 } } },
  ])('holds the merged whole to the rules, not the patch to the defaults: case %#', ({ present, change }) => {
    const r = rig({ terminal: present });
    expect(() => {
      r.service.updateConfig({ services: { terminal: change } });
    }).not.toThrow();
  });

  test('sends the next attempt to the new address, and leaves the open one alone', async () => {
    const r = rig();
    await r.open();
    r.service.updateConfig({ services: { terminal: { url: 'wss://other/' } } });
    expect([r.state(), r.sockets.constructions]).toEqual(['open', 1]);
    r.sockets.last.ends(1006);
    await r.settle();
    expect((await r.reopen()).url).toBe('wss://other/');
  });

  test('adds a service type', async () => {
    const r = rig();
    await expect(r.service.connect({ serviceType: 'logs' })).rejects.toMatchObject({ code: 'UNKNOWN_SERVICE' });
    r.service.updateConfig({ services: { logs: { url: 'wss://logs/' } } });
    expect((await r.open({ serviceType: 'logs' })).socket.url).toBe('wss://logs/');
  });

  test('turns the queue off for what comes; what waits goes on waiting', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    const waiting = fateOf(r.service.sendMessage('terminal:one', 'a'));
    r.service.updateConfig({ enableMessageQueue: false });
    await expect(r.service.sendMessage('terminal:one', 'b')).rejects.toMatchObject({ code: 'NOT_OPEN' });
    r.sockets.last.opens();
    await r.settle();
    expect([waiting.kind, r.sockets.last.sent]).toEqual(['resolved', ['a']]);
  });

  test('turns recovery off and on', async () => {
    const r = rig();
    await r.open();
    r.service.updateConfig({ enableAutoRecovery: false });
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.state()).toBe('failed');
    r.service.updateConfig({ enableAutoRecovery: true });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.state()).toBe('backoff');
  });

  test('changes who hears of bugs', async () => {
    const r = rig();
    const heard: unknown[] = [];
    r.service.updateConfig({ onError: (error) => heard.push(error) });
    r.service.on('opened', () => {
      throw new Error('thrown');
    });
    await r.open();
    await r.settle();
    expect([r.bugs, heard]).toMatchObject([[], [{ code: 'LISTENER_THREW' }]]);
  });

  test.each<[what: string, patch: unknown, problem: RegExp]>([
    ['a WebSocket', { WebSocket: Object }, /WebSocket: only the constructor takes it/],
    ['a clock', { clock: {} }, /clock: only the constructor takes it/],
    ['a random', { random: () => 0 }, /random: only the constructor takes it/],
    ['a misspelt key', { services: { terminal: { retries: 1 } } }, /services\.terminal\.retries: unknown option/],
    ['a value out of range', { services: { terminal: { urlTimeoutMs: 0 } } }, /services\.terminal\.urlTimeoutMs: /],
    ['a URL that is none', { services: { terminal: { url: 'ftp://x/' } } }, /services\.terminal\.url: its scheme/],
    ['a new service without a URL', { services: { logs: {} } }, /services\.logs\.url: is required/],
    ['nothing', undefined, /options: is required/],
  ])('refuses %s, and then nothing has changed', async (_what, patch, problem) => {
    const r = rig({ terminal: { retry: { maxRetries: 0 } } });
    const both = {
      ...(patch as object | undefined),
      services: { chat: { retry: { maxRetries: 9 } }, ...(patch as ConfigPatch | undefined)?.services },
    };
    for (const given of patch ? [patch, both] : [patch]) {
      expect(() => r.service.updateConfig(given as ConfigPatch)).toThrow(problem);
    }
    // also the part of it that would have been fine
    const fate = fateOf(r.service.connect({ serviceType: 'chat' }));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect([fate.kind, r.of('retrying')[0]?.maxRetries]).toEqual(['pending', Infinity]);
  });
});

describe('closed and failed connections', () => {
  test('are remembered up to maxInactive, and the longest so goes first (original fault 23)', async () => {
    const r = rig({ maxInactive: 2 });
    for (const key of ['a', 'b', 'c', 'd']) {
      await r.open({ serviceType: 'chat', key });
      r.sockets.last.ends(4403);
      await r.settle();
    }
    expect(r.service.getConnections().map(({ connectionId }) => connectionId)).toEqual(['chat:key=c', 'chat:key=d']);
    expect(r.service.getConnectionStatus('chat:key=a')).toBeNull();
    await expect(r.service.sendMessage('chat:key=a', 'x')).rejects.toMatchObject({ code: 'UNKNOWN_CONNECTION' });
  });

  test('count by how long they have been so, not by when they were made', async () => {
    const r = rig({ maxInactive: 1 });
    await r.open({ serviceType: 'chat', key: 'old' });
    const { socket } = await r.open({ serviceType: 'chat', key: 'young' });
    socket.ends(4403);
    await r.settle();
    r.sockets.all[0]?.ends(4403);
    await r.settle();
    expect(r.service.getConnections()).toMatchObject([{ connectionId: 'chat:key=old' }]);
  });

  test('are never an open one, nor one that is trying', async () => {
    const r = rig({ maxInactive: 0 });
    await r.open({ serviceType: 'chat', key: 'open' });
    await r.open({ serviceType: 'chat', key: 'trying' });
    r.sockets.last.ends(1006);
    await r.settle();
    await r.open({ serviceType: 'chat', key: 'failed' });
    r.sockets.last.ends(4403);
    await r.settle();
    expect(r.service.getConnections().map(({ state }) => state)).toEqual(['open', 'backoff']);
  });

  test('that were opened again are no longer among them', async () => {
    const r = rig({ maxInactive: 1 });
    await r.open({ serviceType: 'chat', key: 'revived' });
    r.sockets.last.ends(4403);
    await r.settle();
    await r.open({ serviceType: 'chat', key: 'revived' });
    await r.open({ serviceType: 'chat', key: 'failed' });
    r.sockets.last.ends(4403);
    await r.settle();
    expect(r.service.getConnections().map(({ state }) => state)).toEqual(['open', 'failed']);
  });

  test('that were forgotten are made anew when they are asked for', async () => {
    const r = rig({ maxInactive: 0 });
    await r.open();
    r.sockets.last.ends(4403);
    await r.settle();
    const { connection } = await r.open({ ...TERMINAL, params: { other: 'params' } });
    expect(connection.status).toMatchObject({ state: 'open', generation: 1 });
  });

  test('fall to a smaller bound at once', async () => {
    const r = rig();
    for (const key of ['a', 'b', 'c']) {
      await r.open({ serviceType: 'chat', key });
      r.sockets.last.ends(4403);
      await r.settle();
    }
    r.service.updateConfig({ maxInactive: 1 });
    expect(r.service.getConnections()).toMatchObject([{ connectionId: 'chat:key=c' }]);
  });

  test('answer who still waits for them when they are forgotten at once', async () => {
    const r = rig({ maxInactive: 0, enableAutoRecovery: false });
    const connecting = fateOf(r.service.connect(TERMINAL));
    const message = fateOf(r.service.sendMessage('terminal:one', 'x'));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect([connecting.error, message.error]).toMatchObject([
      { code: 'HANDSHAKE_FAILED' },
      { code: 'CONNECTION_ENDED' },
    ]);
    expect(r.service.getConnections()).toEqual([]);
  });
});
