import { describe, expect, test } from 'vitest';

import { WireRig } from './support/server-script.ts';
import { deferred, rig, TERMINAL } from './support/service.ts';

describe('the status of a connection', () => {
  test('tells where exactly it is, and since when', async () => {
    const r = rig();
    const seen: [string, string, number][] = [];
    const note = (): void => {
      const { state, detail, since } = r.status();
      seen.push([state, detail, r.clock.now() - since]);
    };
    void r.service.connect(TERMINAL);
    note();
    await r.clock.advanceAsync(100);
    note();
    r.sockets.last.opens();
    await r.clock.advanceAsync(50);
    note();
    r.sockets.last.ends(1006);
    await r.settle();
    note();
    r.signals.send('network.offline');
    await r.clock.advanceAsync(25);
    note();
    void r.service.disconnect('terminal:one');
    note();
    expect(seen).toEqual([
      ['connecting', 'locating', 0],
      ['connecting', 'dialing', 100],
      ['open', 'open', 50],
      ['backoff', 'waiting', 0],
      ['backoff', 'offline', 25],
      ['closed', 'closed', 0],
    ]);
  });

  test('tells when the next retry is due, and that none is', async () => {
    const r = rig();
    await r.open();
    expect(r.status().retryAt).toBeNull();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.status().retryAt).toBe(r.clock.now() + (r.of('retrying')[0]?.delayMs ?? Number.NaN));
    await r.passBackoff();
    expect(r.status()).toMatchObject({ state: 'connecting', retryAt: null, attempt: 1 });
  });

  test('is a copy of one moment: nothing changes it', async () => {
    const r = rig();
    const { id } = await r.open();
    const before = r.status();
    const copy = structuredClone({ ...before, lastError: null });
    expect(() => Object.assign(before, { state: 'failed' })).toThrow(TypeError);
    Object.assign(before.messages, { sent: 99 });
    await r.service.sendMessage(id, 'x');
    r.sockets.last.ends(4403);
    await r.settle();
    expect({ ...before, messages: copy.messages }).toEqual(copy);
    expect(r.status()).toMatchObject({ state: 'failed', messages: { sent: 1 } });
  });

  test('counts messages both ways', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    socket.says('a');
    socket.says('b');
    void r.service.sendMessage(id, 'c');
    expect(r.status().messages).toEqual({
      accepted: 1,
      sent: 0,
      acknowledged: 0,
      dropped: 0,
      droppedBy: {},
      unknown: 0,
      waiting: 1,
      waitingBytes: 1,
      refused: 0,
      received: 2,
    });
  });

  test('keeps the last thing that went wrong; the application’s own close is none', async () => {
    const r = rig();
    const { id } = await r.open();
    expect(r.status().lastError).toBeNull();
    r.sockets.last.ends(1006, '');
    await r.settle();
    const { lastError } = r.status();
    expect(lastError).toMatchObject({ code: 'CONNECTION_LOST' });
    await r.reopen();
    void r.service.disconnect(id);
    r.sockets.last.ends(1000);
    await r.settle();
    expect(r.status().lastError).toBe(lastError);
  });

  test('lists every connection that is known', async () => {
    const r = rig();
    await r.open();
    void r.service.connect({ serviceType: 'chat' });
    expect(r.service.getConnections().map(({ connectionId, state }) => [connectionId, state])).toEqual([
      ['terminal:one', 'open'],
      ['chat', 'connecting'],
    ]);
  });

  test('asked for by a provider is the one that asks it', async () => {
    const answer = deferred<string>();
    const states: string[] = [];
    const r = rig({
      terminal: {
        url: () => {
          states.push(r.status().detail);
          return answer.promise;
        },
      },
    });
    void r.service.connect(TERMINAL);
    await r.settle();
    expect(states).toEqual(['locating']);
  });

  test('tells which wire its link speaks, or spoke last, and how long a round trip took', async () => {
    const r = new WireRig();
    const server = await r.dial();
    expect(r.status()).toMatchObject({ detail: 'awaiting', wire: null, rttMs: null });
    server.srv();
    server.welcome();
    await r.clock.advanceAsync(25_000);
    expect(r.status()).toMatchObject({ state: 'open', wire: 'holdfast.v1', rttMs: null });
    await r.clock.advanceAsync(40);
    server.says({ t: 'pong', i: 1, ts: server.of('ping')[0]?.ts ?? 0, now: 1 });
    await r.drops();
    expect(r.status()).toMatchObject({ state: 'backoff', wire: 'holdfast.v1', rttMs: 40 });
  });
});
