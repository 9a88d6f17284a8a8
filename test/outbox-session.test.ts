import { describe, expect, test } from 'vitest';

import { MessageError } from '../src/errors.ts';
import { encodePlain } from '../src/protocol/codec.ts';
import { writeText } from '../src/protocol/text-frames.ts';
import { OutboxRig } from './support/outbox.ts';
import { LIMITS } from './support/server-script.ts';
import { fateOf, microtasks } from './support/service.ts';
import { framesOn } from './support/session.ts';
import { Talk, type Socket } from './support/talk.ts';

const ack = (socket: Socket, a: number): void => {
  socket.peer.received(`{"t":"ack","a":${a}}`);
};
const windowOf = (m: number) => ({ lim: { ...LIMITS, win: { m, b: 1_000_000 } } });
const positionsOn = ({ line }: Socket): number[] =>
  framesOn(line).flatMap((frame) => (frame.t === 'batch' ? frame.d.map((_, index) => frame.s + index) : []));

describe('a message on a session', () => {
  test('waits for its acknowledgement, is counted until then, and has no fate before', async () => {
    const t = new Talk();
    const socket = t.joins();
    const receipts = [t.push('a'), t.push('b')];
    await microtasks();
    expect([receipts.map(({ fate }) => fate), t.outbox.counts]).toMatchObject([
      ['handed', 'handed'],
      { accepted: 2, waiting: 2, waitingBytes: 0, acknowledged: 0, sent: 0 },
    ]);
    ack(socket, 1);
    expect([receipts.map(({ fate }) => fate), t.outbox.counts]).toMatchObject([
      ['acknowledged', 'handed'],
      { accepted: 2, waiting: 1, acknowledged: 1, sent: 0 },
    ]);
  });

  test('leaves in the turn in which its socket came: the server has proved that it listens', async () => {
    const t = new Talk();
    t.push('a');
    const socket = t.joins();
    await microtasks();
    expect(positionsOn(socket)).toEqual([1]);
  });

  test('cannot be taken back once it was handed over, and a greeting counts for nothing', async () => {
    const t = new Talk();
    const socket = t.welcomes();
    t.conversation.greet([encodePlain('first')]);
    expect(t.outbox.counts).toMatchObject({ accepted: 0, waiting: 0 });
    t.tell('attached');
    if (t.conversation.wire) t.outbox.attach(t.conversation.wire, { isTrusted: true });
    const receipt = t.push('a');
    await microtasks();
    expect([receipt.cancel(), t.outbox.counts.waiting]).toEqual([false, 1]);
    ack(socket, 2);
    expect(t.outbox.counts).toMatchObject({ accepted: 1, acknowledged: 1, waiting: 0 });
  });

  test('that is rejected is dropped with what the peer says; where that does not know, it is in doubt', async () => {
    const r = new Talk();
    r.joins();
    const [refused, doubtful] = [r.push('a'), r.push('b')];
    await microtasks();
    const error = new MessageError('MESSAGE_REJECTED', { outcome: 'rejected' });
    r.outbox.rejected(refused as never, error);
    r.outbox.rejected(doubtful as never, new MessageError('MESSAGE_REJECTED', { outcome: 'unknown' }));
    await expect(refused.settled).rejects.toBe(error);
    expect([doubtful.fate, r.undelivered]).toEqual([
      'unknown',
      [
        ['m1', 'MESSAGE_REJECTED'],
        ['m2', 'MESSAGE_REJECTED'],
      ],
    ]);
  });
});

describe('a session that is lost', () => {
  test('leaves its messages in doubt, but those that the peer would know again: they go first, in order (pain 18)', async () => {
    const t = new Talk();
    t.joins();
    const keyed = (text: string) => t.push(text, { idempotencyKey: text });
    const receipts = [keyed('k1'), t.push('bare'), keyed('k2')];
    await microtasks();
    t.loses();
    receipts.push(t.push('later'));
    const next = t.joins({ sid: 's2', why: 'unknown' });
    await microtasks();
    expect(receipts.map(({ fate }) => fate)).toEqual(['handed', 'unknown', 'handed', 'handed']);
    expect(framesOn(next.line).slice(1)).toMatchObject([
      { t: 'm', s: 1, b: [{ d: 'k1', k: 'k1' }, { d: 'k2', k: 'k2' }, { d: 'later' }] },
    ]);
  });

  test('does not leave the outbox idle while one of them is to be sent again, whatever becomes of the others', async () => {
    const t = new Talk();
    const socket = t.joins();
    const keyed = t.push('keyed', { idempotencyKey: 'k' });
    t.push('refused');
    t.push('bare');
    await microtasks();
    socket.peer.received(writeText({ t: 'nack', s: 2, c: 'NO', m: '', temp: false, out: 'rejected' }));
    const waiting: number[] = [];
    t.outbox.onceIdle(() => waiting.push(t.outbox.counts.waiting));
    t.loses();
    const next = t.joins({ sid: 's2', why: 'unknown' });
    await microtasks();
    expect([waiting, keyed.fate]).toEqual([[], 'handed']);
    ack(next, 1);
    expect([waiting, t.outbox.counts]).toMatchObject([[0], { acknowledged: 1, unknown: 1, dropped: 1 }]);
  });

  test('leaves all of them in doubt where nothing may wait, or the outbox is closed', async () => {
    const t = new Talk({}, true);
    t.joins();
    const receipt = t.push('a');
    await microtasks();
    t.outbox.close('CONNECTION_ENDED');
    t.loses();
    t.conversation.end();
    expect([receipt.fate, t.outbox.counts.waiting]).toEqual(['unknown', 0]);
  });
});

describe('a window of the peer', () => {
  test('that is full makes the outbox congested, and half free lets it flow, once each (pain 52)', async () => {
    const t = new Talk();
    const socket = t.joins(windowOf(4));
    for (let number = 1; number <= 7; number++) t.push(String(number));
    await t.turn();
    expect([positionsOn(socket), t.mode]).toEqual([[1, 2, 3, 4], 'congested']);
    ack(socket, 1);
    expect([positionsOn(socket).length, t.mode]).toEqual([4, 'congested']);
    ack(socket, 2);
    await t.turn();
    expect([positionsOn(socket), t.mode]).toEqual([[1, 2, 3, 4, 5, 6], 'congested']);
    ack(socket, 6);
    await t.turn();
    expect([positionsOn(socket).length, t.mode]).toEqual([7, 'flowing']);
    expect(t.edges.filter((edge) => edge === 'congested' || edge === 'relieved')).toEqual([
      'congested',
      'relieved',
      'congested',
      'relieved',
    ]);
  });

  test('that is just full with nothing left to send is no congestion', async () => {
    const t = new Talk();
    t.joins(windowOf(2));
    t.push('1');
    t.push('2');
    await t.turn();
    expect(t.mode).toBe('flowing');
  });

  test('bounds critical messages as well', async () => {
    const t = new Talk();
    const socket = t.joins(windowOf(1));
    t.push('!1', { priority: 'critical' });
    t.push('!2', { priority: 'critical' });
    await t.turn();
    expect([positionsOn(socket), t.mode]).toEqual([[1], 'congested']);
  });

  test('that is full is of no concern to a wire that takes its place', async () => {
    const t = new Talk();
    t.joins(windowOf(1));
    for (const text of ['1', '2', '3']) t.push(text);
    await t.turn();
    expect(t.mode).toBe('congested');
    // a second socket for the session: the chart is told nothing of it
    t.outbox.lost({ wasRead: false });
    const next = t.welcomes({ ...windowOf(50), resumed: true, rx: 1 }, { isSuccessor: true });
    if (t.conversation.wire) t.outbox.attach(t.conversation.wire, { isTrusted: true });
    await t.turn();
    expect([positionsOn(next), t.mode]).toEqual([[2, 3], 'flowing']);
  });
});

describe('draining a session', () => {
  test('is over when everything is acknowledged, and not when it was handed over', async () => {
    const t = new Talk();
    const socket = t.joins();
    t.push('a');
    t.tell('drain');
    await t.turn(1_000);
    expect([positionsOn(socket), t.mode]).toEqual([[1], 'pouring']);
    ack(socket, 1);
    expect(t.mode).toBe('drained');
  });

  test('is over when the last is rejected', async () => {
    const t = new Talk();
    const socket = t.joins();
    t.push('a');
    t.tell('drain');
    await t.turn();
    socket.peer.received('{"t":"nack","s":1,"c":"NO","m":"","temp":false,"out":"rejected"}');
    ack(socket, 1);
    expect([t.mode, t.undelivered]).toEqual(['drained', [['m1', 'MESSAGE_REJECTED']]]);
  });

  test('is over at once where nothing waits', async () => {
    const t = new Talk();
    const socket = t.joins();
    t.push('a');
    await t.turn();
    ack(socket, 1);
    t.tell('drain');
    expect(t.mode).toBe('drained');
  });

  test('goes on through a full window', async () => {
    const t = new Talk();
    const socket = t.joins(windowOf(2));
    for (const text of ['1', '2', '3']) t.push(text);
    t.tell('drain');
    await t.turn();
    expect(t.mode).toBe('clogged');
    ack(socket, 2);
    await t.turn();
    ack(socket, 3);
    expect([positionsOn(socket), t.mode]).toEqual([[1, 2, 3], 'drained']);
  });

  test('leaves the outbox idle only then', async () => {
    const t = new Talk();
    t.joins();
    const idle: string[] = [];
    t.push('a');
    t.outbox.onceIdle(() => idle.push('idle'));
    await t.turn();
    t.loses();
    expect(idle).toEqual([]);
    const next = t.joins({ resumed: true });
    expect(idle).toEqual([]);
    ack(next, 1);
    expect(idle).toEqual(['idle']);
  });
});

describe('a volatile message', () => {
  test('leaves at the end of the turn, before those that wait for room', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.push('a');
    const receipt = r.push('v', { volatile: true });
    await microtasks();
    expect([line.sent, receipt.fate, r.outbox.counts]).toMatchObject([['v', 'a'], 'sent', { accepted: 2, sent: 2 }]);
  });

  test.each<[string, (r: OutboxRig) => unknown]>([
    ['there is no socket', () => undefined],
    [
      'the socket is closing',
      (r) => {
        r.attach().isOpen = false;
      },
    ],
    [
      'messages are held back',
      (r) => {
        r.attach();
        r.tell('pause');
      },
    ],
    [
      'the line is congested',
      async (r) => {
        (await r.attached()).holds = true;
        r.push('fills the buffer');
        await r.turn();
      },
    ],
  ])('where %s is refused at once, and takes no place in the queue', async (_where, reach) => {
    const r = new OutboxRig({ limits: { highWaterBytes: 5, lowWaterBytes: 0 } });
    await reach(r);
    const before = r.outbox.counts.waiting;
    const fate = fateOf(r.push('v', { volatile: true }).settled);
    await microtasks();
    expect(fate.error).toMatchObject({ code: 'VOLATILE_DROPPED', outcome: 'not_sent' });
    expect(r.outbox.counts).toMatchObject({ refused: 1, waiting: before });
  });

  test('is dropped when its socket goes within the turn, and in doubt when it was in it; never sent again', async () => {
    const r = new OutboxRig({ resendSafe: () => true });
    const line = await r.attached();
    line.holds = true;
    const held = r.push('held', { volatile: true, idempotencyKey: 'k' });
    await microtasks();
    const late = r.push('late', { volatile: true });
    r.lose();
    expect([held.fate, late.fate]).toEqual(['unknown', 'dropped']);
    expect((await r.attached()).sent).toEqual([]);
    expect(r.outbox.counts).toMatchObject({ accepted: 2, unknown: 1, dropped: 1, waiting: 0 });
  });

  test('can be taken back until the end of the turn, by hand and by its signal (pain 56)', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    const controller = new AbortController();
    const receipts = [r.push('a', { volatile: true }), r.push('b', { volatile: true, signal: controller.signal })];
    controller.abort('enough');
    expect([receipts[0]?.cancel(), receipts[0]?.cancel()]).toEqual([true, false]);
    await r.turn();
    expect([line.sent, r.undelivered]).toEqual([
      [],
      [
        ['m2', 'SEND_ABORTED'],
        ['m1', 'SEND_CANCELLED'],
      ],
    ]);
    expect(r.errors[0]?.cause).toBe('enough');
  });

  test('is dropped when the outbox closes', async () => {
    const r = new OutboxRig();
    await r.attached();
    r.push('v', { volatile: true });
    r.outbox.close('CONNECTION_ENDED');
    await r.turn();
    expect([r.undelivered, r.outbox.counts.waiting]).toEqual([[['m1', 'VOLATILE_DROPPED']], 0]);
  });
});
