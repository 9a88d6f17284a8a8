import { describe, expect, test } from 'vitest';

import { fateOf, rig, TERMINAL } from './support/service.ts';

describe('the actor of a connection', () => {
  test('holds its socket exactly while it lives: whatever state it leaves, nothing of the attempt stays (pain 22)', async () => {
    const r = rig({ terminal: { connectTimeoutMs: 1_000, closeTimeoutMs: 1_000 } });
    const stages: [string, () => unknown][] = [
      ['connecting', () => r.service.connect(TERMINAL)],
      ['backoff', () => r.clock.advanceAsync(1_000)],
      ['connecting', () => r.service.connect(TERMINAL)],
      ['open', () => r.sockets.last.opens()],
      ['closing', () => r.service.disconnect('terminal:one')],
      ['closed', () => r.clock.advanceAsync(1_000)],
      ['connecting', () => r.service.connect(TERMINAL)],
      ['failed', () => r.sockets.last.ends(4403)],
    ];
    for (const [state, act] of stages) {
      const done = act();
      if (state === 'backoff' || state === 'closed') await done;
      await r.settle();
      expect(r.state()).toBe(state);
      const holds = ['connecting', 'open'].includes(state) ? 1 : 0;
      expect([state, r.sockets.live.length]).toEqual([state, holds]);
    }
    expect(r.clock.pending()).toBe(0);
  });

  test('asks for credentials, then for the URL, then dials', async () => {
    const order: string[] = [];
    const r = rig({
      terminal: {
        credentials: () => {
          order.push('credentials');
          return 'token';
        },
        url: ({ credentials }) => {
          order.push(`url with ${credentials as string}`);
          return 'wss://host/';
        },
      },
    });
    void r.service.connect(TERMINAL);
    await r.settle();
    expect([...order, `socket in ${r.status().detail}`]).toEqual([
      'credentials',
      'url with token',
      'socket in dialing',
    ]);
  });

  test('can be ended by what its own providers do', async () => {
    for (const provider of ['credentials', 'url'] as const) {
      const r = rig({
        terminal: {
          [provider]: () => {
            void r.service.disconnect('terminal:one');
            return 'wss://host/';
          },
        },
      });
      const fate = fateOf(r.service.connect(TERMINAL));
      await r.settle();
      expect([fate.kind, r.state(), r.sockets.constructions]).toEqual(['rejected', 'closed', 0]);
    }
  });

  test('is made when it is first asked to connect, and kept from then on', async () => {
    const names: string[] = [];
    const r = rig({
      inspect: (event: { type: string; actorRef: { id: string } }) =>
        event.type === '@xstate.actor' && names.push(event.actorRef.id),
    });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.reopen();
    void r.service.disconnect('terminal:one');
    r.sockets.last.ends(1000);
    await r.settle();
    await r.open();
    expect(names.filter((name) => name === 'connection:terminal:one')).toHaveLength(1);
  });
});
