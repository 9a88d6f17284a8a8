import { describe, expect, test, vi } from 'vitest';

import { failure, ownClosure } from '../src/core/recovery.ts';
import { encodePlain } from '../src/protocol/codec.ts';
import type { ServerFrame } from '../src/protocol/frames.ts';
import { writeText } from '../src/protocol/text-frames.ts';
import { LIMITS, welcomeOf } from './support/server-script.ts';
import { framesOf, framesOn } from './support/session.ts';
import { microtasks } from './support/service.ts';
import { Talk, type Socket } from './support/talk.ts';

const says = ({ peer }: Socket, ...frames: (ServerFrame | string)[]): void => {
  for (const frame of frames) peer.received(typeof frame === 'string' ? frame : writeText(frame));
};

describe('a conversation', () => {
  test('has no wire and nothing to resume before its first welcome', () => {
    const t = new Talk();
    const socket = t.introduces();
    expect([t.conversation.wire, t.conversation.isResumable, t.conversation.hasGreeted]).toEqual([
      undefined,
      false,
      false,
    ]);
    expect(socket.told).toEqual([{ type: 'wire.proven' }]);
  });

  test('tells of a new session, how often its server wants to hear, and that nothing was lost', () => {
    const t = new Talk();
    const { told } = t.welcomes({ ping: { iv: 5, to: 6 } });
    expect(told.slice(1)).toEqual([
      { type: 'session.welcomed', isResumed: false, lost: null, ping: { intervalMs: 5, timeoutMs: 6 } },
    ]);
    expect([t.conversation.isResumable, t.conversation.hasGreeted]).toEqual([true, false]);
  });

  test('goes on over sockets: what is acknowledged is told, what is not is sent again, and it is greeted once', async () => {
    const t = new Talk();
    t.welcomes();
    t.conversation.greet([encodePlain('first')]);
    t.loses();
    const [a, b] = ['a', 'b'].map((text) => t.push(text));
    const socket = t.joins({ resumed: true, tok: 'k2', rx: 1 });
    await microtasks();
    expect([framesOn(socket.line).slice(1), t.conversation.hasGreeted]).toEqual([
      [{ t: 'batch', s: 2, d: ['a', 'b'] }],
      true,
    ]);
    t.loses();
    const next = t.joins({ resumed: true, tok: 'k3', rx: 2 });
    expect([a?.fate, b?.fate, framesOn(next.line).slice(1)]).toEqual([
      'acknowledged',
      'handed',
      [{ t: 'batch', s: 3, d: ['b'] }],
    ]);
    expect([t.heard, t.undelivered]).toEqual([[], []]);
  });

  test('has not greeted a session that is resumed before anything could be said in it', () => {
    const t = new Talk();
    t.welcomes();
    t.loses();
    t.welcomes({ resumed: true });
    expect(t.conversation.hasGreeted).toBe(false);
    t.conversation.greet([]);
    expect(t.conversation.hasGreeted).toBe(true);
  });

  test('that is refused tells what it lost, leaves the rest in doubt, and lets requests know', async () => {
    const t = new Talk();
    t.joins();
    const receipts = [t.push('bare'), t.push('keyed', { idempotencyKey: 'k' })];
    await microtasks();
    t.loses();
    const { told } = t.welcomes({ sid: 's2', why: 'epoch' });
    expect(told.at(-1)).toMatchObject({ isResumed: false, lost: { why: 'epoch', inDoubt: 1 } });
    expect([receipts.map(({ fate }) => fate), t.codes, t.heard]).toEqual([
      ['unknown', 'waiting'],
      [['OUTCOME_UNKNOWN', 'unknown']],
      ['session lost'],
    ]);
  });

  test('that goes on where a frame may not be as large as what is to be sent again is given up, and told as lost', async () => {
    const t = new Talk();
    t.joins();
    const receipts = [
      t.push('accepted'),
      t.push('bare'),
      t.push('x'.repeat(300)),
      t.push('y'.repeat(300), { idempotencyKey: 'k' }),
    ];
    await microtasks();
    t.loses();
    const small = { lim: { ...LIMITS, frame: 300 } };
    const refused = t.welcomes({ resumed: true, rx: 1, ...small });
    expect(refused.told.at(-1)).toMatchObject({
      type: 'negotiation.failed',
      failure: { code: 'CONNECTION_LOST', strategy: 'new_session' },
    });
    expect([framesOn(refused.line).slice(1), refused.line.isOpen]).toEqual([[{ t: 'bye', keep: false }], false]);
    t.loses();
    const next = t.joins({ sid: 's2', ...small });
    await microtasks();
    expect(framesOf(next.line, 'hello')[0]).not.toHaveProperty('resume');
    expect(next.told.at(-1)).toMatchObject({ isResumed: false, lost: { why: 'limits', inDoubt: 2 } });
    expect([receipts.map(({ fate }) => fate), t.errors.at(-1)]).toMatchObject([
      ['acknowledged', 'unknown', 'unknown', 'unknown'],
      { code: 'OUTCOME_UNKNOWN', cause: { code: 'MESSAGE_TOO_BIG' } },
    ]);
  });

  test('that is given up as it moves has no reason to stop when its first socket is closed for that', async () => {
    const t = new Talk();
    t.joins();
    t.push('x'.repeat(300));
    await microtasks();
    const second = t.welcomes({ resumed: true, lim: { ...LIMITS, frame: 200 } }, { isSuccessor: true });
    expect(second.told.at(-1)).toMatchObject({ type: 'negotiation.failed' });
    const replaced = { ...ownClosure({ code: 4004, reason: '' }), strategy: 'manual' } as const;
    expect(t.conversation.explained(replaced).strategy).toBe('reconnect');
  });

  test('closed with 4301 is lost, and asks for a new session', () => {
    const t = new Talk();
    t.joins();
    t.conversation.ended({ code: 1006, wire: 'holdfast.v1' });
    expect(t.conversation.isResumable).toBe(true);
    t.conversation.ended({ code: 4301, wire: 'holdfast.v1' });
    expect(t.conversation.isResumable).toBe(false);
    t.loses();
    const { line, told } = t.welcomes({ sid: 's2' });
    expect(framesOf(line, 'hello')[0]).not.toHaveProperty('resume');
    expect(told.at(-1)).toMatchObject({ lost: { why: 'lost', inDoubt: 0 } });
  });

  test('does not believe a welcome that cannot be true: it says so with 4001', () => {
    const t = new Talk();
    const closes: unknown[] = [];
    const socket = t.introduces();
    socket.line.close = (...given: unknown[]) => closes.push(given[0]);
    says(
      socket,
      '{"t":"welcome","sid":"s","tok":"t","ep":"e","gen":1,"resumed":true,"rx":0,"top":0,"ttl":1,"caps":[],"lim":{"frame":1,"inflated":1,"win":{"m":1,"b":1}},"ping":{"iv":1,"to":1},"now":1}',
    );
    expect(socket.told.at(-1)).toMatchObject({
      type: 'negotiation.failed',
      failure: { code: 'PROTOCOL_VIOLATION', strategy: 'manual' },
    });
    expect([closes, t.conversation.wire]).toEqual([[4001], undefined]);
  });
});

describe('a server that speaks plain', () => {
  test.each([
    ['prefer', 'plain', 1],
    ['required', null, 0],
  ] as const)('ends a session where the wire is %s: %j', async (use, why, lost) => {
    const t = new Talk({ use });
    t.joins();
    t.push('a');
    await microtasks();
    t.loses();
    const socket = t.negotiates();
    says(socket, 'hello there');
    expect(socket.told).toEqual([{ type: 'wire.plain', canPing: false, lost: why && { why, inDoubt: 1 } }]);
    expect([t.heard.length, t.conversation.isResumable]).toEqual([lost, lost === 0]);
  });

  test('ends nothing where there was nothing', () => {
    const t = new Talk({ use: 'prefer' });
    const socket = t.negotiates();
    says(socket, 'hello there');
    expect([socket.told, t.heard]).toEqual([[{ type: 'wire.plain', canPing: false, lost: null }], []]);
    expect(t.conversation.abandon('plain')).toBeNull();
  });

  test('does not end the session of a first socket that goes on', () => {
    const t = new Talk({ use: 'prefer' });
    t.joins();
    const second = t.negotiates({ isSuccessor: true });
    says(second, 'hello there');
    expect([second.told, t.conversation.isResumable]).toEqual([
      [{ type: 'wire.plain', canPing: false, lost: null }],
      true,
    ]);
  });
});

describe('a session on one socket', () => {
  test('delivers, tells what it is asked, and ends for a breach', () => {
    const t = new Talk();
    const socket = t.joins();
    says(socket, '1["a"]', { t: 'away', in: 1, spread: 1 }, { t: 'auth', need: true }, { t: 'ack', a: 9 });
    expect([t.delivered, t.heard]).toEqual([['a'], ['away', 'auth', 'violated 4001']]);
  });

  test('tells a message that was refused when it is acknowledged, by whatever socket', async () => {
    const t = new Talk();
    const socket = t.joins();
    const receipts = [t.push('a'), t.push('b')];
    await microtasks();
    says(
      socket,
      { t: 'nack', s: 1, e: 2, c: 'NO', m: 'not\u0007 now', temp: true, out: 'rejected' },
      { t: 'ack', a: 1 },
    );
    expect([receipts.map(({ fate }) => fate), t.errors]).toMatchObject([
      ['dropped', 'handed'],
      [{ code: 'MESSAGE_REJECTED', outcome: 'rejected', retryable: true, message: 'NO: not  now', connectionId: 'c' }],
    ]);
    t.loses();
    t.welcomes({ resumed: true, rx: 2 });
    expect(t.codes).toEqual([
      ['MESSAGE_REJECTED', 'rejected'],
      ['MESSAGE_REJECTED', 'rejected'],
    ]);
  });

  test('tells a message that was refused as refused, and not as in doubt, when its session is lost', async () => {
    const t = new Talk({}, true);
    const socket = t.joins();
    t.push('a');
    await microtasks();
    says(socket, { t: 'nack', s: 1, c: 'NO', m: 'why', temp: false, out: 'unknown' });
    t.loses();
    const { told } = t.welcomes({ sid: 's2' });
    expect(told.at(-1)).toMatchObject({ lost: { inDoubt: 0 } });
    expect(t.errors).toMatchObject([{ code: 'MESSAGE_REJECTED', outcome: 'unknown', message: 'NO: why' }]);
  });

  test('measures the round trip of each ping by its own pong, once, and acknowledges with it', () => {
    const t = new Talk();
    const socket = t.joins();
    says(socket, '1["a"]');
    t.conversation.ping();
    t.clock.advance(30);
    t.conversation.ping();
    t.clock.advance(12);
    says(socket, { t: 'pong', i: 1, ts: 0, now: 0 });
    // it may be an answer to the first still
    expect(t.measured).toEqual([42]);
    says(socket, { t: 'pong', i: 2, ts: 0, now: 0 });
    says(socket, { t: 'pong', i: 2, ts: 0, now: 0 });
    says(socket, { t: 'pong', i: 9, ts: 0, now: 0 });
    expect(t.measured).toEqual([42, 12]);
    expect(framesOf(socket.line, 'ping')).toMatchObject([{ i: 1, a: 1 }, { i: 2 }]);
  });

  test('gives a fresh token, and nothing where there is no socket', () => {
    const t = new Talk();
    t.conversation.renew('nobody');
    const { line } = t.joins();
    t.conversation.renew('fresh');
    expect(framesOf(line, 'auth')).toEqual([{ t: 'auth', tok: 'fresh' }]);
  });
});

describe('the end of a conversation', () => {
  test('by a goodbye acknowledges first, and is over with its socket: nothing is resumed', () => {
    const t = new Talk();
    const socket = t.joins();
    says(socket, '1["a"]');
    t.conversation.bye();
    expect(framesOn(socket.line).slice(1)).toEqual([
      { t: 'ack', a: 1 },
      { t: 'bye', keep: false },
    ]);
    expect(t.conversation.isResumable).toBe(true);
    t.loses();
    expect([t.conversation.isResumable, t.heard]).toEqual([false, ['session lost']]);
  });

  test('says no goodbye where there is no socket', () => {
    const t = new Talk();
    t.joins();
    t.loses();
    t.conversation.bye();
    t.conversation.lost();
    expect(t.conversation.isResumable).toBe(true);
  });

  test('leaves in doubt what was not acknowledged', async () => {
    const t = new Talk();
    t.joins();
    const receipt = t.push('a');
    await microtasks();
    t.loses();
    t.conversation.end();
    expect([receipt.fate, t.conversation.isResumable, t.outbox.counts.waiting]).toEqual(['unknown', false, 0]);
  });
});

describe('a second socket for a session', () => {
  test('has nothing of the session said on the first from its hello on, until it is welcomed or given up', async () => {
    const t = new Talk();
    const first = t.joins();
    t.introduces({}, { isSuccessor: true });
    t.push('a');
    says(first, '1["x"]');
    await t.turn(100);
    expect([framesOn(first.line).slice(1), t.conversation.isMoving]).toEqual([[], true]);
    t.conversation.stayed();
    await t.turn(100);
    expect(framesOn(first.line).slice(1)).toEqual([
      { t: 'ack', a: 1 },
      { t: 'batch', s: 1, d: ['a'] },
    ]);
    expect(t.conversation.isMoving).toBe(false);
  });

  test('takes the session over with its welcome', () => {
    const t = new Talk();
    t.joins();
    const { wire } = t.conversation;
    t.welcomes({ resumed: true }, { isSuccessor: true });
    expect([t.conversation.isMoving, t.conversation.wire === wire]).toEqual([false, false]);
  });
});

describe('a failure', () => {
  const lost = failure('CONNECTION_LOST', 'platform');

  const busy = { t: 'err', c: 'BUSY', m: 'come\nback', temp: true, ra: 700 } as const;
  const replaced = { ...ownClosure({ code: 4004, reason: '' }), strategy: 'manual' } as const;

  test('is explained by what the server said on the same socket just before, and by nothing older', () => {
    const t = new Talk();
    const socket = t.joins();
    expect(t.conversation.explained(lost)).toBe(lost);
    says(socket, busy);
    expect(t.conversation.explained(lost)).toMatchObject({ detail: 'platform; BUSY: come back', retryAfterMs: 700 });
    t.clock.advance(60_000);
    expect(t.conversation.explained(lost)).toBe(lost);
  });

  test('of an attempt that gets no socket is not explained by what was said on the last', () => {
    const t = new Talk();
    says(t.joins(), { ...busy, fatal: true });
    t.loses();
    expect(t.conversation.explained(lost)).toBe(lost);
    says(t.introduces(), busy);
    expect(t.conversation.explained(lost).retryAfterMs).toBe(700);
  });

  test('of the first of two sockets is not explained by what was said on the second, unless that has taken its place', () => {
    const t = new Talk();
    const first = t.joins();
    says(first, { ...busy, c: 'FIRST' });
    const second = t.introduces({}, { isSuccessor: true });
    says(second, { ...busy, c: 'SECOND' });
    expect(t.conversation.explained(lost).detail).toContain('FIRST');
    says(second, welcomeOf({ resumed: true }));
    expect(t.conversation.explained(lost).detail).toContain('SECOND');
  });

  test('by 4004 is this side’s own doing while a hello of it is not answered, once for each', () => {
    const t = new Talk();
    t.joins();
    expect(t.conversation.explained(replaced).strategy).toBe('manual');
    t.loses();
    t.introduces();
    t.loses();
    t.joins({ resumed: true });
    expect(t.conversation.explained(replaced).strategy).toBe('reconnect');
    expect(t.conversation.explained(replaced).strategy).toBe('manual');
  });

  test('by 4004 is somebody else’s doing when this side has said no hello that could have done it', () => {
    const t = new Talk();
    t.joins();
    t.introduces({ v: [9] }, { isSuccessor: true });
    expect(t.conversation.explained(replaced).strategy).toBe('manual');
  });
});

test('compression is loaded only when both sides want it (pain 53)', async () => {
  const caps = ['deflate-raw'];
  const off = new Talk().introduces({ caps });
  const on = new Talk({ compression: true }).introduces({ caps });
  expect(framesOf(on.line, 'hello')).toEqual([]);
  await vi.dynamicImportSettled();
  expect([framesOf(off.line, 'hello')[0]?.caps, framesOf(on.line, 'hello')[0]?.caps]).toEqual([[], caps]);
});
