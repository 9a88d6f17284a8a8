import { describe, expect, test, vi } from 'vitest';

import type { FrameData, Transport, TransportEnd } from '../../src/transport/transport.ts';
import { openWebSocket } from '../../src/transport/websocket.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { browserSockets, FakeNodeSocket, FakeSocket, FakeSockets, nodeSockets } from '../support/fake-socket.ts';

interface Dialled<Socket extends FakeSocket> {
  transport: Transport;
  socket: Socket;
  clock: SimulatedClock;
  /** What the transport reported, in order. */
  told: string[];
  received: FrameData[];
  ends: TransportEnd[];
}

function dial<Socket extends FakeSocket>(
  sockets: FakeSockets<Socket>,
  protocols: readonly string[] = [],
): Dialled<Socket> {
  const clock = new SimulatedClock();
  const told: string[] = [];
  const received: FrameData[] = [];
  const ends: TransportEnd[] = [];
  const listener = {
    opened: () => told.push('opened'),
    received: (data: FrameData) => {
      told.push('received');
      received.push(data);
    },
    heard: () => told.push('heard'),
    ended: (end: TransportEnd) => {
      told.push('ended');
      ends.push(end);
    },
  };
  const transport = openWebSocket({ url: 'wss://host/', protocols }, listener, { WebSocket: sockets.WebSocket, clock });
  return { transport, socket: sockets.last, clock, told, received, ends };
}

const KINDS = [
  { kind: 'a browser', make: browserSockets, binaryType: 'arraybuffer' },
  { kind: 'ws', make: nodeSockets as () => FakeSockets, binaryType: 'nodebuffer' },
];

describe.each(KINDS)('a socket of $kind', ({ make, binaryType: asked }) => {
  test('has the form of bytes that can be read, every one of them (pain 55)', () => {
    const sockets = make();
    dial(sockets);
    dial(sockets);
    expect(sockets.all.map(({ binaryType }) => binaryType)).toEqual([asked, asked]);
  });

  test('that has ended has no listener, also when it is let go of after that', () => {
    const { transport, socket } = dial(make());
    socket.opens();
    socket.ends(1000);
    transport.dispose();
    expect(socket.listenersLeft).toBe(0);
  });

  test('is offered the subprotocols, or no argument where there are none', () => {
    const sockets = make();
    dial(sockets, ['v2', 'v1']);
    dial(sockets);
    expect(sockets.all.map(({ protocols }) => protocols)).toEqual([['v2', 'v1'], undefined]);
  });

  test('reports opening, messages and its end, in order', () => {
    const { socket, told, received, ends } = dial(make());
    socket.opens();
    socket.says('text');
    socket.ends(4000, 'bye', true);
    expect([told, received]).toEqual([['opened', 'received', 'ended'], ['text']]);
    expect(ends).toEqual([{ code: 4000, reason: 'bye', wasClean: true, initiator: 'peer', detail: null }]);
    expect(socket.listenersLeft).toBe(0);
  });

  test('that reports an error and then a close has one end, with both (pain 23)', () => {
    const { socket, clock, told, ends } = dial(make());
    socket.errs('connect ECONNREFUSED');
    socket.errs();
    socket.ends(1006);
    clock.advance(60_000);
    expect([told, clock.pending()]).toEqual([['ended'], 0]);
    expect(ends).toMatchObject([{ code: 1006, wasClean: false, initiator: 'network', detail: 'connect ECONNREFUSED' }]);
  });

  test('that reports an error and never a close ends after a second, and what follows is nothing', () => {
    const { socket, clock, told, ends } = dial(make());
    socket.opens();
    socket.errs('frozen');
    clock.advance(999);
    expect(told).toEqual(['opened']);
    clock.advance(1);
    socket.says('late');
    socket.ends(1000);
    expect([told, socket.isLive]).toEqual([['opened', 'ended'], false]);
    expect(ends).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'network', detail: 'frozen' }]);
  });

  test('is judged by who began to close', () => {
    const { transport, socket, ends } = dial(make());
    socket.opens();
    transport.close(1000, 'bye');
    socket.ends(1000, 'bye');
    expect([socket.closeCalls, ends[0]?.initiator]).toEqual([[{ code: 1000, reason: 'bye' }], 'local']);
  });

  test('gets a close reason it can carry: cut at a character, within 123 bytes (pain 51)', () => {
    const { transport, socket } = dial(make());
    socket.opens();
    transport.close(3000, `${'x'.repeat(122)}é`);
    expect(socket.closeCalls).toEqual([{ code: 3000, reason: 'x'.repeat(122) }]);
  });

  test.each([1001, 1005, 1006, 2999, 5000, Number.NaN])(
    'is closed without a code when %d cannot be sent (pain 51)',
    (code) => {
      const { transport, socket } = dial(make());
      socket.opens();
      transport.close(code, 'why');
      expect(socket.closeCalls).toEqual([{ code: undefined, reason: undefined }]);
    },
  );

  test('disposed of, says nothing more, and a late opening is closed at once (pain 22)', () => {
    const { transport, socket, told } = dial(make());
    transport.dispose();
    expect(socket.isLive).toBe(false);
    socket.opens();
    socket.says('late');
    expect([socket.isLive, told]).toEqual([false, []]);
    socket.ends(1006);
    expect([socket.listenersLeft, told]).toEqual([0, []]);
  });

  test('disposed of while connecting, has its error event caught until it is gone (pain 44)', () => {
    const { transport, socket, clock, told } = dial(make());
    transport.dispose();
    // `ws` throws an error event that nobody listens to
    expect(socket.onerror).not.toBeNull();
    socket.errs('WebSocket was closed before the connection was established');
    expect([told, clock.pending()]).toEqual([[], 0]);
    socket.ends(1006);
    expect(socket.listenersLeft).toBe(0);
  });

  test('disposed of after an error, leaves no timer', () => {
    const { transport, socket, clock, told } = dial(make());
    socket.errs();
    transport.dispose();
    expect(clock.pending()).toBe(0);
    socket.ends(1006);
    expect(told).toEqual([]);
  });

  test('can be disposed of twice, and after its end', () => {
    const { transport, socket, told } = dial(make());
    socket.opens();
    socket.ends(1000);
    transport.dispose();
    transport.dispose();
    expect(told).toEqual(['opened', 'ended']);
  });

  test('that cannot even be closed is let go of all the same', () => {
    const { transport, socket, told } = dial(make());
    const refuse = (): never => {
      throw new Error('frozen');
    };
    Object.assign(socket, { close: refuse, terminate: refuse });
    expect(() => transport.dispose()).not.toThrow();
    socket.says('late');
    expect(told).toEqual([]);
  });

  test.each<[string, (transport: Transport) => unknown, unknown]>([
    ['readyState', (transport) => transport.isOpen, false],
    ['bufferedAmount', (transport) => transport.bufferedBytes, Infinity],
    ['extensions', (transport) => transport.isCompressing, true],
    ['protocol', (transport) => transport.protocol, undefined],
  ])(
    'whose %s cannot be read takes nothing, has given nothing, and ends once the turn is over',
    async (name, ask, told) => {
      const d = dial(make());
      d.socket.opens();
      const unreadable = {
        get: () => {
          throw new Error('frozen');
        },
      };
      Object.defineProperty(d.socket, name, { ...unreadable, configurable: true });
      expect([ask(d.transport), ask(d.transport), d.ends]).toEqual([told, told, []]);
      await Promise.resolve();
      expect(d.ends).toEqual([
        {
          code: 1006,
          reason: '',
          wasClean: false,
          initiator: 'network',
          detail: `the ${name} of the WebSocket cannot be read`,
        },
      ]);
      expect(ask(d.transport)).toBe(told);
      await Promise.resolve();
      expect([d.told, d.clock.pending()]).toEqual([['opened', 'ended'], 0]);
    },
  );

  test('that cannot be read any more when it is disposed of says nothing', async () => {
    const { transport, socket, told } = dial(make());
    Object.defineProperty(socket, 'bufferedAmount', {
      get: () => {
        throw new Error('frozen');
      },
    });
    expect(transport.bufferedBytes).toBe(Infinity);
    transport.dispose();
    await Promise.resolve();
    expect([told, transport.bufferedBytes]).toEqual([[], Infinity]);
    await Promise.resolve();
    expect(told).toEqual([]);
  });

  test('lets what its send throws through, for the caller to tell', () => {
    const { transport, socket } = dial(make());
    expect(() => transport.send('early')).toThrow(DOMException);
    socket.opens();
    transport.send('text');
    expect(socket.sent).toEqual(['text']);
  });
});

describe('a protocol ping', () => {
  test('is sent where the socket can, and is null where it cannot', () => {
    const node = dial(nodeSockets());
    node.transport.ping?.('7');
    expect([node.socket.marks, dial(browserSockets()).transport.ping]).toEqual([['7'], null]);
  });

  test('from the peer, and a pong, are signs of life, until the socket is let go of', () => {
    const { transport, socket, told } = dial(nodeSockets());
    socket.opens();
    socket.controls('ping');
    socket.controls('pong');
    expect(told).toEqual(['opened', 'heard', 'heard']);
    transport.dispose();
    socket.controls('pong');
    expect(told).toHaveLength(3);
  });
});

describe('a socket of ws', () => {
  test('is terminated when disposed of, not asked to close (pain 5)', () => {
    const { transport, socket } = dial(nodeSockets());
    socket.opens();
    transport.dispose();
    expect([socket.terminations, socket.closeCalls]).toEqual([1, []]);
  });
});

/** Of an application: it listens as `ws` does, and hands on what form of bytes it is asked for. */
class OwnSocket extends FakeNodeSocket {
  override binaryType = 'blob';
}

/** It begins as `ws` does and does not listen so: what it does with memory is not known. */
class BunSocket extends FakeSocket {
  override binaryType = 'nodebuffer';
}

describe('bytes that a socket hands out', () => {
  test.each([
    ['a browser', browserSockets],
    ['an application that listens as `ws` does', () => new FakeSockets(OwnSocket)],
    ['Bun', () => new FakeSockets(BunSocket)],
  ])('are ArrayBuffers with %s, of their own where it ignores that', (_, make) => {
    const { socket, received } = dial<FakeSocket>(make());
    const { buffer } = Uint8Array.of(1, 2);
    expect(socket.binaryType).toBe('arraybuffer');
    socket.opens();
    const read = Uint8Array.of(9, 1, 2, 9);
    const views = [read.subarray(1, 3), Buffer.from([1, 2]), new DataView(read.buffer, 1, 2)];
    for (const data of ['null', buffer, ...views]) socket.says(data);
    read.fill(0);
    expect(received.slice(0, 2)).toEqual(['null', buffer]);
    expect(received[1]).toBe(buffer);
    expect(received.slice(2)).toEqual([buffer, buffer, buffer]);
  });

  test('are where they lie with `ws`, in a form that is nothing but bytes', () => {
    const { socket, received } = dial(nodeSockets());
    socket.opens();
    const read = Uint8Array.of(9, 1, 2, 9);
    for (const data of [read.subarray(1, 3), Buffer.from([1, 2]), new DataView(read.buffer, 1, 2)]) socket.says(data);
    // not even a subclass: Node's Buffer has a slice of its own
    expect(received.map((data) => data.constructor)).toEqual([Uint8Array, Uint8Array, Uint8Array]);
    expect(received).toEqual(Array(3).fill(Uint8Array.of(1, 2)));
    read[1] = 7;
    expect([received[0], received[2]]).toEqual(Array(2).fill(Uint8Array.of(7, 2)));
    socket.says('null');
    expect(received.at(-1)).toBe('null');
  });
});

describe('a constructor that throws', () => {
  test('makes no transport, and leaves no timer (pain 45)', () => {
    const sockets = browserSockets();
    sockets.constructorError = new SyntaxError('no');
    expect(() => dial(sockets)).toThrow(sockets.constructorError);
  });

  test('that cannot be set up is not left open (pain 24)', () => {
    const sockets = browserSockets();
    class Broken extends sockets.WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        Object.defineProperty(this, 'binaryType', {
          set: () => {
            throw new Error('no bytes here');
          },
        });
      }
    }
    const nobody = { opened: vi.fn(), received: vi.fn(), heard: vi.fn(), ended: vi.fn() };
    const clock = new SimulatedClock();
    expect(() => openWebSocket({ url: 'wss://host/', protocols: [] }, nobody, { WebSocket: Broken, clock })).toThrow(
      'no bytes here',
    );
    expect(sockets.last.isLive).toBe(false);
  });
});
