import { describe, expect, test } from 'vitest';

import type { Priority } from '../src/core/queue.ts';
import { DialQueue } from '../src/dial-queue.ts';
import { fateOf, microtasks, NOTHING_LEFT, rig, type Rig } from './support/service.ts';

interface Queue {
  granted: string[];
  /** Asks for a turn of the service that the name begins with. */
  ask: (name: string, priority?: Priority) => () => void;
  allow: (most: number) => void;
}

function queue(most = 1, services = 1): Queue {
  const granted: string[] = [];
  let limit = most;
  const dials = new DialQueue({ most: () => limit, services: () => services });
  return {
    granted,
    ask: (name, priority = 'normal') =>
      dials.acquire({ serviceType: name.charAt(0), priority }, () => granted.push(name)),
    allow: (next) => {
      limit = next;
      dials.advance();
    },
  };
}

describe('the dial queue', () => {
  test('gives so many turns at once, and the next when one is given back', async () => {
    const { ask, granted } = queue(2);
    const release = ask('a1');
    ask('a2');
    ask('a3');
    expect(granted).toEqual(['a1', 'a2']);
    release();
    await microtasks();
    expect(granted).toEqual(['a1', 'a2', 'a3']);
  });

  test('serves the strongest priority first, and within one whoever came first', async () => {
    const { ask, granted } = queue(1, 4);
    const wishes = {
      l1: 'low',
      n1: 'normal',
      c1: 'critical',
      h1: 'high',
      m1: 'normal',
      n2: 'normal',
      l2: 'low',
    } as const;
    const releases = new Map(Object.entries(wishes).map(([name, priority]) => [name, ask(name, priority)]));
    for (let turn = 0; turn < releases.size; turn++) {
      releases.get(granted[turn] ?? '')?.();
      await microtasks();
    }
    expect(granted).toEqual(['l1', 'c1', 'h1', 'n1', 'm1', 'n2', 'l2']);
  });

  test('keeps turns for each service, of which no other has any, however strong', () => {
    const { ask, granted } = queue(8, 2);
    for (let index = 0; index < 10; index++) ask(`s${index}`, 'critical');
    expect(granted).toHaveLength(6);
    for (let index = 0; index < 4; index++) ask(`w${index}`, 'low');
    expect(granted.slice(6)).toEqual(['w0', 'w1']);
  });

  test.each([
    { most: 5, services: 4, strong: 2 },
    { most: 4, services: 4, strong: 1 },
    { most: 2, services: 2, strong: 1 },
    { most: 3, services: 4, strong: 3 },
    { most: 64, services: 1, strong: 64 },
  ])(
    'keeps one for each of $services services of $most turns, where there are as many',
    ({ most, services, strong }) => {
      const { ask, granted } = queue(most, services);
      for (let index = 0; index < 100; index++) ask(`s${index}`, 'critical');
      expect(granted).toHaveLength(strong);
    },
  );

  test('gives what is anybody’s to the strongest', async () => {
    const { ask, granted } = queue(8, 2);
    const releases = Array.from({ length: 6 }, (_, index) => ask(`w${index}`, 'low'));
    ask('w6', 'low');
    for (let index = 0; index < 4; index++) ask(`s${index}`, 'critical');
    expect(granted.slice(6)).toEqual(['s0', 's1']);
    releases[0]?.();
    await microtasks();
    expect(granted.slice(8)).toEqual(['s2']);
  });

  test('forgets whoever does not want a turn any more', async () => {
    const { ask, granted } = queue();
    const release = ask('a1');
    const leave = ask('a2');
    ask('a3');
    leave();
    release();
    await microtasks();
    expect(granted).toEqual(['a1', 'a3']);
  });

  test('takes a turn back once, however often it is given back', async () => {
    const { ask, granted } = queue();
    const release = ask('a1');
    ask('a2');
    ask('a3');
    release();
    await microtasks();
    release();
    await microtasks();
    expect(granted).toEqual(['a1', 'a2']);
  });

  test('gives none to those who leave in the same turn of events', async () => {
    const { ask, granted } = queue();
    const releases = ['a1', 'a2', 'a3'].map((name) => ask(name));
    for (const release of releases) release();
    await microtasks();
    expect(granted).toEqual(['a1']);
  });

  test('gives more turns when more may be had, and takes none away when fewer may', async () => {
    const { ask, granted, allow } = queue();
    const releases = ['a1', 'a2', 'a3', 'a4'].map((name) => ask(name));
    allow(3);
    expect(granted).toEqual(['a1', 'a2', 'a3']);
    allow(1);
    releases[0]?.();
    releases[1]?.();
    await microtasks();
    expect(granted).toEqual(['a1', 'a2', 'a3']);
    releases[2]?.();
    await microtasks();
    expect(granted).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  test('lets whoever has got a turn give it back at once', async () => {
    const dials = new DialQueue({ most: () => 1, services: () => 1 });
    const granted: number[] = [];
    const releases: (() => void)[] = [];
    for (let index = 0; index < 4; index++)
      releases.push(
        dials.acquire({ serviceType: 'a', priority: 'normal' }, () => {
          granted.push(index);
          releases[index]?.();
        }),
      );
    releases[0]?.();
    await microtasks();
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

  const many = (options: Parameters<typeof rig>[0] = {}): { r: Rig; asked: () => number } => {
    let asked = 0;
    const credentials = (): string => `token ${++asked}`;
    const r = rig({ ...options, services: { chat: { url: 'wss://host/', credentials } }, maxDials: 1 });
    for (let index = 0; index < 100; index++) void r.service.connect(wish('chat', String(index)));
    return { r, asked: () => asked };
  };

  test('asks no provider for those who wait when the page is frozen', async () => {
    const { r, asked } = many();
    await r.settle();
    r.signals.send('page.frozen');
    await r.settle();
    expect([asked(), r.state('chat:key=99')]).toEqual([1, 'backoff']);
  });

  test('asks no provider for those who wait when it is destroyed', async () => {
    const { r, asked } = many();
    await r.settle();
    await r.destroy();
    expect(asked()).toBe(1);
  });

  test('lets no server that does not answer keep the clients of another waiting', async () => {
    const r = rig({
      services: { mute: { url: 'wss://mute/', priority: 'critical' }, ok: { url: 'wss://ok/', priority: 'low' } },
    });
    for (let index = 0; index < 200; index++) void r.service.connect(wish('mute', String(index)));
    await r.settle();
    void r.service.connect({ serviceType: 'ok' });
    await r.settle();
    expect(r.status('ok').detail).toBe('dialing');
  });

  test('lets a provider wait for a connection of another service', async () => {
    const chat = {
      url: 'wss://host/chat',
      credentials: async (): Promise<string> => r.service.connect({ serviceType: 'login' }),
    };
    const r: Rig = rig({ services: { chat, login: { url: 'wss://host/login' } }, maxDials: 4 });
    for (let index = 0; index < 10; index++) void r.service.connect(wish('chat', String(index)));
    await r.settle();
    expect(r.status('login').detail).toBe('dialing');
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
