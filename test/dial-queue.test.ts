import { describe, expect, test } from 'vitest';

import type { Priority } from '../src/core/queue.ts';
import { DialQueue } from '../src/dial-queue.ts';
import { fateOf, NOTHING_LEFT, rig, type Rig } from './support/service.ts';

function queue(most = 1): {
  dials: DialQueue;
  granted: string[];
  ask: (name: string, priority?: Priority) => () => void;
  allow: (most: number) => void;
} {
  const granted: string[] = [];
  let limit = most;
  const dials = new DialQueue(() => limit);
  return {
    dials,
    granted,
    ask: (name, priority = 'normal') => dials.acquire(priority, () => granted.push(name)),
    allow: (next) => {
      limit = next;
      dials.advance();
    },
  };
}

describe('the dial queue', () => {
  test('gives so many turns at once, and the next when one is given back', () => {
    const { ask, granted } = queue(2);
    const release = ask('a');
    ask('b');
    ask('c');
    expect(granted).toEqual(['a', 'b']);
    release();
    expect(granted).toEqual(['a', 'b', 'c']);
  });

  test('serves the strongest priority first, and within one whoever came first', () => {
    const { ask, granted } = queue();
    const wishes = { a: 'low', b: 'normal', c: 'critical', d: 'high', e: 'normal', f: 'low' } as const;
    const releases = new Map(Object.entries(wishes).map(([name, priority]) => [name, ask(name, priority)]));
    for (let turn = 0; turn < releases.size; turn++) releases.get(granted[turn] ?? '')?.();
    expect(granted).toEqual(['a', 'c', 'd', 'b', 'e', 'f']);
  });

  test('forgets whoever does not want a turn any more', () => {
    const { ask, granted } = queue();
    const release = ask('a');
    const leave = ask('b');
    ask('c');
    leave();
    release();
    expect(granted).toEqual(['a', 'c']);
  });

  test('takes a turn back once, however often it is given back', () => {
    const { ask, granted } = queue();
    const release = ask('a');
    ask('b');
    ask('c');
    release();
    release();
    expect(granted).toEqual(['a', 'b']);
  });

  test('gives more turns when more may be had, and takes none away when fewer may', () => {
    const { ask, granted, allow } = queue();
    const releases = ['a', 'b', 'c', 'd'].map((name) => ask(name));
    allow(3);
    expect(granted).toEqual(['a', 'b', 'c']);
    allow(1);
    releases[0]?.();
    releases[1]?.();
    expect(granted).toEqual(['a', 'b', 'c']);
    releases[2]?.();
    expect(granted).toEqual(['a', 'b', 'c', 'd']);
  });

  test('lets whoever has got a turn give it back at once', () => {
    const dials = new DialQueue(() => 1);
    const granted: number[] = [];
    const releases: (() => void)[] = [];
    for (let index = 0; index < 4; index++)
      releases.push(
        dials.acquire('normal', () => {
          granted.push(index);
          releases[index]?.();
        }),
      );
    releases[0]?.();
    expect(granted).toEqual([0, 1, 2, 3]);
  });
});

describe('a service whose connections all want to dial', () => {
  const services = {
    chat: { url: 'wss://host/chat', priority: 'low' },
    terminal: { url: 'wss://host/terminal', priority: 'critical' },
  } as const;
  const wish = (serviceType: string, key: string): { serviceType: string; key: string } => ({ serviceType, key });

  async function three(options: Parameters<typeof rig>[0] = {}): Promise<Rig> {
    const r = rig({ services, maxDials: 1, ...options });
    void r.service.connect(wish('chat', 'a'));
    void r.service.connect(wish('chat', 'b'));
    void r.service.connect(wish('terminal', 'c'));
    await r.settle();
    return r;
  }

  const urls = (r: Rig): string[] => r.sockets.all.map(({ url }) => new URL(url).pathname);

  test('dials no more than it may at once, the strongest first, and shows the others as queued (pain 24)', async () => {
    const r = await three();
    expect(urls(r)).toEqual(['/chat']);
    expect(r.status('chat:key=b')).toMatchObject({ state: 'connecting', detail: 'queued' });
    r.sockets.last.opens();
    await r.settle();
    expect(urls(r)).toEqual(['/chat', '/terminal']);
    r.sockets.last.ends(1006);
    await r.settle();
    expect(urls(r)).toEqual(['/chat', '/terminal', '/chat']);
    expect(r.state('terminal:key=c')).toBe('backoff');
  });

  test('counts no deadline against whoever waits for a turn', async () => {
    const r = await three();
    await r.clock.advanceAsync(9_999);
    expect(r.state('chat:key=a')).toBe('connecting');
    await r.clock.advanceAsync(1);
    expect([r.state('chat:key=a'), r.status('terminal:key=c').detail]).toEqual(['backoff', 'dialing']);
    await r.clock.advanceAsync(9_999);
    expect(r.status('terminal:key=c').detail).toBe('dialing');
  });

  test('gives the place of a connection that is closed to the next', async () => {
    const r = await three();
    void r.service.disconnect('terminal:key=c');
    void r.service.disconnect('chat:key=a');
    await r.settle();
    expect(r.status('chat:key=b').detail).toBe('dialing');
  });

  test('gives the place of a connection whose actor died to the next', async () => {
    const actors: { id: string; send(event: object): void }[] = [];
    const inspect = ({ actorRef }: { actorRef: unknown }): unknown => actors.push(actorRef as (typeof actors)[number]);
    const r = await three({ inspect });
    const poisoned = actors.find(({ id }) => id === 'connection:chat:key=a');
    poisoned?.send({ type: 'policy.changed', policy: { maxRetries: null } });
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.status('terminal:key=c').detail).toBe('dialing');
  });

  test('lets more dial when it is told that more may', async () => {
    const r = await three();
    r.service.updateConfig({ maxDials: 3 });
    await r.settle();
    expect(urls(r).sort()).toEqual(['/chat', '/chat', '/terminal']);
  });

  test('leaves nobody waiting when it is destroyed', async () => {
    const r = await three();
    const waiting = fateOf(r.service.connection('chat:key=b').connect());
    await r.destroy();
    expect(waiting.error).toMatchObject({ code: 'SERVICE_DESTROYED' });
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('connections that share a socket', () => {
  test('take one turn together', async () => {
    const chat = { url: 'wss://host/', wire: 'required', pool: 'p' } as const;
    const r = rig({ services: { chat, news: { url: 'wss://other/' } }, maxDials: 2 });
    for (const key of ['a', 'b', 'c']) void r.service.connect({ serviceType: 'chat', key });
    void r.service.connect({ serviceType: 'news' });
    await r.settle();
    expect(r.sockets.all.map(({ url }) => new URL(url).host)).toEqual(['host', 'other']);
  });
});
