import { describe, expect, test } from 'vitest';

import { toUtf8 } from '../../src/protocol/utf8.ts';
import type { InboundData } from '../../src/errors.ts';
import type { Session } from '../../src/server/surface.ts';
import type { WireClient } from '../support/wire-client.ts';
import { startWireServer, type WireServer } from '../support/wire-server.ts';
import { pakoDeflater } from '../../src/protocol/deflater.ts';
import { makeCompression } from '../support/compression.ts';

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;
const huge = [255, 255, 255, 255, 255, 255, 255, 127];

/** A compressed frame that says it inflates to so many bytes. */
function bomb(inside: number, says: readonly number[]): ArrayBuffer {
  const data = pakoDeflater.deflate(new Uint8Array(inside));
  return new Uint8Array([2, 1, ...says, ...data]).buffer;
}

/** A text frame, compressed. */
function deflated(text: string): ArrayBuffer {
  return makeCompression({ hasWindow: false }).compress(toUtf8(text))?.buffer ?? new ArrayBuffer(0);
}

const answered: [what: string, code: number, data: InboundData][] = [
  ['a frame that is cut off', 4001, '{"t":"ping","i":1'],
  ['a batch that is cut off', 4001, '1["a"'],
  ['an empty batch', 4001, '1[]'],
  ['an empty frame', 4001, ''],
  ['an empty binary frame', 4001, bytes()],
  ['a value that is no frame', 4001, '17'],
  ['a type that is not known', 4001, '{"t":"dance"}'],
  ['a type that is no own field', 4001, '{"__proto__":{"t":"ping","i":1,"ts":1}}'],
  ['a type of the other side', 4001, '{"t":"welcome"}'],
  ['a field of another type', 4001, '{"t":"ack","a":"1"}'],
  ['null in the place of a field', 4001, '{"t":"m","s":1,"b":[{"d":1,"k":null}]}'],
  ['a position of 0', 4001, '0["a"]'],
  ['a position below 0', 4001, '{"t":"m","s":-1,"b":[{"d":1}]}'],
  ['a position that is no integer', 4001, '{"t":"m","s":1.5,"b":[{"d":1}]}'],
  ['a position beyond the safe integers', 4001, '9007199254740993["a"]'],
  ['a number that is infinite', 4001, '{"t":"ping","i":1,"ts":1e999}'],
  ['an acknowledgement of what was never sent', 4001, '{"t":"ack","a":1}'],
  ['the same with a batch', 4001, '1,9["a"]'],
  ['the same with a ping', 4001, '{"t":"ping","i":1,"ts":1,"a":9007199254740991}'],
  [
    'a second hello',
    4001,
    '{"t":"hello","v":1,"nonce":"x","caps":[],"lim":{"frame":1,"inflated":1,"win":{"m":1,"b":1}}}',
  ],
  ['a gap', 4201, '2["b"]'],
  ['a gap to the end of the numbers', 4201, '9007199254740991["b"]'],
  ['a gap in a binary batch', 4201, bytes(1, 3, 0, 1, 0, 1, 7)],
  ['a binary frame of no known kind', 4001, bytes(9, 1, 2)],
  ['a count that cannot be', 4001, bytes(1, 1, 0, ...huge)],
  ['a length that cannot be', 4001, bytes(1, 1, 0, 1, 0, ...huge)],
  ['a varint that does not end', 4001, bytes(1, 255, 255, 255, 255, 255, 255, 255, 255, 255)],
  ['metadata that is no UTF-8', 4001, bytes(1, 1, 0, 1, 2, 0xc3, 0x28, 0)],
  ['bytes behind the last message', 4001, bytes(1, 1, 0, 1, 0, 0, 7)],
  ['a frame that is too big', 4006, `1["${'x'.repeat(262_144)}"]`],
  ['a binary frame that is too big', 4006, new ArrayBuffer(262_145)],
  ['a name that is too long', 4001, `{"t":"m","s":1,"b":[{"d":1,"k":"${'x'.repeat(257)}"}]}`],
  ['a message of a channel that was never opened', 4001, '{"t":"m","s":1,"b":[{"d":1,"c":"room"}]}'],
  ['the same with a key, which is looked up first', 4001, '{"t":"m","s":1,"b":[{"d":1,"k":"a","c":"room"}]}'],
  ['a channel without a name', 4001, '{"t":"open","c":"","n":"x"}'],
];

const ignored: [what: string, data: InboundData][] = [
  ['fields that are not known', '{"t":"ping","i":1,"ts":1,"future":{"deep":[]}}'],
  ['a frame that says it may be ignored', '{"t":"dance","o":1}'],
  ['fields of a prototype', '{"t":"m","s":1,"b":[{"d":{"__proto__":{"polluted":1}},"__proto__":{"k":"x"}}]}'],
  ['an acknowledgement of nothing', '{"t":"ack","a":0}'],
  ['an error of the client', '{"t":"err","c":"X","m":"y","temp":true}'],
  ['a refusal of what was never sent', '{"t":"nack","s":7,"c":"X","m":"y","temp":false,"out":"unknown"}'],
  ['a refusal by key', '{"t":"nack","k":["x"],"c":"X","m":"y","temp":false,"out":"unknown"}'],
  ['a pong that nobody asked for', '{"t":"pong","i":9,"ts":1,"now":1}'],
  ['the flow of a channel that is not open', '{"t":"flow","w":{"m":0,"b":0},"c":"room"}'],
  ['a reply that nobody waits for', '{"t":"m","s":1,"b":[{"d":1,"re":"q"}]}'],
  ['volatile messages that nobody takes', '{"t":"v","b":[{"d":1},{"d":2,"c":"room"}]}'],
  ['the end of a channel that is not open', '{"t":"shut","c":"room"}'],
];

interface Pair {
  wired: WireServer;
  client: WireClient;
  isOtherUnharmed: () => Promise<boolean>;
}

async function pair(options: Parameters<typeof startWireServer>[0] = {}): Promise<Pair> {
  const wired = startWireServer({
    onSession: (session: Session) => {
      if (session.principal === 'bob') session.onMessage(({ data }) => session.send(data));
    },
    ...options,
  });
  const client = await wired.join({ auth: 'ann' });
  const other = await wired.join({ auth: 'bob' });
  let position = 1;
  const isOtherUnharmed = async (): Promise<boolean> => {
    other.says(`${position++}["here"]`);
    await wired.settle();
    return other.payloads.length === position - 1 && other.closed === undefined;
  };
  return { wired, client, isOtherUnharmed };
}

describe('bad input of a session', () => {
  test.each(answered)('answers %s with %d, and harms nobody else', async (_what, code, data) => {
    const { wired, client, isOtherUnharmed } = await pair();
    client.says(data);
    await wired.settle();
    expect([client.closed?.code, wired.sessions[0]?.state]).toEqual([code, 'detached']);
    expect([await isOtherUnharmed(), wired.errors]).toEqual([true, []]);
    // what comes after it is not looked at
    client.events.received('1["late"]');
    expect(wired.sessions[0]?.unacknowledged).toBe(0);
  });

  test.each(ignored)('takes no harm from %s', async (_what, data) => {
    const { wired, client, isOtherUnharmed } = await pair();
    client.says(data);
    await wired.settle();
    expect([client.closed, wired.sessions[0]?.state]).toEqual([undefined, 'attached']);
    expect([await isOtherUnharmed(), wired.errors, {}]).toEqual([true, [], {}]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('does not inflate more than was agreed on, or what was not agreed on at all', async () => {
    const { wired, client } = await pair({ compression: true });
    client.says(bomb(1_000, [232, 7]));
    expect(client.closed?.code).toBe(4001);
    const agreed = wired.connect();
    await expect.poll(() => wired.connect().of('srv')[0]?.caps, { timeout: 10_000 }).toEqual(['deflate-raw']);
    agreed.leave();
    const inflating = await wired.join({ auth: 'eve', caps: ['deflate-raw'] });
    inflating.says(bomb(10_000_000, [128, 173, 226, 4]));
    expect(inflating.closed?.code).toBe(4006);
    const liar = await wired.join({ auth: 'mal', caps: ['deflate-raw'] });
    liar.says(bomb(10_000_000, [100]));
    expect(liar.closed?.code).toBe(4001);
  });

  test('accepts a repetition without handing it over, and one that overlaps from where it is new', async () => {
    const { wired, client } = await pair();
    const messages: unknown[] = [];
    wired.sessions[0]?.onMessage(({ data }) => messages.push(data));
    client.says('1["a"]', '1["a"]', '1["a","b"]', '2["b"]');
    await wired.clock.advanceAsync(50);
    expect([messages, client.closed]).toEqual([['a', 'b'], undefined]);
    expect(client.of('ack').at(-1)).toEqual({ t: 'ack', a: 2 });
  });

  test('closes a client that sends on while nobody takes its messages', async () => {
    const { wired, client, isOtherUnharmed } = await pair({ limits: { windowMessages: 10 } });
    client.says('1[1,2,3,4,5,6,7,8,9,10]');
    expect(client.closed).toBeUndefined();
    client.says('11[11]');
    expect(client.closed?.code).toBe(4001);
    expect([await isOtherUnharmed(), wired.errors]).toEqual([true, []]);
  });

  test('bounds the bytes of what waits as well', async () => {
    const { client } = await pair({ limits: { windowBytes: 1_000, frameBytes: 1_000, inflatedBytes: 3_000 } });
    for (let position = 1; position <= 8 && !client.closed; position++)
      client.says(`${position}["${'x'.repeat(900)}"]`);
    expect(client.closed?.code).toBe(4001);
  });

  test('bounds them by what they are once they are inflated', async () => {
    const wired = startWireServer({
      compression: true,
      limits: { windowBytes: 1_000, frameBytes: 1_000, inflatedBytes: 3_000 },
    });
    await expect.poll(() => wired.connect().of('srv')[0]?.caps, { timeout: 10_000 }).toEqual(['deflate-raw']);
    const client = await wired.join({ caps: ['deflate-raw'] });
    for (let position = 1; position <= 8 && !client.closed; position++)
      client.says(deflated(`${position}["${'x'.repeat(2_000)}"]`));
    expect(client.closed?.code).toBe(4001);
  });

  test('slows a flood down by closing it, with word of when to come back', async () => {
    const { wired, client, isOtherUnharmed } = await pair({ limits: { messagesPerSecond: 10 } });
    for (let index = 0; index < 30 && !client.closed; index++) client.says({ t: 'ping', i: index, ts: 1 });
    expect(client.of('err')).toMatchObject([{ c: 'RATE_LIMITED', temp: true, fatal: true }]);
    expect(client.closed?.code).toBe(4101);
    expect([await isOtherUnharmed(), wired.errors]).toEqual([true, []]);
  });

  test('holds a client to its rate over all the sockets of its session', async () => {
    const { wired, client } = await pair({ limits: { messagesPerSecond: 10 } });
    wired.sessions[0]?.onMessage(() => undefined);
    // the hello was the first
    client.says(`1[${Array.from({ length: 19 }, (_, index) => index).join(',')}]`);
    await wired.settle();
    const next = await wired.resume(client, { lo: 20, hi: 20 });
    expect(next.welcome.resumed).toBe(true);
    next.says('20["more"]');
    expect(next.closed?.code).toBe(4101);
  });

  test('closes a channel’s client that sends on although it was told to wait', async () => {
    const { wired, client } = await pair({ limits: { windowMessages: 100 } });
    wired.sessions[0]?.onChannel(() => undefined);
    client.says({ t: 'open', c: 'room', n: 'chat' });
    for (let position = 1; position <= 400 && !client.closed; position++) {
      client.says(`{"t":"m","s":${position},"b":[{"d":1,"c":"room"}]}`);
      await wired.settle();
    }
    expect(client.of('flow')).toEqual([{ t: 'flow', w: { m: 0, b: 0 }, c: 'room' }]);
    expect(client.closed?.code).toBe(4001);
  });
});
