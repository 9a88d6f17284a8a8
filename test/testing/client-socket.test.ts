import { describe, expect, test } from 'vitest';

import { ClientSocket, type ClientEnd } from '../../src/testing/client-socket.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import type { Parcel } from '../../src/testing/parcel.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** The end of a connection that the test holds. */
class Held implements ClientEnd {
  bufferedBytes = 0;
  readonly sent: Parcel[] = [];
  isDropped = false;
  /** What is to be done once the device goes on; `null` while it does. */
  waiting: (() => void)[] | null = null;

  send(parcel: Parcel): void {
    this.sent.push(parcel);
  }

  tell(deed: () => void): void {
    if (this.waiting) this.waiting.push(deed);
    else deed();
  }

  drop(): void {
    this.isDropped = true;
  }
}

/** A socket on a line, and the events that it fires with the state it is in. */
function dialled() {
  const clock = new SimulatedClock();
  const line = new Held();
  const socket = new ClientSocket(clock, { url: 'ws://simulated/', protocols: ['one', 'two'] });
  socket.line = line;
  const events: [type: string, state: number, event: object][] = [];
  for (const type of ['open', 'message', 'error', 'close'] as const)
    socket[`on${type}`] = (event: object) => events.push([type, socket.readyState, event]);
  return { clock, line, socket, events };
}

function opened() {
  const rig = dialled();
  rig.socket.reached({ kind: 'opened', protocol: 'two' });
  rig.events.length = 0;
  return rig;
}

const LOST = { code: 1006, reason: '', wasClean: false };

describe('a simulated socket', () => {
  test('is connecting until it is answered, and then open with the protocol of the answer', () => {
    const { socket, events } = dialled();
    expect([socket.readyState, socket.protocol, socket.hasOpened]).toEqual([CONNECTING, '', false]);
    expect([socket.url, socket.protocols]).toEqual(['ws://simulated/', ['one', 'two']]);
    socket.reached({ kind: 'opened', protocol: 'two' });
    expect([socket.readyState, socket.protocol, socket.hasOpened]).toEqual([OPEN, 'two', true]);
    expect(events).toEqual([['open', OPEN, {}]]);
  });

  test('throws when something is sent before it is open', () => {
    const { line, socket } = dialled();
    expect(() => {
      socket.send('too soon');
    }).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
    expect(line.sent).toEqual([]);
  });

  test('sends while it is open, and then without a word no more', () => {
    const { line, socket } = opened();
    socket.send('text');
    socket.send(new Uint8Array([1]));
    socket.close();
    socket.send('closing');
    socket.lose();
    socket.send('closed');
    expect(line.sent.filter(({ kind }) => kind === 'data')).toEqual([
      { kind: 'data', data: 'text' },
      { kind: 'data', data: new Uint8Array([1]) },
    ]);
  });

  test('hands over text as it is, and bytes as a buffer of their own', () => {
    const { socket } = opened();
    const got: unknown[] = [];
    socket.onmessage = ({ data }: { data: unknown }) => got.push(data);
    const bytes = new Uint8Array([9, 1, 2]).subarray(1);
    socket.reached({ kind: 'data', data: 'text' });
    socket.reached({ kind: 'data', data: bytes });
    const [text, buffer] = got;
    expect([text, buffer instanceof ArrayBuffer]).toEqual(['text', true]);
    expect([...new Uint8Array(buffer as ArrayBuffer)]).toEqual([1, 2]);
  });

  test('shows how many bytes wait to leave', () => {
    const { line, socket } = opened();
    line.bufferedBytes = 42;
    expect(socket.bufferedAmount).toBe(42);
    socket.line = null;
    expect(socket.bufferedAmount).toBe(0);
  });

  test('counts the handlers that are attached, and does without them', () => {
    const { socket } = dialled();
    expect(socket.listenersLeft).toBe(4);
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    expect(socket.listenersLeft).toBe(0);
    socket.reached({ kind: 'opened', protocol: '' });
    socket.lose();
    expect(socket.readyState).toBe(CLOSED);
  });
});

describe('the end of a simulated socket', () => {
  test('is clean when the server answers its close', () => {
    const { clock, line, socket, events } = opened();
    socket.close(4_000, 'enough');
    expect([socket.readyState, line.sent]).toEqual([CLOSING, [{ kind: 'close', code: 4_000, reason: 'enough' }]]);
    socket.close(4_001);
    socket.reached({ kind: 'close', code: 4_000, reason: 'enough' });
    expect(events).toEqual([['close', CLOSED, { code: 4_000, reason: 'enough', wasClean: true }]]);
    expect([line.sent.length, line.isDropped, clock.pending()]).toEqual([1, true, 0]);
  });

  test('is clean when the server closes, which it answers', () => {
    const { line, socket, events } = opened();
    const close = { kind: 'close', code: 1012, reason: 'restart' } as const;
    socket.reached(close);
    expect(line.sent).toEqual([close]);
    expect(events).toEqual([['close', CLOSED, { code: 1012, reason: 'restart', wasClean: true }]]);
  });

  test('comes after 3 s when nobody answers its close', () => {
    const { clock, socket, events } = opened();
    socket.close();
    clock.advance(2_999);
    expect(socket.readyState).toBe(CLOSING);
    clock.advance(1);
    expect(events).toEqual([
      ['error', CLOSED, {}],
      ['close', CLOSED, LOST],
    ]);
  });

  test('is noticed only once its device goes on', () => {
    const { clock, line, socket, events } = opened();
    socket.close();
    line.waiting = [];
    clock.advance(10_000);
    expect(events).toEqual([]);
    for (const deed of line.waiting) deed();
    expect(events.map(([type]) => type)).toEqual(['error', 'close']);
  });

  test('comes at once, and is a failure, when it is closed before it opened', () => {
    const { clock, line, socket, events } = dialled();
    socket.close();
    expect([socket.readyState, line.sent, events]).toEqual([CLOSING, [{ kind: 'reset' }], []]);
    socket.reached({ kind: 'opened', protocol: '' });
    clock.advance(0);
    expect(events).toEqual([
      ['error', CLOSED, {}],
      ['close', CLOSED, LOST],
    ]);
    expect(socket.hasOpened).toBe(false);
  });

  test('is a failure when the server resets it, or the connection is lost', () => {
    for (const end of ['reset', 'loss'] as const) {
      const { socket, events } = opened();
      if (end === 'reset') socket.reached({ kind: 'reset' });
      else socket.lose();
      expect(events).toEqual([
        ['error', CLOSED, {}],
        ['close', CLOSED, LOST],
      ]);
    }
  });

  test('is a failure without a code when somebody closes it before it opened', () => {
    const { line, socket, events } = dialled();
    socket.reached({ kind: 'close', code: 1013, reason: 'busy' });
    expect(line.sent).toEqual([]);
    expect(events).toEqual([
      ['error', CLOSED, {}],
      ['close', CLOSED, LOST],
    ]);
  });

  test('comes once, and nothing follows it', () => {
    const { clock, socket, events } = opened();
    socket.lose();
    events.length = 0;
    socket.lose();
    socket.close();
    socket.reached({ kind: 'data', data: 'late' });
    socket.reached({ kind: 'close', code: 1000, reason: '' });
    socket.reached({ kind: 'opened', protocol: '' });
    clock.advance(10_000);
    expect([events, socket.readyState, clock.pending()]).toEqual([[], CLOSED, 0]);
  });

  test('lets no message through once it has begun', () => {
    const { socket, events } = opened();
    socket.close();
    socket.reached({ kind: 'data', data: 'late' });
    expect(events).toEqual([]);
  });

  test.each([0, 999, 1001, 1006, 1011, 2_999, 5_000])('may not be asked for with the code %d', (code) => {
    const { socket, line } = opened();
    expect(() => {
      socket.close(code);
    }).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }));
    expect([socket.readyState, line.sent]).toEqual([OPEN, []]);
  });

  test('may not be asked for with a reason of more than 123 bytes', () => {
    const { socket } = opened();
    expect(() => {
      socket.close(1000, 'é'.repeat(62));
    }).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
    socket.close(1000, 'é'.repeat(61));
    expect(socket.readyState).toBe(CLOSING);
  });
});
