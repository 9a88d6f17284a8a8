import { describe, expect, test } from 'vitest';

import { Line } from './support/outbox.ts';
import { LIMITS } from './support/server-script.ts';
import { messageOf, SessionRig } from './support/session.ts';

const windowOf = (m: number, b = 1_000_000) => ({ limits: { ...LIMITS, win: { m, b } } });

describe('a replay', () => {
  test('sends again, in order and in its place, what went by other sockets and is not acknowledged (trap 6)', () => {
    const r = new SessionRig();
    r.write('a', 'b');
    r.write(messageOf(Uint8Array.of(1)), messageOf('c', { idempotencyKey: 'k' }));
    r.session.outgoing.acknowledge(1);
    for (let time = 0; time < 2; time++) {
      r.moveTo().replay();
      expect(r.frames).toMatchObject([
        { t: 'batch', s: 2, d: ['b'] },
        { t: 'bytes', s: 3 },
        { t: 'm', s: 4, b: [{ d: 'c', k: 'k' }] },
      ]);
    }
  });

  test('sends nothing where all is acknowledged, nor what went by this socket', () => {
    const r = new SessionRig();
    r.wire.replay();
    r.write('a');
    r.wire.replay();
    r.session.outgoing.acknowledge(1);
    r.wire.replay();
    expect(r.line.sent).toEqual(['1["a"]']);
    r.write('b');
    r.moveTo().replay();
    r.write('c');
    r.wire.replay();
    expect(r.line.sent).toEqual(['2["b"]', '3["c"]']);
  });

  test('goes as far as the window of its own socket allows, and on as the server acknowledges', () => {
    const r = new SessionRig();
    r.write('a', 'b', 'c', 'd', 'e');
    r.session.outgoing.acknowledge(1);
    r.moveTo(new Line(), windowOf(2)).replay();
    expect(r.line.sent).toEqual(['2["b","c"]']);
    r.session.outgoing.acknowledge(2);
    r.wire.look();
    r.session.outgoing.acknowledge(5);
    r.wire.look();
    expect(r.line.sent).toEqual(['2["b","c"]', '4["d"]']);
  });

  test('goes by bytes as well, and lets a message larger than the window travel alone', () => {
    const r = new SessionRig();
    r.write('abc', 'def', 'ghijklmnop', 'q');
    r.moveTo(new Line(), windowOf(100, 10)).replay();
    for (const acknowledged of [2, 3]) {
      r.session.outgoing.acknowledge(acknowledged);
      r.wire.look();
    }
    expect(r.line.sent).toEqual(['1["abc","def"]', '3["ghijklmnop"]', '4["q"]']);
  });

  test('waits for a window that is nothing, and goes on as it grows', () => {
    const r = new SessionRig();
    r.write('a', 'b', 'c');
    r.moveTo(new Line(), windowOf(0)).replay();
    expect(r.line.sent).toEqual([]);
    for (const m of [1, 3]) r.wire.resize({ m, b: 1_000 });
    expect(r.line.sent).toEqual(['1["a"]', '2["b","c"]']);
  });

  test('is through before anything new leaves', () => {
    const r = new SessionRig();
    r.write('a', 'b', 'c');
    r.moveTo(new Line(), windowOf(2)).replay();
    r.session.outgoing.acknowledge(2);
    expect([r.wire.hasRoom, r.write('new')]).toEqual([false, 0]);
    r.wire.look();
    expect([r.wire.hasRoom, r.write('new')]).toEqual([true, 3]);
    expect(r.line.sent).toEqual(['1["a","b"]', '3["c"]', '4["new"]']);
  });

  test('stops at what the server holds back, for nothing may pass it, and goes on when it is let go', () => {
    const held = new Set(['c']);
    const r = new SessionRig({}, ({ data }) => held.has(String(data)));
    r.write('a', 'b', 'c', 'd');
    r.moveTo().replay();
    r.wire.look();
    expect([r.line.sent, r.write('new')]).toEqual([['1["a","b"]'], 0]);
    held.clear();
    r.wire.replay();
    r.write('new');
    expect(r.line.sent).toEqual(['1["a","b"]', '3["c","d"]', '5["new"]']);
  });

  test('gives no relief while it stops at what is held back: there is no room until it is through', () => {
    const held = new Set(['b']);
    const r = new SessionRig({}, ({ data }) => held.has(String(data)));
    r.write('a', 'b');
    r.moveTo().replay();
    let reliefs = 0;
    r.wire.onceRelieved(0, () => (reliefs += 1));
    r.session.outgoing.acknowledge(1);
    r.wire.look();
    expect([r.wire.hasRoom, reliefs]).toEqual([false, 0]);
    held.clear();
    r.wire.look();
    expect([r.wire.hasRoom, reliefs]).toEqual([true, 1]);
  });

  test('stops where its socket is held for a newer one, and goes on when that does not come', () => {
    const r = new SessionRig();
    r.write('a', 'b', 'c');
    r.moveTo(new Line(), windowOf(1)).replay();
    r.wire.hold(true);
    r.session.outgoing.acknowledge(1);
    r.wire.look();
    r.wire.resize({ m: 9, b: 1_000 });
    expect(r.line.sent).toEqual(['1["a"]']);
    r.wire.hold(false);
    expect(r.line.sent).toEqual(['1["a"]', '2["b","c"]']);
  });
});
