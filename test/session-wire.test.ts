import { describe, expect, test } from 'vitest';

import { fromUtf8 } from '../src/protocol/utf8.ts';
import { LIMITS } from './support/server-script.ts';
import { framesOf, messageOf, SessionRig } from './support/session.ts';
import { makeCompression } from './support/compression.ts';

const windowOf = (m: number, b = 1_000_000) => ({ limits: { ...LIMITS, win: { m, b } } });

describe('a wire of a session', () => {
  test('gives messages their positions in order, over all sockets, and keeps them', () => {
    const r = new SessionRig();
    r.write('a', 'b');
    r.write('c');
    expect(r.line.sent).toEqual(['1["a","b"]', '3["c"]']);
    r.session.outgoing.acknowledge(3);
    r.moveTo();
    r.write('d');
    expect([r.line.sent, r.session.outgoing.size]).toEqual([['4["d"]'], 1]);
  });

  test('sends text as a JSON string, JSON as it is, bytes as bytes, and never two kinds in one frame', () => {
    const r = new SessionRig();
    r.write(messageOf('{"a":1}'), messageOf({ a: 1 }), messageOf(Uint8Array.of(7)), messageOf('é'));
    expect(r.frames).toEqual([
      { t: 'batch', s: 1, d: ['{"a":1}', { a: 1 }] },
      { t: 'bytes', s: 3, a: 0, b: [{ d: Uint8Array.of(7), meta: {} }] },
      { t: 'batch', s: 4, d: ['é'] },
    ]);
  });

  test('names the channel of a message, beside what else it carries', () => {
    const r = new SessionRig();
    const messages = [messageOf('a', { type: 'n' }), messageOf({ b: 1 }), messageOf('own')];
    for (const message of messages.slice(0, 2)) message.channel = 'c1';
    r.write(...messages);
    expect(r.frames).toEqual([
      { t: 'm', s: 1, b: [{ d: 'a', n: 'n', c: 'c1' }, { d: { b: 1 }, c: 'c1' }, { d: 'own' }] },
    ]);
  });

  test('leaves in one write, frame by frame, as large as the server takes them', () => {
    const r = new SessionRig({ limits: { ...LIMITS, frame: 400 } });
    r.write(...Array.from({ length: 4 }, () => 'x'.repeat(120)));
    expect([r.frames.map((frame) => 's' in frame && frame.s), r.line.writes]).toEqual([[1, 3], [2]]);
    for (const sent of r.line.sent) expect(sent.length).toBeLessThanOrEqual(400);
  });

  test('gives no position to what no frame of the server could hold: those behind would wait for it', () => {
    const r = new SessionRig({ limits: { ...LIMITS, frame: 200 } });
    r.write('a', 'x'.repeat(300), 'b');
    expect([r.reported, r.line.sent]).toEqual([[['MESSAGE_TOO_BIG', 'x'.repeat(300)]], ['1["a","b"]']]);
  });

  test('says how much it took: an empty message counts too', () => {
    expect(new SessionRig().write('abc', '')).toBe(4);
  });

  test('takes nothing on a socket that is closing, and does not mind one that throws: what it has is kept', () => {
    const r = new SessionRig();
    r.line.isOpen = false;
    expect([r.write('a'), r.session.outgoing.size]).toEqual([0, 0]);
    r.moveTo();
    r.line.onSend = () => {
      throw new Error('closing');
    };
    r.write('b');
    expect(r.session.outgoing.unacknowledged()).toMatchObject([{ data: 'b', fate: 'handed' }]);
  });
});

describe('an acknowledgement', () => {
  test('goes 50 ms after the first, or at once for 256 (trap 10)', () => {
    const r = new SessionRig();
    r.accepts(1);
    r.clock.advance(49);
    expect(r.line.sent).toEqual([]);
    r.clock.advance(1);
    expect(framesOf(r.line, 'ack')).toEqual([{ t: 'ack', a: 1 }]);
    r.accepts(256);
    expect([framesOf(r.line, 'ack').at(-1), r.clock.pending()]).toEqual([{ t: 'ack', a: 257 }, 0]);
  });

  test('goes for a quarter of a small window, and for each message of the smallest', () => {
    const quarter = new SessionRig({ own: { ...LIMITS, win: { m: 12, b: 1 } } });
    quarter.accepts(2);
    expect(quarter.line.sent).toEqual([]);
    quarter.accepts(1);
    expect(quarter.line.sent).toHaveLength(1);
    const smallest = new SessionRig({ own: { ...LIMITS, win: { m: 1, b: 1 } } });
    smallest.accepts(1);
    expect(smallest.line.sent).toHaveLength(1);
  });

  test('travels with a batch, once, and its timer is no more', () => {
    const r = new SessionRig();
    r.accepts(2);
    r.write('a');
    r.write('b');
    expect([r.line.sent, r.clock.pending()]).toEqual([['1,2["a"]', '2["b"]'], 0]);
  });

  test('is taken by whoever sends a frame, once', () => {
    const r = new SessionRig();
    r.accepts(3);
    expect([r.wire.takeAck(), r.wire.takeAck(), r.clock.pending()]).toEqual([3, 0, 0]);
  });

  test('on a new socket is due only for what came since: the hello has told the rest', () => {
    const r = new SessionRig();
    r.accepts(3);
    r.wire.lost({ wasRead: false });
    r.moveTo();
    expect([r.wire.takeAck(), r.clock.pending()]).toEqual([0, 0]);
    r.accepts(1);
    expect(r.wire.takeAck()).toBe(4);
  });

  test('sets no timer on a socket that was lost in the middle of a message', () => {
    const r = new SessionRig();
    r.wire.lost({ wasRead: false });
    r.accepts(1);
    expect(r.clock.pending()).toBe(0);
  });

  test('is not told on a socket that is held while a newer one is told of the session, and is told after', () => {
    const r = new SessionRig();
    r.wire.hold(true);
    r.accepts(300);
    r.clock.advance(1_000);
    expect([r.wire.takeAck(), r.wire.hasRoom, r.line.sent]).toEqual([0, false, []]);
    r.wire.hold(false);
    expect([framesOf(r.line, 'ack'), r.wire.hasRoom]).toEqual([[{ t: 'ack', a: 300 }], true]);
  });
});

describe('the window of this side', () => {
  test('is made room in as soon as a quarter of its bytes has come', () => {
    const r = new SessionRig({ own: { ...LIMITS, win: { m: 100, b: 1_000 } } });
    r.accepts(1, 100);
    expect(framesOf(r.line, 'ack')).toEqual([]);
    r.accepts(1, 200);
    expect(framesOf(r.line, 'ack')).toEqual([{ t: 'ack', a: 2 }]);
  });
});

describe('the window of the server', () => {
  test('bounds what is not acknowledged, by messages and by bytes', () => {
    const few = new SessionRig(windowOf(2));
    few.write('a', 'b', 'c');
    expect([few.line.sent, few.wire.hasRoom]).toEqual([['1["a","b"]'], false]);
    const small = new SessionRig(windowOf(100, 6));
    small.write('abc', 'def', 'g');
    expect(small.line.sent).toEqual(['1["abc","def"]']);
    small.session.outgoing.acknowledge(1);
    expect(small.wire.hasRoom).toBe(true);
  });

  test('counts what stands in the frame: what JSON makes of a text, and what travels with a message', () => {
    const escaped = new SessionRig(windowOf(100, 20));
    escaped.write('\0\0\0', 'next');
    expect(escaped.line.sent).toHaveLength(1);
    expect(escaped.session.outgoing.bytes).toBe(20);
    const keyed = new SessionRig(windowOf(100, 20));
    keyed.write(messageOf(1, { idempotencyKey: 'a-key-of-its-own' }), messageOf(2));
    expect(framesOf(keyed.line, 'm')).toHaveLength(1);
    expect(keyed.session.outgoing.bytes).toBe('1{"k":"a-key-of-its-own"}'.length);
  });

  test('lets a message that is larger than itself go alone', () => {
    const r = new SessionRig(windowOf(100, 2));
    r.write('abcdef', 'g');
    expect(r.line.sent).toEqual(['1["abcdef"]']);
  });

  test('of nothing takes none', () => {
    const r = new SessionRig();
    r.wire.resize({ m: 0, b: 0 });
    expect([r.write('a'), r.wire.hasRoom]).toEqual([0, false]);
  });

  test('gives relief when half of it is free again, and not before, once (pain 52)', () => {
    const r = new SessionRig(windowOf(4));
    r.write('1', '2', '3', '4');
    const told: string[] = [];
    r.wire.onceRelieved(0, () => told.push('relieved'));
    r.wire.look();
    for (const acknowledged of [1, 2, 3]) {
      r.session.outgoing.acknowledge(acknowledged);
      r.wire.look();
      expect(told).toEqual(acknowledged < 2 ? [] : ['relieved']);
    }
  });

  test('gives relief when it grows', () => {
    const r = new SessionRig(windowOf(2));
    r.write('1', '2');
    const told: string[] = [];
    r.wire.onceRelieved(0, () => told.push('relieved'));
    r.wire.look();
    r.wire.resize({ m: 3, b: 1_000 });
    expect(told).toEqual([]);
    r.wire.resize({ m: 4, b: 1_000 });
    expect(told).toEqual(['relieved']);
  });

  test('gives none while the buffer of the socket is full, and then when that has emptied', () => {
    const r = new SessionRig(windowOf(2));
    r.line.holds = true;
    r.write('1', '2');
    const told: string[] = [];
    r.wire.onceRelieved(0, () => told.push('relieved'));
    r.session.outgoing.acknowledge(2);
    r.wire.look();
    expect(told).toEqual([]);
    r.line.drains();
    r.clock.advance(100);
    expect([told, r.clock.pending()]).toEqual([['relieved'], 0]);
  });

  test('gives none to who took that back', () => {
    const r = new SessionRig(windowOf(1));
    r.write('1');
    const told: string[] = [];
    r.wire.onceRelieved(0, () => told.push('relieved'))();
    r.session.outgoing.acknowledge(1);
    r.wire.look();
    expect(told).toEqual([]);
  });
});

describe('a volatile message', () => {
  test('has no position and is not kept; it is told as sent when it has left the socket', () => {
    const r = new SessionRig();
    r.line.holds = true;
    r.wire.writeVolatile(messageOf('a', { volatile: true }));
    r.wire.look();
    expect([r.frames, r.session.outgoing.size, r.wire.size, r.reported]).toEqual([
      [{ t: 'v', b: [{ d: 'a' }] }],
      0,
      1,
      [],
    ]);
    r.line.drains();
    r.clock.advance(100);
    expect([r.reported, r.wire.size]).toEqual([[['sent', 'a']], 0]);
  });

  test.each([
    [false, ['a'], []],
    [true, [], [['sent', 'a']]],
  ])('in a socket that ends, with everything read: %j, is given back or told as sent', (wasRead, back, reported) => {
    const r = new SessionRig();
    r.line.holds = true;
    r.wire.writeVolatile(messageOf('a', { volatile: true }));
    r.write('kept');
    expect(r.wire.lost({ wasRead }).map(({ data }) => data)).toEqual(back);
    expect([r.reported, r.session.outgoing.size]).toEqual([reported, 1]);
  });

  test('is refused where the server takes nothing, and where it is too big for it', () => {
    const r = new SessionRig({ limits: { ...LIMITS, frame: 200 } });
    r.wire.writeVolatile(messageOf('x'.repeat(300), { volatile: true }));
    r.wire.resize({ m: 0, b: 0 });
    r.wire.writeVolatile(messageOf('a', { volatile: true }));
    expect([r.reported.map(([what]) => what), r.line.sent]).toEqual([['MESSAGE_TOO_BIG', 'VOLATILE_DROPPED'], []]);
  });

  test('of a channel goes back to the channel when its socket is lost', () => {
    const r = new SessionRig();
    r.line.holds = true;
    const message = messageOf('a', { volatile: true });
    message.channel = 'c1';
    r.wire.writeVolatile(message);
    expect([r.wire.lost({ wasRead: false }), r.reported]).toEqual([[], [['orphaned', 'a']]]);
  });
});

describe('compression', () => {
  const long = 'compressible '.repeat(200);

  test('is off unless it was agreed on, and then for long frames that get smaller (pain 53)', () => {
    const off = new SessionRig();
    off.write(long);
    expect(off.line.sent[0]).toBe(`1[${JSON.stringify(long)}]`);
    const on = new SessionRig({ compression: makeCompression({ hasWindow: false }) });
    on.write(long);
    on.write('short');
    on.wire.writeVolatile(messageOf(long, { volatile: true }));
    expect(on.line.sent.map((sent) => typeof sent)).toEqual(['object', 'string', 'object']);
    expect(on.line.sent[0]?.length).toBeLessThan(200);
    expect(on.frames).toMatchObject([{ t: 'batch', s: 1, d: [long] }, { d: ['short'] }, { t: 'v', b: [{ d: long }] }]);
  });

  test('puts nothing into a window any more once its socket has refused a frame', () => {
    const r = new SessionRig({ compression: makeCompression({ hasWindow: true }) });
    const keystrokes = [1, 2, 3].map((n) => `keystroke ${n} of a terminal that is used`);
    r.write(keystrokes[0] ?? '');
    r.line.onSend = () => {
      throw new Error('too much');
    };
    r.write(keystrokes[1] ?? '');
    r.line.onSend = () => undefined;
    r.write(keystrokes[2] ?? '');
    // the server sees the gap, and reads what follows all the same
    const reader = makeCompression({ hasWindow: true });
    const [first, third] = r.line.sent;
    expect(fromUtf8(reader.inflate(first as Uint8Array<ArrayBuffer>, 1_000))).toBe(`1["${keystrokes[0]}"]`);
    expect(third).toBe(`3["${keystrokes[2]}"]`);
  });

  test('has volatile messages count as sent by what they are in the buffer, which is less than they say', () => {
    const r = new SessionRig({ compression: makeCompression({ hasWindow: true }) });
    r.line.holds = true;
    const texts = [1, 2, 3].map((n) => `${n} ${'compressible '.repeat(20)}`);
    for (const text of texts) r.wire.writeVolatile(messageOf(text, { volatile: true }));
    r.wire.look();
    const sizes = r.line.sent.map(({ length }) => length);
    expect([r.line.bufferedBytes < 260, r.reported]).toEqual([true, []]);
    r.line.drains(sizes[0]);
    r.wire.look();
    expect(r.reported).toMatchObject([['sent', texts[0]]]);
    r.line.drains();
    r.wire.look();
    expect(r.reported).toHaveLength(3);
  });

  test('has a volatile message that the socket refuses told as not sent', () => {
    const r = new SessionRig();
    r.line.onSend = () => {
      throw new Error('too much');
    };
    r.wire.writeVolatile(messageOf('a', { volatile: true }));
    expect([r.reported, r.wire.size]).toEqual([[['SEND_FAILED', 'a']], 0]);
  });

  test('is of no use for what the server could not inflate', () => {
    const r = new SessionRig({
      limits: { ...LIMITS, inflated: 1_500 },
      compression: makeCompression({ hasWindow: false }),
    });
    r.write(long, 'again '.repeat(200));
    expect(r.line.sent.map((sent) => typeof sent)).toEqual(['string']);
    const small = new SessionRig({
      limits: { ...LIMITS, inflated: 1_500 },
      compression: makeCompression({ hasWindow: false }),
    });
    small.write('again '.repeat(200));
    expect(typeof small.line.sent[0]).toBe('object');
  });

  test('never touches what may hold a secret', () => {
    const r = new SessionRig({ compression: makeCompression({ hasWindow: false }) });
    r.wire.control({ t: 'auth', tok: 'x'.repeat(5_000) });
    expect(typeof r.line.sent[0]).toBe('string');
  });
});
