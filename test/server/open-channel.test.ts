import { describe, expect, test } from 'vitest';

import { MemoryStore } from '../../src/server/memory-store.ts';
import type { HoldfastServerOptions } from '../../src/server/server.ts';
import type { Channel, Session } from '../../src/server/surface.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import type { WireClient } from '../support/wire-client.ts';
import { startWireServer, type WireServer } from '../support/wire-server.ts';

interface Started extends WireServer {
  client: WireClient;
  session: Session;
  channel: Channel;
  /** Every channel that was opened, in order. */
  opened: Channel[];
}

/** A session with a channel `room` that was sent `a`, `b` and `c`, which are acknowledged and nobody has taken. */
async function start(
  options: Partial<HoldfastServerOptions> = {},
  world: Parameters<typeof startWireServer>[1] = {},
): Promise<Started> {
  const opened: Channel[] = [];
  const wired = startWireServer(
    { ...options, onSession: (session) => session.onChannel((channel) => opened.push(channel)) },
    world,
  );
  const client = await wired.join();
  client.says({ t: 'open', c: 'room', n: 'chat' });
  client.says('{"t":"m","s":1,"b":[{"d":"a","c":"room"},{"d":"b","c":"room"},{"d":"c","c":"room"}]}');
  await wired.clock.advanceAsync(50);
  expect(client.of('ack')).toEqual([{ t: 'ack', a: 3 }]);
  const [session] = wired.sessions;
  const [channel] = opened;
  if (!session || !channel) throw new Error('There is no channel.');
  return { ...wired, client, session, channel, opened };
}

async function readAll(channel: Channel): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const { data } of channel) seen.push(data);
  return seen;
}

describe('what a channel has accepted', () => {
  test('is handed over although the client ends the channel: nothing comes after it, and nothing goes', async () => {
    const { client, channel, settle } = await start();
    const told: boolean[] = [];
    channel.onClosed(() => told.push(channel.isOpen));
    client.says({ t: 'shut', c: 'room' }, '{"t":"m","s":4,"b":[{"d":"late","c":"room"}]}');
    await settle();
    expect([told, client.of('shut').length, client.of('nack').map(({ s }) => s)]).toEqual([[false], 1, [4]]);
    await expect(channel.send('x').settled).rejects.toMatchObject({ code: 'CONNECTION_ENDED', outcome: 'not_sent' });
    expect(await readAll(channel)).toEqual(['a', 'b', 'c']);
    const seen: unknown[] = [];
    channel.onMessage(({ data }) => seen.push(data));
    expect(seen).toEqual([]);
  });

  test('is handed to a handler that comes after the end', async () => {
    const { client, channel } = await start();
    client.says({ t: 'shut', c: 'room' });
    const seen: unknown[] = [];
    channel.onMessage(({ data }) => seen.push(data));
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test.each<[string, (started: Started) => unknown]>([
    [
      'closed_by_peer',
      ({ client }) => {
        client.says({ t: 'bye', keep: false });
      },
    ],
    [
      'expired',
      ({ client, clock }) => {
        client.leave();
        return clock.advanceAsync(4_000);
      },
    ],
    [
      'taken_over',
      ({ client, clock, store }) =>
        startWireServer({ node: 'other' }, { clock, store }).resume(client, { lo: 4, hi: 3 }),
    ],
    ['released', ({ server }) => server.close()],
  ])('is handed over although the session ends: %s', async (why, end) => {
    const clock = new SimulatedClock();
    const started = await start({ ttlMs: 2_000 }, { clock, store: new MemoryStore({ clock }) });
    await end(started);
    await started.settle();
    expect([started.ended, started.channel.isOpen]).toEqual([[why], false]);
    expect(await readAll(started.channel)).toEqual(['a', 'b', 'c']);
  });

  test('is forgotten when the application ends the channel, or what the client has left of it', async () => {
    const [open, ended] = [await start(), await start()];
    open.channel.close('enough');
    ended.client.says({ t: 'shut', c: 'room' });
    ended.channel.close();
    expect([await readAll(open.channel), await readAll(ended.channel)]).toEqual([[], []]);
    expect([open.client.of('shut'), ended.client.of('shut')]).toEqual([
      [{ t: 'shut', c: 'room', why: 'enough' }],
      [{ t: 'shut', c: 'room' }],
    ]);
  });

  test('is forgotten when the application ends the session, also what the client has left of a channel', async () => {
    const [open, ended] = [await start(), await start()];
    ended.client.says({ t: 'shut', c: 'room' });
    await Promise.all([open.session.close(), ended.session.close()]);
    expect([await readAll(open.channel), await readAll(ended.channel)]).toEqual([[], []]);
  });

  test('takes the place of a channel until it is taken', async () => {
    const { client, channel, opened, settle } = await start({ limits: { channelsPerSession: 1 } });
    client.says({ t: 'shut', c: 'room' }, { t: 'open', c: 'next', n: 'chat' });
    await settle();
    expect([client.of('shut').at(-1), opened.length]).toEqual([{ t: 'shut', c: 'next', why: 'too many channels' }, 1]);
    await readAll(channel);
    client.says({ t: 'open', c: 'next', n: 'chat' });
    await settle();
    expect(opened.map(({ name }) => name)).toEqual(['room', 'next']);
  });
});

describe('a channel that the application ends', () => {
  test('is ended for the client after its last message, and takes nothing meanwhile', async () => {
    const { client, channel, settle } = await start();
    const receipt = channel.send('last');
    channel.close('enough');
    client.says('{"t":"m","s":4,"b":[{"d":"late","c":"room"}]}');
    await settle();
    expect([client.of('m'), client.of('shut')]).toMatchObject([[{ s: 1, b: [{ d: 'last' }] }], []]);
    expect(client.of('nack')).toMatchObject([{ s: 4, c: 'CHANNEL_CLOSED' }]);
    client.says({ t: 'ack', a: 1 });
    await settle();
    await expect(receipt.settled).resolves.toBeUndefined();
    expect(client.of('shut')).toEqual([{ t: 'shut', c: 'room', why: 'enough' }]);
  });

  test('is not opened anew by a client that comes back in between, and gets its last message first', async () => {
    const { client, channel, opened, settle, resume } = await start();
    channel.send('last');
    channel.close();
    await settle();
    client.leave();
    const again = await resume(client, { lo: 4, hi: 3 });
    again.says({ t: 'open', c: 'room', n: 'chat' });
    await settle();
    expect([again.payloads, again.of('shut'), opened.length]).toEqual([['last'], [], 1]);
    again.says({ t: 'ack', a: 1 });
    await settle();
    expect(again.of('shut')).toEqual([{ t: 'shut', c: 'room' }]);
    again.says({ t: 'open', c: 'room', n: 'chat' });
    await settle();
    expect(opened.length).toBe(2);
  });

  test('waits for a client that holds it back', async () => {
    const { client, channel, settle } = await start();
    client.says({ t: 'flow', w: { m: 0, b: 0 }, c: 'room' });
    channel.send('held');
    channel.close();
    await settle();
    expect([client.payloads, client.of('shut')]).toEqual([[], []]);
    client.says({ t: 'flow', w: { m: 1, b: 1 }, c: 'room' });
    await settle();
    client.says({ t: 'ack', a: 1 });
    await settle();
    expect([client.payloads, client.of('shut').length]).toEqual([['held'], 1]);
  });

  test('is ended once, when the client ends it as well', async () => {
    const { client, channel, settle } = await start();
    channel.send('last');
    channel.close('enough');
    await settle();
    client.says({ t: 'shut', c: 'room' });
    client.says({ t: 'ack', a: 1 });
    await settle();
    expect(client.of('shut')).toEqual([{ t: 'shut', c: 'room' }]);
  });

  test('is not spoken of any more when its session ends', async () => {
    const { client, channel, settle, server } = await start();
    const receipt = channel.send('last');
    channel.close('enough');
    await settle();
    await server.close();
    await expect(receipt.settled).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    expect(client.of('shut')).toEqual([]);
  });
});

test('what waits for a channel that the client ends is not sent, and its receipts say so', async () => {
  const { client, channel, session, settle } = await start();
  client.says({ t: 'flow', w: { m: 0, b: 0 }, c: 'room' });
  const receipts = [channel.send('held'), session.send('held as well', { channel: 'room' })];
  const asked = session.request('held too', { channel: 'room' });
  await settle();
  client.says({ t: 'shut', c: 'room' });
  for (const { settled } of receipts)
    await expect(settled).rejects.toMatchObject({ code: 'CONNECTION_ENDED', outcome: 'not_sent' });
  await expect(asked).rejects.toMatchObject({ code: 'CONNECTION_ENDED' });
  expect(session.unacknowledged).toBe(0);
  client.says({ t: 'open', c: 'room', n: 'chat' });
  await settle();
  session.channel('room')?.send('new');
  await settle();
  expect(client.payloads).toEqual(['new']);
});
