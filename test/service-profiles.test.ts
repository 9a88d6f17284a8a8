import { describe, expect, expectTypeOf, test } from 'vitest';

import { bytesProfile, defineProfile, jsonProfile, textProfile } from '../src/protocol/profile.ts';
import { EnhancedWebSocketService } from '../src/service.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { browserSockets } from './support/fake-socket.ts';
import { schemaOf, sayings, type Say } from './support/schemas.ts';
import { deferred, fateOf, rig } from './support/service.ts';

describe('a service with a text profile', () => {
  test('hands on what a terminal prints, whatever it looks like (original fault 15)', async () => {
    const r = rig({ terminal: { profile: textProfile } });
    const { socket } = await r.open();
    const prints = ['null', '42', '{"type":"pong"}', '{"type":"ping"}', 'true', '"x"', ''];
    for (const print of prints) socket.says(print);
    expect(r.of('message').map(({ data }) => data)).toEqual(prints);
  });

  test('sends what is typed, key by key, each as it is (original fault 1) (original fault 2)', async () => {
    const r = rig({ terminal: { profile: textProfile } });
    const { connection, socket } = await r.open();
    for (const key of ['l', 's', '\r']) connection.send(key);
    await r.settle();
    expect(socket.sent).toEqual(['l', 's', '\r']);
  });
});

describe('a service with a bytes profile', () => {
  test('has its sockets give bytes as such, every one of them (pain 55)', async () => {
    const r = rig({ terminal: { profile: bytesProfile } });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    const socket = await r.reopen();
    expect(r.sockets.all.map(({ binaryType }) => binaryType)).toEqual(['arraybuffer', 'arraybuffer']);
    socket.says(Uint8Array.of(1, 2).buffer);
    expect(r.of('message')[0]?.data).toEqual(Uint8Array.of(1, 2).buffer);
  });
});

describe('a service with a JSON profile', () => {
  test('delivers every message of a burst, one by one (pain 42)', async () => {
    const r = rig({ terminal: { profile: jsonProfile } });
    const { connection, socket } = await r.open();
    const heard: unknown[] = [];
    connection.subscribe((message) => heard.push(message));
    for (let n = 0; n < 100; n++) socket.says(JSON.stringify({ n }));
    expect(heard).toEqual(Array.from({ length: 100 }, (_, n) => ({ n })));
  });

  test('sends each message as one frame of its own, never a wrapper that the server does not know (original fault 1)', async () => {
    const r = rig({ terminal: { profile: jsonProfile } });
    const { connection, socket } = await r.open();
    for (const message of [{ a: 1 }, [1, 2], 7]) connection.send(message);
    await r.settle();
    expect(socket.sent).toEqual(['{"a":1}', '[1,2]', '7']);
  });
});

describe('pings of a profile', () => {
  const profile = defineProfile<Say, Say>({
    codec: 'json',
    ping: () => ({ say: 'ping' }),
    isPong: ({ say }) => say === 'pong',
  });
  const heartbeat = { intervalMs: 1_000, lateMs: 100, timeoutMs: 500 };

  test('are sent at the interval, and their answers are seen by no subscriber', async () => {
    const r = rig({ terminal: { profile, heartbeat } });
    const { socket } = await r.open();
    await r.clock.advanceAsync(1_000);
    expect(socket.sent).toEqual(['{"say":"ping"}']);
    socket.says('{"say":"pong"}');
    await r.clock.advanceAsync(500);
    expect([r.state(), r.of('message')]).toEqual(['open', []]);
  });

  test('are answered by any message: what arrives proves that the link lives (pain 10)', async () => {
    const r = rig({ terminal: { profile, heartbeat } });
    const { socket } = await r.open();
    await r.clock.advanceAsync(1_050);
    socket.says('{"say":"news"}');
    await r.clock.advanceAsync(600);
    expect([r.state(), r.of('message').length]).toEqual(['open', 1]);
  });

  test('are no messages of the application: they are neither counted nor wait in the queue', async () => {
    const r = rig({ terminal: { profile, heartbeat } });
    const { connection, socket } = await r.open();
    connection.pause();
    await r.clock.advanceAsync(1_000);
    expect([socket.sent.length, connection.status.messages.accepted]).toEqual([1, 0]);
  });
});

describe('what a profile says on each opening', () => {
  const resize = defineProfile<string, string>({
    codec: 'text',
    onOpen: ({ params, generation }) => [`resize ${params['size'] ?? ''} on ${generation}`],
  });
  const wish = { serviceType: 'terminal', terminalId: 'one', params: { size: '80x24' } };

  test('leaves before anything that waited, after every opening (pain 15)', async () => {
    const r = rig({ terminal: { profile: resize } });
    void r.service.connect(wish);
    const connection = r.service.connection('terminal:one');
    connection.send('typed early');
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect(r.sockets.last.sent).toEqual(['resize 80x24 on 1', 'typed early']);
    r.sockets.last.ends(1006);
    connection.send('typed meanwhile', { priority: 'critical' });
    await r.settle();
    const socket = await r.reopen();
    expect(socket.sent).toEqual(['resize 80x24 on 2', 'typed meanwhile']);
    expect(connection.status.messages.accepted).toBe(2);
  });

  test('may come late: until then the connection is not open, and nothing else leaves (pain 15)', async () => {
    const messages = deferred<string[]>();
    const r = rig({ terminal: { profile: { ...resize, onOpen: () => messages.promise } } });
    const connected = fateOf(r.service.connect(wish));
    r.service.connection('terminal:one').send('typed early');
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect([connected.kind, r.status().detail, r.sockets.last.sent]).toEqual(['pending', 'greeting', []]);
    messages.resolve(['hello']);
    await r.settle();
    expect([connected.kind, r.sockets.last.sent]).toEqual(['resolved', ['hello', 'typed early']]);
  });

  test('that fails fails the attempt, which is retried, and what waits stays', async () => {
    const thrown = new Error('no size');
    let attempts = 0;
    const onOpen = (): string[] => {
      attempts += 1;
      if (attempts === 1) throw thrown;
      return ['hello'];
    };
    const r = rig({ terminal: { profile: { ...resize, onOpen } } });
    void r.service.connect(wish);
    r.service.connection('terminal:one').send('typed early');
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect(r.of('error')).toMatchObject([{ code: 'GREETING_FAILED', retryable: true, cause: thrown }]);
    expect(r.sockets.live).toEqual([]);
    const socket = await r.reopen();
    expect(socket.sent).toEqual(['hello', 'typed early']);
  });

  test('is given up at the deadline of the greeting', async () => {
    const r = rig({ terminal: { profile: { ...resize, onOpen: () => new Promise<string[]>(() => undefined) } } });
    void r.service.connect(wish);
    await r.settle();
    r.sockets.last.opens();
    await r.clock.advanceAsync(3_000);
    expect(r.of('error')).toMatchObject([{ code: 'GREETING_TIMEOUT' }]);
  });
});

describe('the id of an attempt', () => {
  test('is another for every attempt, and the same for all that one asks (original fault 2)', async () => {
    const seen: string[][] = [];
    const r = rig({
      terminal: {
        credentials: ({ attemptId }) => {
          seen.push([attemptId]);
          return 'token';
        },
        url: ({ attemptId }) => {
          seen.at(-1)?.push(attemptId);
          return `wss://host/terminal/${attemptId}`;
        },
      },
    });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.reopen();
    expect(seen.map(([first, second]) => first === second)).toEqual([true, true]);
    expect(new Set(r.sockets.all.map(({ url }) => url)).size).toBe(2);
  });
});

describe('types', () => {
  test('of messages are those of the profile, by the id of the connection and by the event', async () => {
    const chat = defineProfile({
      codec: 'json',
      inbound: sayings,
      outbound: schemaOf<{ text: string }>((value) => value as { text: string }),
    });
    const sockets = browserSockets();
    const clock = new SimulatedClock();
    const service = new EnhancedWebSocketService({
      services: { chat: { url: 'wss://host/chat', profile: chat }, raw: { url: 'wss://host/raw' } },
      WebSocket: sockets.WebSocket,
      clock,
    });
    const heard: string[] = [];
    service.on('message', (event) => {
      if (event.serviceType === 'chat') {
        expectTypeOf(event.data).toEqualTypeOf<Say>();
        heard.push(event.data.say);
      } else expectTypeOf(event.data).toEqualTypeOf<string | ArrayBuffer>();
    });
    const connecting = service.connect({ serviceType: 'chat' });
    await clock.advanceAsync(0);
    sockets.last.opens();
    const id = await connecting;
    await clock.advanceAsync(0);
    const connection = service.connection(id);
    connection.subscribe((message) => {
      expectTypeOf(message).toEqualTypeOf<Say>();
    });
    // @ts-expect-error -- the profile says what may be sent
    const receipt = connection.send({ words: 'hi' });
    expect(receipt.fate).toBe('waiting');
    // @ts-expect-error -- and which services there are
    await expect(service.connect({ serviceType: 'chatt' })).rejects.toMatchObject({ code: 'UNKNOWN_SERVICE' });
    sockets.last.says('{"say":"hello"}');
    expect(heard).toEqual(['hello']);
    const destroyed = service.destroy({ deadlineMs: 0 });
    await clock.advanceAsync(0);
    await destroyed;
  });
});
