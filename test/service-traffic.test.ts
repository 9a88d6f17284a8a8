import { describe, expect, test } from 'vitest';

import { SimulatedClock } from '../src/testing/clock.ts';
import { LIMITS, WireRig } from './support/server-script.ts';
import { fateOf } from './support/service.ts';

/** A clock whose wall jumps, and whose other hand does not. */
class JumpingClock extends SimulatedClock {
  jumpedMs = 0;

  override now(): number {
    return super.now() + this.jumpedMs;
  }

  monotonicNow(): number {
    return super.now();
  }
}

describe('an acknowledgement of the client', () => {
  test('goes by itself 50 ms after the first message that it is for', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    server.sends(1, 'a');
    await r.clock.advanceAsync(30);
    server.sends(2, 'b');
    await r.clock.advanceAsync(19);
    expect(server.acked).toEqual([]);
    await r.clock.advanceAsync(1);
    expect(server.of('ack')).toEqual([{ t: 'ack', a: 2 }]);
    await r.clock.advanceAsync(1_000);
    expect(server.acked).toEqual([2]);
  });

  test('goes at once when 256 messages wait for it (trap 10)', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    for (let position = 1; position <= 255; position++) server.sends(position, position);
    expect(server.acked).toEqual([]);
    server.sends(256, 256);
    expect(server.acked).toEqual([256]);
    await r.clock.advanceAsync(100);
    expect(server.acked).toEqual([256]);
  });

  test('goes sooner where the window is small: at a quarter of it', async () => {
    const r = new WireRig({ terminal: { wire: { use: 'required', windowMessages: 8 } } });
    const { server } = await r.join();
    server.sends(1, 'a');
    expect(server.acked).toEqual([]);
    server.sends(2, 'b');
    expect(server.acked).toEqual([2]);
  });

  test('travels with what is sent anyway, and then not by itself', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    server.sends(1, 'a');
    connection.send('b');
    await r.clock.advanceAsync(200);
    expect(server.socket.sent.slice(1)).toEqual(['1,1["b"]']);
  });
});

describe('the window of the server', () => {
  test('full, makes the connection congested; half free, lets messages go (pain 19)', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join({ lim: { ...LIMITS, win: { m: 4, b: 1_000 } } });
    for (let number = 1; number <= 6; number++) connection.send(String(number));
    await r.settle();
    expect([server.messages.length, r.status()]).toMatchObject([4, { state: 'open', flow: 'congested' }]);
    server.acks(1);
    await r.settle();
    expect([server.messages.length, r.status().flow]).toEqual([4, 'congested']);
    server.acks(2);
    await r.settle();
    expect([server.messages.length, r.status().flow]).toEqual([6, 'flowing']);
    expect(r.of('flow').map(({ isCongested }) => isCongested)).toEqual([true, false]);
  });

  test('of nothing holds everything back but what is no message; another lets it go', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    server.says({ t: 'flow', w: { m: 0, b: 0 } });
    const receipt = connection.send('a');
    const fleeting = connection.send('now', { volatile: true });
    server.says({ t: 'ping', i: 1, ts: 1 });
    await r.clock.advanceAsync(1_000);
    expect(server.frames.slice(1)).toMatchObject([{ t: 'pong', i: 1 }]);
    expect([receipt.fate, fleeting.fate, r.status().flow]).toEqual(['waiting', 'dropped', 'congested']);
    server.says({ t: 'flow', w: { m: 10, b: 1_000 } });
    await r.settle();
    expect([server.messages, r.status().flow]).toEqual([[[1, 'a']], 'flowing']);
  });

  test('may change with an acknowledgement', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join({ lim: { ...LIMITS, win: { m: 1, b: 1_000 } } });
    for (const text of ['a', 'b', 'c']) connection.send(text);
    await r.settle();
    server.says({ t: 'ack', a: 1, w: { m: 50, b: 1_000 } });
    await r.settle();
    expect(server.messages.map(([position]) => position)).toEqual([1, 2, 3]);
  });

  test('never takes a message that no frame of it could hold: it is refused, and those after it go', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join({ lim: { ...LIMITS, frame: 200 } });
    const [big, small] = [connection.send('x'.repeat(300)), connection.send('small')];
    await r.settle();
    expect([server.messages, big.fate, small.fate]).toEqual([[[1, 'small']], 'dropped', 'handed']);
    expect(r.of('undelivered')).toMatchObject([
      {
        messageId: 'm1',
        error: {
          code: 'MESSAGE_TOO_BIG',
          message: 'With its frame the message has up to 382 bytes; the server takes frames of 200.',
        },
      },
    ]);
  });
});

describe('a message that the server refuses', () => {
  test.each([
    ['by its position', { s: 2 }],
    ['by a range', { s: 2, e: 2 }],
    ['by its key', { k: ['k'] }],
  ])('%s is told so, with why, once it is acknowledged', async (_how, which) => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const fates = ['a', 'b'].map((text, index) =>
      fateOf(connection.send(text, index === 1 ? { idempotencyKey: 'k' } : {}).settled),
    );
    await r.settle();
    server.says({ t: 'nack', ...which, c: 'NOT_NOW', m: 'closed today', temp: true, out: 'rejected' });
    server.acks(2);
    await r.settle();
    expect(fates).toMatchObject([
      { kind: 'resolved' },
      { error: { code: 'MESSAGE_REJECTED', outcome: 'rejected', retryable: true, message: 'NOT_NOW: closed today' } },
    ]);
    expect(r.status().messages).toMatchObject({ acknowledged: 1, dropped: 1, droppedBy: { MESSAGE_REJECTED: 1 } });
  });

  test('without saying whether it was acted on is in doubt', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const fate = fateOf(connection.send('a').settled);
    await r.settle();
    server.says({ t: 'nack', s: 1, c: 'CRASHED', m: 'the handler failed', temp: false, out: 'unknown' });
    server.acks(1);
    await r.settle();
    const refusal = { code: 'MESSAGE_REJECTED', outcome: 'unknown', message: 'CRASHED: the handler failed' };
    expect(fate.error).toMatchObject(refusal);
    expect(r.of('undelivered')).toMatchObject([{ error: refusal }]);
    expect(r.status().messages).toMatchObject({ unknown: 1, dropped: 0, waiting: 0 });
  });

  test('is told so also when the acknowledgement comes with the resumption, or never', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const fates = ['a', 'b'].map((text) => fateOf(connection.send(text, { idempotencyKey: text }).settled));
    await r.settle();
    server.says({ t: 'nack', s: 1, e: 2, c: 'NO', m: '', temp: false, out: 'rejected' });
    await r.drops();
    await r.resume({ rx: 1 });
    expect(fates.map(({ kind }) => kind)).toEqual(['rejected', 'pending']);
    await r.drops();
    const fresh = await r.redial();
    fresh.welcome({ sid: 's2' });
    await r.settle();
    expect([fates[1]?.error, fresh.messages]).toMatchObject([{ code: 'MESSAGE_REJECTED' }, []]);
  });
});

describe('a volatile message', () => {
  test('leaves at the end of the turn without a position, and is told as sent', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const receipts = [connection.send('a', { volatile: true, type: 'cursor' }), connection.send('b')];
    await r.settle();
    expect(server.frames.slice(1)).toEqual([
      { t: 'v', b: [{ d: 'a', n: 'cursor' }] },
      { t: 'batch', s: 1, d: ['b'] },
    ]);
    expect(receipts.map(({ fate }) => fate)).toEqual(['sent', 'handed']);
  });

  test('is never sent again, and never waits', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    server.socket.holds = true;
    const held = connection.send('held', { volatile: true, idempotencyKey: 'k' });
    await r.settle();
    await r.drops();
    const late = connection.send('late', { volatile: true });
    expect([held.fate, late.fate]).toEqual(['unknown', 'dropped']);
    const next = await r.resume();
    expect(next.frames.slice(1)).toEqual([]);
    expect(r.of('undelivered')).toMatchObject([
      { error: { code: 'OUTCOME_UNKNOWN' } },
      { error: { code: 'VOLATILE_DROPPED', outcome: 'not_sent' } },
    ]);
  });

  test('of the server is handed over, as text or as bytes, and changes no position', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    server.says({ t: 'v', b: [{ d: 'a' }] }, Uint8Array.of(1, 0, 0, 1, 0, 1, 7).buffer);
    server.sends(1, 'b');
    await r.clock.advanceAsync(50);
    expect(r.of('message').map(({ data }) => data)).toEqual(['a', Uint8Array.of(7).buffer, 'b']);
    expect(server.acked).toEqual([1]);
  });
});

describe('the life of a link', () => {
  test('is asked for after a silence as long as the server wants, and measured on a clock that does not jump', async () => {
    const clock = new JumpingClock();
    const r = new WireRig({ clock });
    const { server } = await r.join({ ping: { iv: 5_000, to: 1_000 } });
    await r.clock.advanceAsync(5_000);
    const [ping] = server.of('ping');
    expect([ping?.i, r.status().rttMs]).toEqual([1, null]);
    clock.jumpedMs = 3_600_000;
    await r.clock.advanceAsync(70);
    server.says({ t: 'pong', i: 1, ts: ping?.ts ?? 0, now: 1 });
    expect(r.status().rttMs).toBe(70);
    server.says({ t: 'pong', i: 99, ts: 0, now: 1 });
    expect(r.status().rttMs).toBe(70);
  });

  test('is answered at once when the server asks, with what it said, and an acknowledgement', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    server.sends(1, 'a');
    server.says({ t: 'ping', i: 7, ts: 42.5 });
    expect(server.of('pong')).toMatchObject([{ i: 7, ts: 42.5, a: 1 }]);
    await r.clock.advanceAsync(100);
    expect(server.acked).toEqual([1]);
  });

  test('that shows no sign is given up, and the session goes on with the next socket', async () => {
    const r = new WireRig();
    await r.join();
    await r.clock.advanceAsync(25_000 + 10_000);
    expect(r.status()).toMatchObject({ state: 'backoff', lastError: { code: 'LINK_DEAD' } });
    expect((await r.redial()).hello.resume?.sid).toBe('s1');
  });
});
