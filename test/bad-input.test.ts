import { describe, expect, test } from 'vitest';

import { InboundError, type MessageError } from '../src/errors.ts';
import type { ServiceEvents } from '../src/events.ts';
import { defineProfile, jsonProfile, type Profile } from '../src/protocol/profile.ts';
import { sayings } from './support/schemas.ts';
import { fateOf, NOTHING_LEFT, rig, type Rig } from './support/service.ts';

const throws = (): never => {
  throw new Error('broken');
};

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

function cycle(): unknown {
  const own: { self?: unknown } = {};
  own.self = own;
  return own;
}

function expectBalance(r: Rig): void {
  const { accepted, sent, dropped, unknown, waiting } = r.status().messages;
  expect(accepted).toBe(sent + dropped + unknown + waiting);
}

describe('a message that cannot be sent', () => {
  const strict = defineProfile({ codec: 'json', outbound: sayings });
  const broken: Profile = { codec: { encode: throws, decode: throws } };

  test.each<[string, Profile | undefined, unknown, string]>([
    ['is a cycle', undefined, cycle(), 'NOT_ENCODABLE'],
    ['is a BigInt', undefined, 1n, 'NOT_ENCODABLE'],
    ['holds a BigInt', jsonProfile, { deep: [1n] }, 'NOT_ENCODABLE'],
    ['is nothing', undefined, undefined, 'NOT_ENCODABLE'],
    ['is a function', undefined, throws, 'NOT_ENCODABLE'],
    [
      'has a getter that throws',
      undefined,
      {
        get x() {
          return throws();
        },
      },
      'NOT_ENCODABLE',
    ],
    ['has a lone surrogate', undefined, 'a\ud800b', 'NOT_ENCODABLE'],
    ['is a detached buffer', undefined, detached(), 'NOT_ENCODABLE'],
    ['is a view of a detached buffer', undefined, detachedView(), 'NOT_ENCODABLE'],
    ['is a Blob', undefined, new Blob(['x']), 'NOT_ENCODABLE'],
    ['is too large', undefined, 'x'.repeat(101), 'MESSAGE_TOO_BIG'],
    ['does not fit the schema', strict, { say: 1 }, 'SCHEMA_MISMATCH'],
    ['meets a codec that throws', broken, 'x', 'NOT_ENCODABLE'],
  ])(
    'because it %s is refused with its reason, and the rest goes on (pain 13)',
    async (_what, profile, message, code) => {
      const r = rig({ terminal: { queue: { maxMessageBytes: 100 }, ...(profile && { profile }) } });
      const { connection, socket } = await r.open();
      const fate = fateOf(connection.send(message).settled);
      const good = profile === broken ? undefined : connection.send({ say: 'after' });
      await r.settle();
      expect(fate.error).toMatchObject({ code, outcome: 'not_sent', connectionId: 'terminal:one' });
      expect(r.of('undelivered')).toMatchObject([{ messageId: 'm1', error: { code } }]);
      expect([good?.fate, socket.sent]).toEqual(good ? ['sent', ['{"say":"after"}']] : [undefined, []]);
      expect([r.state(), r.bugs, r.status().messages.refused]).toEqual(['open', [], 1]);
      expectBalance(r);
    },
  );

  test('because there is no connection any more is refused, after close and after destroy (original fault 16)', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const closed = connection.close();
    await r.settle();
    socket.ends(1000);
    await closed;
    const first = fateOf(connection.send('late').settled);
    await r.destroy();
    const second = fateOf(connection.send('later').settled);
    const third = fateOf(r.service.sendMessage('terminal:one', 'latest'));
    await r.settle();
    expect([first, second, third].map(({ error }) => (error as MessageError).code)).toEqual([
      'CONNECTION_ENDED',
      'SERVICE_DESTROYED',
      'SERVICE_DESTROYED',
    ]);
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('a frame that is no message', () => {
  const strict = defineProfile({ codec: 'json', inbound: sayings });
  const broken = defineProfile<string>({
    codec: { encode: String, decode: (data) => (data === 'bad' ? throws() : data) },
  });

  test.each<[string, Profile, unknown, string, string]>([
    ['is half a JSON text', jsonProfile, '{"say":', '{"say":"after"}', 'NOT_DECODABLE'],
    ['is empty', jsonProfile, '', '{"say":"after"}', 'NOT_DECODABLE'],
    ['is bytes where text is spoken', jsonProfile, new ArrayBuffer(2), '{"say":"after"}', 'NOT_DECODABLE'],
    ['does not fit the schema', strict, '{"say":1}', '{"say":"after"}', 'SCHEMA_MISMATCH'],
    ['meets a codec that throws', broken, 'bad', 'after', 'NOT_DECODABLE'],
  ])(
    'because it %s is told with the frame, reaches nobody, and the next is read',
    async (_what, profile, bad, good, code) => {
      const r = rig({ terminal: { profile } });
      const { connection, socket } = await r.open();
      const heard: unknown[] = [];
      connection.subscribe((message) => heard.push(message));
      socket.says(bad);
      socket.says(good);
      const [error] = r.of('error');
      expect(error).toBeInstanceOf(InboundError);
      expect(error).toMatchObject({ code, connectionId: 'terminal:one', serviceType: 'terminal', data: bad });
      expect([heard.length, r.of('message').length, r.of('error').length, r.state()]).toEqual([1, 1, 1, 'open']);
      expect(r.bugs).toEqual([]);
    },
  );

  test('does not show what it was when the error is printed: it may be a secret', () => {
    const error = new InboundError('NOT_DECODABLE', 'hunter2');
    expect(JSON.stringify(error) + String(error) + JSON.stringify(Object.entries(error))).not.toContain('hunter2');
    expect(error.data).toBe('hunter2');
  });
});

describe('code of the application that throws', () => {
  test('when it hears a message stops nobody else, and is told', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const heard: unknown[] = [];
    connection.subscribe(throws);
    connection.subscribe((message) => heard.push(message));
    r.service.on('message', throws);
    for (const text of ['a', 'b']) socket.says(text);
    await r.settle();
    expect([heard, r.bugs.map(({ code }) => code)]).toEqual([['a', 'b'], Array(4).fill('LISTENER_THREW')]);
  });

  test('when it tells a pong leaves the message to everybody, and is told', async () => {
    const r = rig({ terminal: { profile: { ...jsonProfile, isPong: throws } } });
    const { socket } = await r.open();
    socket.says('1');
    await r.settle();
    expect([r.of('message').length, r.bugs.length]).toEqual([1, 1]);
  });
});

describe('sending inside a handler', () => {
  const types: (keyof ServiceEvents)[] = [
    'opened',
    'closed',
    'retrying',
    'gaveUp',
    'status',
    'flow',
    'overflowed',
    'undelivered',
    'message',
    'error',
  ];

  test.each(types)('of %s is accounted for as any other sending, and breaks nothing', async (type) => {
    const queue = { highWaterBytes: 8, lowWaterBytes: 0, maxMessages: 3 };
    const r = rig({ terminal: { queue, retry: { maxRetries: 1 } } });
    let sends = 0;
    r.service.on(type, () => {
      sends += 1;
      // without an end a refusal told by an event would lead to the next
      if (sends <= 3) r.service.connection('terminal:one').send(`inside ${type}`);
    });
    const { connection, socket } = await r.open();
    socket.says('hello');
    socket.holds = true;
    for (const text of ['12345678', 'a', 'b', 'c', 'd', 'e']) connection.send(text);
    await r.settle();
    expectBalance(r);
    socket.ends(1006);
    await r.settle();
    await r.passBackoff();
    r.sockets.last.ends(4403);
    await r.settle();
    expectBalance(r);
    expect(sends).toBeGreaterThan(0);
    expect(r.status().messages.waiting).toBe(0);
    expect(r.bugs).toEqual([]);
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('of a settled promise, of a subscriber and of an abort is in order with the rest', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const controller = new AbortController();
    controller.signal.addEventListener('abort', () => connection.send('on abort'));
    connection.subscribe(() => connection.send('on message'));
    void connection.send('first').settled.then(() => connection.send('on settled'));
    const taken = connection.send('taken back', { signal: controller.signal });
    socket.says('x');
    controller.abort();
    await r.settle();
    expect([socket.sent, taken.fate]).toEqual([['first', 'on message', 'on abort', 'on settled'], 'dropped']);
    expectBalance(r);
  });
});

function detachedView(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}
