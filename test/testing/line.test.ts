import { describe, expect, test } from 'vitest';

import { NetworkRig } from '../support/simulated.ts';

const CUT = { arriving: 0, lateMs: 0, clientNoticesMs: null, serverNoticesMs: null };
const CLOSED = 3;

function connected() {
  const rig = new NetworkRig();
  return { rig, ...rig.connect() };
}

describe('a connection', () => {
  test('opens after the way there and back, at the path and the query that were asked for', () => {
    const { rig } = { rig: new NetworkRig() };
    rig.dial();
    rig.clock.advance(5);
    expect([rig.host.heard, rig.heard]).toEqual([['accepted'], []]);
    expect(rig.host.requests).toEqual([{ url: '/path?query', headers: { host: 'simulated' } }]);
    rig.clock.advance(5);
    expect(rig.heard).toEqual(['open']);
  });

  test.each([
    [['one', 'spoken'], 'spoken', 'spoken'],
    [['one'], 'spoken', ''],
    [[], 'spoken', ''],
    [['one'], '', ''],
  ])('of a client that offers %j to a host of "%s" speaks "%s"', (offered, protocol, spoken) => {
    const rig = new NetworkRig();
    rig.host.protocol = protocol;
    expect(rig.connect(offered).socket.protocol).toBe(spoken);
  });

  test('carries frames in order, both ways', () => {
    const { rig, socket, server } = connected();
    const texts = Array.from({ length: 50 }, (_, index) => `m${index}`);
    rig.network.pace = { least: 1, most: 20 };
    for (const text of texts) {
      socket.send(text);
      server.send(text);
      rig.clock.advance(1);
    }
    rig.clock.advance(20);
    expect(rig.host.heard).toEqual(texts);
    expect(rig.heard).toEqual(texts);
  });

  test('hands over bytes as a buffer of their own', () => {
    const { rig, socket, server } = connected();
    const got: ArrayBuffer[] = [];
    socket.onmessage = ({ data }: { data: ArrayBuffer }) => got.push(data);
    socket.send(new Uint8Array([0, 1, 2]).subarray(1));
    server.send(new Uint8Array([0, 3]).subarray(1));
    rig.clock.advance(5);
    const bytes = [...(rig.host.received as ArrayBuffer[]), ...got].map((each) => [...new Uint8Array(each)]);
    expect(bytes).toEqual([[1, 2], [3]]);
  });

  test('shows each end how much of it waits', () => {
    const { rig, socket, server } = connected();
    rig.network.pace = { least: 5, most: 5, bytesPerSecond: 100 };
    socket.send('up!');
    server.batch(() => {
      server.send('down');
    });
    expect([socket.bufferedAmount, server.bufferedBytes]).toEqual([3, 4]);
    rig.clock.advance(100);
    expect([socket.bufferedAmount, server.bufferedBytes]).toEqual([0, 0]);
  });

  test('is closed by the client with a close in each direction', () => {
    const { rig, socket, line } = connected();
    socket.send('before');
    socket.close(4_000, 'enough');
    rig.clock.advance(20);
    expect(rig.host.heard).toEqual(['before', 'closed 4000']);
    expect(rig.heard).toEqual(['close 4000']);
    expect([line.isLive, line.isHeard, rig.clock.pending()]).toEqual([false, false, 0]);
  });

  test('is closed by the server with a close in each direction, and hears nothing of it after that', () => {
    const { rig, server, line } = connected();
    server.send('before');
    server.close(1012, 'restart');
    server.send('after');
    server.close(1000, 'again');
    expect(line.isHeard).toBe(false);
    rig.clock.advance(20);
    expect(rig.heard).toEqual(['before', 'close 1012']);
    expect(rig.host.heard).toEqual(['closed 1012']);
    expect([line.isLive, rig.clock.pending()]).toEqual([false, 0]);
  });

  test('may be closed by both at once', () => {
    const { rig, socket, server } = connected();
    socket.close(4_000, '');
    server.close(1012, '');
    rig.clock.advance(20);
    expect([rig.heard, rig.host.heard]).toEqual([['close 1012'], ['closed 4000']]);
  });

  test('is terminated by the server at once, and the client finds it broken', () => {
    const { rig, server } = connected();
    server.terminate();
    server.terminate();
    rig.clock.advance(20);
    expect(rig.host.heard).toEqual(['closed 1006']);
    expect(rig.heard).toEqual(['error', 'close 1006']);
  });

  test('tells the server when its client has let go of it before it was open', () => {
    const rig = new NetworkRig();
    const socket = rig.dial();
    rig.clock.advance(5);
    socket.close();
    rig.clock.advance(20);
    expect(rig.host.heard).toEqual(['accepted', 'closed 1006']);
    expect(rig.heard).toEqual(['error', 'close 1006']);
  });

  test('lets an observer change what travels, and keep it to itself', () => {
    const seen: string[] = [];
    const rig = new NetworkRig({
      observer: {
        up: (_, data) => (data === 'secret' ? null : `up ${String(data)}`),
        down: (_, data) => (data === 'secret' ? null : `down ${String(data)}`),
        reaching: (_, data) => {
          seen.push(`reaching ${String(data)}`);
          return () => seen.push(`reached, ${rig.host.heard.length} heard`);
        },
        arriving: (_, data) => seen.push(`arriving ${String(data)}, ${rig.heard.length} heard`),
      },
    });
    const { socket, server } = rig.connect();
    for (const end of [socket, server]) for (const text of ['secret', 'a']) end.send(text);
    rig.clock.advance(5);
    expect(rig.host.heard).toEqual(['up a']);
    expect(rig.heard).toEqual(['down a']);
    expect(seen).toEqual(['reaching up a', 'reached, 1 heard', 'arriving down a, 0 heard']);
  });

  test('waits with what it has for a device that stands still', () => {
    const { rig, server } = connected();
    rig.device.sleep();
    server.send('a');
    server.close(1001, '');
    rig.clock.advance(1_000);
    expect(rig.heard).toEqual([]);
    rig.device.wake();
    expect(rig.heard).toEqual(['a', 'close 1001']);
  });
});

describe('a connection that lets nothing through', () => {
  test('goes on at the time, with everything in order', () => {
    const { rig, socket, server, line } = connected();
    line.stall(rig.clock.now() + 1_000);
    for (const end of [socket, server]) for (const text of ['a', 'b']) end.send(text);
    rig.clock.advance(999);
    expect([rig.heard, rig.host.heard, line.isDeaf]).toEqual([[], [], false]);
    rig.clock.advance(10);
    expect([rig.heard, rig.host.heard]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  test.each([
    ['up', ['from the server'], []],
    ['down', [], ['from the client']],
  ] as const)('in the direction %s lets the other one go on', (direction, client, server) => {
    const ends = connected();
    ends.line.silence([direction]);
    ends.socket.send('from the client');
    ends.server.send('from the server');
    ends.rig.clock.advance(100_000);
    expect([ends.rig.heard, ends.rig.host.heard]).toEqual([client, server]);
    expect(ends.line.isDeaf).toBe(direction === 'down');
  });

  test('stays silent whatever is said of stalls, tells nobody, and leaves no timer', () => {
    const { rig, socket, server, line } = connected();
    line.silence();
    socket.send('a');
    server.send('b');
    line.stall(rig.clock.now() + 10);
    line.stall(0);
    expect(rig.clock.pending()).toBe(0);
    rig.clock.advance(100_000);
    expect([rig.heard, rig.host.heard, line.isLive, line.isHeard]).toEqual([[], [], true, true]);
  });

  test('is given up by a client that closes it', () => {
    const { rig, socket, line } = connected();
    line.silence();
    socket.close();
    rig.clock.advance(3_000);
    expect([rig.heard, socket.readyState]).toEqual([['error', 'close 1006'], CLOSED]);
    expect(rig.host.heard).toEqual([]);
  });
});

describe('a connection that is cut', () => {
  test.each([
    ['by neither', null, null, [], []],
    ['by its client', 30, null, ['error', 'close 1006'], []],
    ['by its server', null, 40, [], ['closed 1006']],
    ['by both', 30, 40, ['error', 'close 1006'], ['closed 1006']],
  ])('is noticed %s, at its time', (_, clientNoticesMs, serverNoticesMs, client, server) => {
    const { rig, line } = connected();
    line.cut({ ...CUT, clientNoticesMs, serverNoticesMs });
    expect([line.isCut, line.isLive]).toEqual([true, false]);
    rig.clock.advance(29);
    expect(rig.heard).toEqual([]);
    rig.clock.advance(1);
    expect([rig.heard, rig.host.heard]).toEqual([client, []]);
    rig.clock.advance(100_000);
    expect([rig.heard, rig.host.heard]).toEqual([client, server]);
  });

  test('delivers the part of what is on its way, so much later, and nothing that is sent after', () => {
    const { rig, socket, server, line } = connected();
    for (const end of [socket, server]) for (const text of ['a', 'b']) end.send(text);
    line.cut({ ...CUT, arriving: 0.5, lateMs: 100 });
    for (const end of [socket, server]) end.send('too late');
    rig.clock.advance(104);
    expect([rig.heard, rig.host.heard]).toEqual([[], []]);
    rig.clock.advance(1_000);
    expect([rig.heard, rig.host.heard]).toEqual([['a'], ['a']]);
  });

  test('delivers nothing to an end that has noticed', () => {
    const { rig, socket, server, line } = connected();
    for (const end of [socket, server]) end.send('late');
    line.cut({ arriving: 1, lateMs: 100, clientNoticesMs: 1, serverNoticesMs: 1 });
    rig.clock.advance(1_000);
    expect([rig.heard, rig.host.heard]).toEqual([['error', 'close 1006'], ['closed 1006']]);
  });

  test('is noticed by a client that stands still once it goes on', () => {
    const { rig, line } = connected();
    rig.device.sleep();
    line.cut({ ...CUT, clientNoticesMs: 1 });
    rig.clock.advance(1_000);
    expect(rig.heard).toEqual([]);
    rig.device.wake();
    expect(rig.heard).toEqual(['error', 'close 1006']);
  });

  test('is cut once', () => {
    const { rig, line } = connected();
    line.cut(CUT);
    line.cut({ ...CUT, clientNoticesMs: 0, serverNoticesMs: 0 });
    rig.clock.advance(1_000);
    expect([rig.heard, rig.host.heard]).toEqual([[], []]);
  });
});

describe('a connection whose other end goes', () => {
  test('is dismissed by somebody between, with a code for both', () => {
    const { rig, socket, line } = connected();
    line.dismiss(1013, 'busy');
    expect([rig.host.heard, line.isHeard]).toEqual([['closed 1013'], false]);
    socket.send('unheard');
    rig.clock.advance(100);
    expect([rig.heard, rig.host.heard]).toEqual([['close 1013'], ['closed 1013']]);
    line.dismiss(1000, 'again');
    expect(rig.host.heard).toEqual(['closed 1013']);
  });

  test('is no close but a failure for a client that is not open yet', () => {
    const rig = new NetworkRig();
    rig.dial();
    rig.network.lines[0]?.dismiss(1013, 'busy');
    rig.clock.advance(100);
    expect([rig.heard, rig.host.heard]).toEqual([['error', 'close 1006'], []]);
  });

  test('is abandoned by a host that is gone: the host hears nothing, and the client what it notices', () => {
    const { rig, socket, server, line } = connected();
    socket.send('on its way');
    line.abandon(200);
    server.send('from the dead');
    server.close(1000, '');
    server.terminate();
    rig.clock.advance(199);
    expect(rig.heard).toEqual([]);
    rig.clock.advance(1);
    expect([rig.heard, rig.host.heard]).toEqual([['error', 'close 1006'], []]);
    expect([line.isLive, line.isHeard, rig.clock.pending()]).toEqual([false, false, 0]);
  });

  test('is abandoned without a word', () => {
    const { rig, line } = connected();
    line.abandon(null);
    rig.clock.advance(100_000);
    expect(rig.heard).toEqual([]);
  });

  test('tells nothing to a host that is down', () => {
    const { rig, line } = connected();
    rig.host.isUp = false;
    line.cut({ ...CUT, serverNoticesMs: 1 });
    rig.clock.advance(100);
    expect(rig.host.heard).toEqual([]);
  });

  test('is reset when something reaches a host that is down', () => {
    const { rig, socket } = connected();
    rig.host.isUp = false;
    socket.send('unheard');
    rig.clock.advance(10);
    expect([rig.heard, rig.host.heard]).toEqual([['error', 'close 1006'], []]);
  });
});
