import { describe, expect, test } from 'vitest';

import type { ConnectionEvent } from '../machines/facts.ts';
import { ChannelAccess } from '../src/channel-access.ts';
import type { Failure } from '../src/core/recovery.ts';
import type { ServiceOptions } from '../src/options.ts';
import { encodePlain } from '../src/protocol/codec.ts';
import { settle } from '../src/settings.ts';
import { OutboxDouble, PoolBench } from './support/channels.ts';
import { microtasks } from './support/service.ts';
import { framesOf, messageOf } from './support/session.ts';

class Desk {
  readonly bench = new PoolBench();
  readonly double = new OutboxDouble();
  readonly told: ConnectionEvent[] = [];
  readonly bugs: unknown[] = [];
  readonly received: unknown[] = [];
  readonly access: ChannelAccess;
  #names = 0;

  constructor(options: Partial<ServiceOptions> = {}) {
    const one: ServiceOptions = { url: 'wss://host/', wire: 'required', pool: 'p', ...options };
    const settings = settle({ services: { chat: one } }).services.get('chat');
    if (!settings) throw new Error('There are no settings.');
    this.access = new ChannelAccess({
      settings: () => settings,
      pool: this.bench.pool,
      service: 'chat',
      outbox: this.double.outbox,
      inbox: { receive: (payload) => this.received.push(payload) },
      sessionLost: () => undefined,
      facts: () => ({
        connectionId: 'chat',
        serviceType: 'chat',
        terminalId: undefined,
        sessionId: undefined,
        params: {},
        attempt: 1,
        lastFailure: undefined,
      }),
      now: () => 0,
      freshId: () => `id-${++this.#names}`,
      report: (cause) => this.bugs.push(cause),
    });
  }

  /** Asks for the credentials, and then for its channel. */
  async dials(generation = 1): Promise<(Failure | null)[]> {
    const settled: (Failure | null)[] = [];
    this.access.authorize('fresh', (failed) => settled.push(failed));
    await microtasks();
    this.access.locate((failed) => settled.push(failed));
    this.access.dial({ generation }, (event) => this.told.push(event));
    return settled;
  }
}

describe('a connection that is a channel', () => {
  test('asks for its own credentials, and leaves it to the pool where to go', async () => {
    const asked: unknown[] = [];
    const desk = new Desk({
      credentials: ({ connectionId, attemptId }) => {
        asked.push([connectionId, attemptId]);
        return 'secret';
      },
      url: () => {
        throw new Error('Nobody is to ask.');
      },
    });
    expect(await desk.dials()).toEqual([null, null]);
    expect([asked, desk.access.facts.attemptId, desk.access.isLinked]).toEqual([[['chat', 'id-1']], 'id-1', true]);
    desk.bench.links();
    expect(framesOf(desk.bench.session.line, 'open')).toEqual([{ t: 'open', c: 'c1', n: 'chat', auth: 'secret' }]);
  });

  test('says what its provider threw, and lets the application decide what follows', async () => {
    const cause = new Error('no');
    const desk = new Desk({
      credentials: () => {
        throw cause;
      },
      decide: () => 'manual',
    });
    const settled: (Failure | null)[] = [];
    desk.access.authorize('fresh', (failed) => settled.push(failed));
    await microtasks();
    expect([settled, desk.access.cause]).toMatchObject([[{ code: 'CREDENTIALS_FAILED', strategy: 'manual' }], cause]);
  });

  test('is open when the pool is, and knows whether the session goes on', async () => {
    const desk = new Desk();
    await desk.dials();
    expect([desk.told, desk.access.join(), desk.access.asking.canMeasure]).toEqual([[], undefined, true]);
    desk.bench.links();
    const opened = { type: 'socket.opened', canPing: false, wire: 'shared', lost: null };
    expect(desk.told).toEqual([{ ...opened, generation: 1, isResumed: false }]);
    expect([desk.access.hasGreeted, desk.access.join()?.isTrusted]).toEqual([false, true]);
    desk.access.greet([encodePlain('hello')]);
    expect(framesOf(desk.bench.session.line, 'm')).toEqual([{ t: 'm', s: 1, b: [{ d: 'hello', c: 'c1' }] }]);
    desk.bench.relinks();
    expect([desk.told.at(-1), desk.access.isLinked]).toMatchObject([
      { type: 'socket.closed', generation: 1, failure: { code: 'CONNECTION_LOST', strategy: 'reconnect' } },
      false,
    ]);
    await desk.dials(2);
    expect([desk.told.at(-1), desk.access.hasGreeted]).toEqual([{ ...opened, generation: 2, isResumed: true }, true]);
  });

  test('greets in a session that goes on, if it did not come to that before', async () => {
    const desk = new Desk();
    await desk.dials();
    desk.bench.links();
    desk.bench.relinks();
    await desk.dials(2);
    expect([desk.told.at(-1), desk.access.hasGreeted]).toMatchObject([{ isResumed: true }, false]);
  });

  test('takes what comes while it waits to try again, for the session has it', async () => {
    const desk = new Desk();
    await desk.dials();
    desk.bench.links();
    desk.bench.relinks();
    desk.bench.pool.deliver('c1', 'news', { c: 'c1' });
    desk.access.unread();
    desk.access.read();
    expect(desk.received).toEqual(['news']);
  });

  test('gives up its place when it is closed, and takes another one later', async () => {
    const desk = new Desk();
    await desk.dials();
    desk.bench.links();
    const receipt = messageOf('x');
    desk.access.join()?.wire.write(() => (receipt.fate === 'waiting' ? receipt : undefined));
    expect(desk.access.kept?.size).toBe(1);
    desk.access.close(1000, 'bye');
    expect([desk.told.at(-1), desk.double.told, desk.access.kept]).toMatchObject([
      { type: 'socket.closed', failure: { closure: { code: 1000, reason: 'bye', initiator: 'local' } } },
      [['forsaken', 'x']],
      undefined,
    ]);
    desk.access.end();
    await desk.dials(2);
    expect(framesOf(desk.bench.session.line, 'open').map(({ c }) => c)).toEqual(['c1', 'c2']);
  });

  test('takes another place after it was refused, and the same one after anything else', async () => {
    const desk = new Desk({ decide: () => 'reconnect' });
    await desk.dials();
    desk.bench.links();
    desk.bench.pool.noticed({ t: 'shut', c: 'c1', why: 'no' });
    expect(desk.told.at(-1)).toMatchObject({
      failure: { code: 'CHANNEL_REFUSED', detail: 'no', strategy: 'reconnect' },
    });
    await desk.dials(2);
    desk.bench.relinks();
    await desk.dials(3);
    expect(framesOf(desk.bench.session.line, 'open').map(({ c }) => c)).toEqual(['c2']);
  });

  test('tells what its refused channel left in doubt when it has another, unless it has ended meanwhile', async () => {
    const losses: unknown[] = [];
    for (const ends of [false, true]) {
      const desk = new Desk({ decide: () => 'reconnect' });
      await desk.dials();
      desk.bench.links();
      const receipt = messageOf('x');
      desk.access.join()?.wire.write(() => (receipt.fate === 'waiting' ? receipt : undefined));
      desk.bench.pool.noticed({ t: 'shut', c: 'c1', why: 'forbidden' });
      if (ends) desk.access.end();
      for (const generation of [2, 3]) await desk.dials(generation);
      losses.push(...desk.told.flatMap((event) => (event.type === 'socket.opened' ? [event.lost] : [])));
    }
    expect(losses).toEqual([null, { why: 'forbidden', inDoubt: 1 }, null, null, null, null]);
  });

  test('that has let go is told nothing more', async () => {
    const desk = new Desk();
    await desk.dials();
    desk.access.hangUp();
    desk.bench.links();
    expect([desk.told, desk.access.isLinked, desk.access.join()]).toEqual([[], false, undefined]);
  });

  test('leaves to the pool what is a socket’s own to do', async () => {
    const desk = new Desk();
    let heard = 0;
    desk.access.asking.probe(() => (heard += 1))();
    desk.access.asking.answered();
    expect(desk.access.asking.ping(() => undefined)).toBe(false);
    desk.access.negotiate()();
    desk.access.succeed()();
    desk.access.renew()();
    desk.access.yieldToPlain();
    desk.access.hangUp();
    desk.access.end();
    desk.access.greet([]);
    expect([heard, desk.told, desk.bench.asked, desk.bugs]).toEqual([1, [], [], []]);
    await microtasks();
  });
});
