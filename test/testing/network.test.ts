import { describe, expect, test } from 'vitest';

import { Chance } from '../../src/testing/chance.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { SimulatedNetwork } from '../../src/testing/network.ts';
import { HeardHost, NetworkRig } from '../support/simulated.ts';

const REFUSED = ['error', 'close 1006'];
const CUT = { arriving: 0, lateMs: 0, clientNoticesMs: 0, serverNoticesMs: 0 };

describe('a simulated network', () => {
  test('needs no more than a clock and a host', () => {
    const clock = new SimulatedClock();
    const host = new HeardHost();
    const { WebSocket, sockets, lines, device, history } = new SimulatedNetwork({ clock, host: () => host });
    new WebSocket('ws://simulated/');
    clock.advance(10);
    expect([sockets.length, lines.length, sockets[0]?.readyState, sockets[0]?.protocols]).toEqual([1, 1, 1, []]);
    expect([device.isOnline, device.isStill]).toEqual([true, false]);
    expect(history.tail(10)).toContain('#1 host is dialled');
  });

  test('asks for the host of each dial', () => {
    const hosts = [new HeardHost('one'), new HeardHost('other')];
    let dials = 0;
    const rig = new NetworkRig({ host: () => hosts[dials++] as HeardHost });
    rig.dial();
    rig.dial();
    rig.clock.advance(10);
    expect(rig.network.lines.map(({ name }) => name)).toEqual(['#1 one', '#2 other']);
    expect(hosts.map(({ heard }) => heard)).toEqual([['accepted'], ['accepted']]);
  });

  test.each([
    [
      'while the device is offline',
      ({ device }: NetworkRig): void => {
        device.goOffline();
      },
    ],
    ['while the host is down', ({ host }: NetworkRig) => (host.isUp = false)],
    ['when every dial is', ({ network }: NetworkRig) => (network.refusals = 1)],
  ])('refuses a dial %s', (_, spoil) => {
    const rig = new NetworkRig();
    spoil(rig);
    const socket = rig.dial();
    expect([socket.readyState, rig.heard]).toEqual([0, []]);
    rig.clock.advance(100);
    expect([rig.heard, rig.host.heard, rig.network.lines]).toEqual([REFUSED, [], []]);
    expect([socket.line, rig.network.sockets, rig.clock.pending()]).toEqual([null, [socket], 0]);
  });

  test('refuses as many dials as it is likely', () => {
    const rig = new NetworkRig();
    rig.network.refusals = 0.5;
    for (let dials = 0; dials < 400; dials++) rig.dial();
    expect(rig.network.lines.length / 400).toBeCloseTo(0.5, 1);
  });

  test('tells a device that stands still of a refusal once it goes on', () => {
    const rig = new NetworkRig();
    rig.network.refusals = 1;
    rig.dial();
    rig.device.freeze();
    rig.clock.advance(100);
    expect(rig.heard).toEqual([]);
    rig.device.thaw();
    expect(rig.heard).toEqual(REFUSED);
  });

  test('lets a handshake be slow, up to 20 s', () => {
    const rig = new NetworkRig();
    rig.network.slowHandshakes = 1;
    for (let dials = 0; dials < 50; dials++) rig.dial();
    rig.clock.advance(1_000);
    expect(rig.heard.length).toBeLessThan(10);
    rig.clock.advance(9_000);
    expect(rig.heard.length).toBeGreaterThan(10);
    expect(rig.heard.length).toBeLessThan(40);
    rig.clock.advance(10_010);
    expect(rig.heard).toHaveLength(50);
  });

  test('lets nothing through while the device is offline, and everything once it is back', () => {
    const rig = new NetworkRig();
    const { socket, server } = rig.connect();
    rig.device.goOffline();
    socket.send('up');
    server.send('down');
    rig.clock.advance(60_000);
    expect([rig.heard, rig.host.heard]).toEqual([[], []]);
    rig.device.goOnline();
    rig.clock.advance(0);
    expect([rig.heard, rig.host.heard]).toEqual([['down'], ['up']]);
  });

  test('counts as live on which anybody may still say anything', () => {
    const rig = new NetworkRig();
    const ends = Array.from({ length: 4 }, () => rig.connect());
    ends[0]?.line.cut(CUT);
    ends[1]?.socket.close();
    ends[2]?.line.abandon(null);
    expect(rig.network.live).toEqual([ends[3]?.line]);
  });

  test('abandons every connection to a host that is gone, and no other', () => {
    const hosts = [new HeardHost('gone'), new HeardHost('there')];
    let dials = 0;
    const rig = new NetworkRig({ host: () => hosts[dials++ % 2] as HeardHost });
    for (let dial = 0; dial < 4; dial++) rig.dial();
    rig.clock.advance(20);
    rig.heard.length = 0;
    const notices = [10, null];
    rig.network.abandon(hosts[0] as HeardHost, () => notices.shift() ?? null);
    expect(rig.network.live.map(({ number }) => number)).toEqual([2, 4]);
    rig.clock.advance(1_000);
    expect(rig.heard).toEqual(REFUSED);
  });
});

describe('an ambush', () => {
  const frame = (type: string): string => `{"t":"${type}"}`;

  test.each(['srv', 'welcome'] as const)('loses a %s of the server, and its connection with it', (occasion) => {
    const rig = new NetworkRig();
    const { server, line } = rig.connect();
    rig.network.lieInWait(occasion);
    server.send(frame('other'));
    expect(line.isCut).toBe(false);
    server.send(frame(occasion));
    expect([line.isCut, rig.network.strikes(occasion)]).toEqual([true, false]);
    rig.clock.advance(10_000);
    expect(rig.heard).not.toContain(frame(occasion));
  });

  test('loses a hello of the client, or lets it come late, when its client is somewhere else', () => {
    const fates = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const rig = new NetworkRig({ chance: new Chance(seed) });
      const { socket, line } = rig.connect();
      rig.network.lieInWait('hello');
      socket.send(frame('hello'));
      expect(line.isCut).toBe(true);
      rig.clock.advance(40);
      expect(rig.host.heard).not.toContain(frame('hello'));
      const hasNoticed = rig.heard.includes('close 1006');
      rig.clock.advance(10_000);
      const hasCome = rig.host.heard.includes(frame('hello'));
      if (hasCome) expect(hasNoticed).toBe(true);
      fates.add(hasCome ? 'late' : 'lost');
    }
    expect(fates).toEqual(new Set(['late', 'lost']));
  });

  test('loses a close, whoever sends it', () => {
    for (const end of ['client', 'server'] as const) {
      const rig = new NetworkRig();
      const { socket, server, line } = rig.connect();
      rig.network.lieInWait('close');
      if (end === 'client') socket.close(4_000);
      else server.close(4_000, '');
      rig.clock.advance(10_000);
      expect(line.isCut).toBe(true);
      expect([...rig.heard, ...rig.host.heard].some((each) => each.includes('4000'))).toBe(false);
    }
  });

  test('waits for the next of its kind, and strikes once', () => {
    const rig = new NetworkRig();
    const [one, other] = [rig.connect(), rig.connect()];
    rig.network.lieInWait('srv');
    one.server.send(frame('srv'));
    other.server.send(frame('srv'));
    expect([one.line.isCut, other.line.isCut]).toEqual([true, false]);
    rig.clock.advance(10);
    expect(rig.heard).toContain(`2: ${frame('srv')}`);
  });
});

describe('a cut by chance', () => {
  test('is noticed soon, late or never by each end, and lets none, all or a part arrive', () => {
    const { network } = new NetworkRig();
    const cuts = Array.from({ length: 500 }, () => network.cutting(new Chance(network.chance.below(2 ** 31))));
    for (const end of ['clientNoticesMs', 'serverNoticesMs'] as const) {
      const notices = cuts.map((cut) => cut[end]);
      expect(notices.filter((ms) => ms !== null && ms <= 30).length).toBeGreaterThan(200);
      expect(notices.filter((ms) => ms !== null && ms > 30 && ms <= 3_000).length).toBeGreaterThan(50);
      expect(notices.filter((ms) => ms === null).length).toBeGreaterThan(30);
    }
    const parts = cuts.map(({ arriving }) => arriving);
    expect(parts.every((part) => part >= 0 && part <= 1)).toBe(true);
    for (const some of [parts.filter((part) => part === 0), parts.filter((part) => part === 1)])
      expect(some.length).toBeGreaterThan(100);
    expect(cuts.some(({ lateMs }) => lateMs > 0) && cuts.some(({ lateMs }) => lateMs === 0)).toBe(true);
  });
});

describe('a network that loses batches', () => {
  const BATCHES = ['{"t":"m","s":1}', '1compact', new Uint8Array([1])];
  const OTHERS = ['{"t":"ack","a":1}', '{"t":"srv"}', 'text'];

  test('loses them alone, in both directions', () => {
    const rig = new NetworkRig();
    const { socket, server } = rig.connect();
    rig.network.losses = 1;
    for (const end of [socket, server]) for (const data of [...BATCHES, ...OTHERS]) end.send(data);
    rig.clock.advance(10);
    expect([rig.heard, rig.host.heard]).toEqual([OTHERS, OTHERS]);
  });

  test('loses none otherwise', () => {
    const rig = new NetworkRig();
    const { socket } = rig.connect();
    for (const data of BATCHES) socket.send(data);
    rig.clock.advance(10);
    expect(rig.host.heard).toHaveLength(BATCHES.length);
  });

  test('cuts what has lost something once it is calm, and nothing else', () => {
    const rig = new NetworkRig();
    const [holed, whole] = [rig.connect(), rig.connect()];
    rig.network.losses = 1;
    holed.socket.send('1lost');
    rig.network.calm();
    expect([holed.line.isCut, whole.line.isCut]).toEqual([true, false]);
    rig.clock.advance(10);
    expect([rig.heard, rig.host.heard]).toEqual([REFUSED, ['closed 1006']]);
  });
});

describe('a network that is calm', () => {
  test('refuses, delays, loses and ambushes nothing any more', () => {
    const rig = new NetworkRig();
    Object.assign(rig.network, { refusals: 1, slowHandshakes: 1, losses: 1 });
    rig.network.lieInWait('srv');
    rig.network.calm();
    const { server } = rig.connect();
    for (const data of ['{"t":"srv"}', '1batch']) server.send(data);
    rig.clock.advance(5);
    expect(rig.heard).toEqual(['{"t":"srv"}', '1batch']);
  });

  test('lets go on what is stalled, unless the device is offline', () => {
    const rig = new NetworkRig();
    const { server, line } = rig.connect();
    line.stall(rig.clock.now() + 60_000);
    server.send('a');
    rig.device.goOffline();
    rig.network.calm();
    rig.clock.advance(1);
    expect(rig.heard).toEqual([]);
    rig.device.goOnline();
    line.stall(rig.clock.now() + 60_000);
    server.send('b');
    rig.network.calm();
    rig.clock.advance(0);
    expect(rig.heard).toEqual(['a', 'b']);
  });

  test('does not mend what a router forgot', () => {
    const rig = new NetworkRig();
    const { server, line } = rig.connect();
    line.silence();
    server.send('a');
    rig.network.calm();
    rig.clock.advance(100_000);
    expect(rig.heard).toEqual([]);
  });
});
