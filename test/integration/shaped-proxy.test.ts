import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';

import { pause, until } from '../support/deadline.ts';
import { bothWays, ShapedProxy, type Direction, type Shape } from '../support/shaped-proxy.ts';

const LONG_ENOUGH_MS = 150;

/** What a test compares with the truth is right to within 10 %, or 5 ms where that is more. */
const slackOf = (ms: number): number => Math.max(5, ms / 10);

/** A server that sends back what it gets. */
async function startEcho(): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

/** A client that sends numbers, and notes when they come back. */
class Line {
  readonly socket: Socket;
  readonly received: Buffer[] = [];
  bytes = 0;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (data: Buffer) => {
      this.received.push(data);
      this.bytes += data.length;
    });
    onTestFinished(() => {
      this.socket.destroy();
    });
  }

  /** Sends a probe, and waits for it to come back. @returns How long it took, in ms. */
  async probe(): Promise<number> {
    const before = performance.now();
    this.socket.write('12345678');
    await once(this.socket, 'data');
    return performance.now() - before;
  }

  async probes(count: number): Promise<number[]> {
    const times: number[] = [];
    while (times.length < count) times.push(await this.probe());
    return times;
  }

  get text(): string {
    return Buffer.concat(this.received).toString();
  }
}

interface Stage {
  proxy: ShapedProxy;
  line: Line;
  /** The server's sockets. */
  sockets: Set<Socket>;
}

async function stage(shape: Shape = {}, seed = 1): Promise<Stage> {
  const { port, sockets } = await startEcho();
  const proxy = new ShapedProxy(port, shape, seed);
  await proxy.listen();
  onTestFinished(() => proxy.stop());
  const line = new Line(proxy.port);
  await once(line.socket, 'connect');
  await until('the proxy reaches the server', () => sockets.size === 1);
  return { proxy, line, sockets };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** What the link says that it did is what its ends saw. */
function expectTruth({ truth: { rttMs } }: ShapedProxy, times: readonly number[]): void {
  const measured = mean(times);
  expect(Math.abs((rttMs ?? 0) - measured)).toBeLessThan(slackOf(measured));
}

describe('a link with a shape', () => {
  test('without one carries every byte as it came, in order', async () => {
    const { line } = await stage();
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 251));
    line.socket.write(sent);
    await until('all of it is back', () => line.bytes === sent.length);
    expect(Buffer.concat(line.received).equals(sent)).toBe(true);
  });

  test.each([
    { name: '20 ms', shape: { up: { delayMs: 10 }, down: { delayMs: 10 } }, rttMs: 20, count: 20 },
    {
      name: '100 ms, most of it on the way back',
      shape: { up: { delayMs: 20 }, down: { delayMs: 80 } },
      rttMs: 100,
      count: 8,
    },
    { name: '400 ms', shape: { up: { delayMs: 200 }, down: { delayMs: 200 } }, rttMs: 400, count: 3 },
  ])('takes $name for a round trip, and knows what it took', async ({ shape, rttMs, count }) => {
    const { proxy, line } = await stage(shape);
    const times = await line.probes(count);
    const { up, down } = proxy.truth;
    // a machine that is busy adds to any of them, and takes from none
    expect(Math.abs(Math.min(...times) - rttMs)).toBeLessThan(slackOf(rttMs));
    expect(Math.abs((up?.minMs ?? 0) - shape.up.delayMs)).toBeLessThan(slackOf(shape.up.delayMs));
    expect(Math.abs((down?.minMs ?? 0) - shape.down.delayMs)).toBeLessThan(slackOf(shape.down.delayMs));
    expect([up?.count, down?.count]).toEqual([count, count]);
    expectTruth(proxy, times);
  });

  test('varies by its jitter, to either side and not beyond, and knows by how much it did', async () => {
    const { proxy, line } = await stage(bothWays({ delayMs: 30, jitterMs: 20 }));
    const times = await line.probes(25);
    const { up } = proxy.truth;
    expectTruth(proxy, times);
    expect(up?.minMs).toBeGreaterThan(9);
    expect(up?.minMs).toBeLessThan(20);
    expect(up?.p50Ms).toBeGreaterThan(20);
    expect(up?.maxMs).toBeGreaterThan(40);
  });

  test('draws the same again from the same seed, and something else from another', async () => {
    const shape = bothWays({ delayMs: 20, jitterMs: 20 });
    const stages = [await stage(shape, 7), await stage(shape, 7), await stage(shape, 8)];
    const [first, second, third] = await Promise.all(stages.map(({ line }) => line.probes(8)));
    const apart = (one: number[] = [], other: number[] = []): number =>
      mean(one.map((value, index) => Math.abs(value - (other[index] ?? 0))));
    expect(apart(first, second) * 2).toBeLessThan(apart(first, third));
  });

  test('keeps the order of what travels at different speeds', async () => {
    const { line } = await stage(bothWays({ delayMs: 30, jitterMs: 30 }));
    const numbers = Array.from({ length: 40 }, (_, index) => `${index},`);
    for (const number of numbers) {
      line.socket.write(number);
      await pause(1);
    }
    await until('all of it is back', () => line.bytes === numbers.join('').length);
    expect(line.text).toBe(numbers.join(''));
  });

  test('carries no more than its rate, evenly', async () => {
    const { line } = await stage({ down: { bytesPerSecond: 100_000 } });
    const before = performance.now();
    line.socket.write(Buffer.alloc(40_000));
    await pause(200);
    expect(line.bytes).toBeGreaterThan(10_000);
    expect(line.bytes).toBeLessThan((performance.now() - before) * 100 + 1_460);
    await until('all of it is back', () => line.bytes === 40_000);
    expect(performance.now() - before).toBeGreaterThan(398);
    expect(performance.now() - before).toBeLessThan(600);
  });

  test('holds its sender up once more is under way than it takes', async () => {
    const { line, proxy } = await stage({ up: { bytesPerSecond: 1_000_000 } });
    const bytes = 16_000_000;
    line.socket.write(Buffer.alloc(bytes));
    await pause(LONG_ENOUGH_MS);
    // the proxy's 1 MiB, and what the kernel keeps
    expect(line.socket.writableLength).toBeGreaterThan(0);
    proxy.shape({});
    expect(line.bytes).toBeLessThan(1_000_000);
  });

  test('is of another shape from then on when it is given one, and counts its truth anew', async () => {
    const { proxy, line } = await stage();
    await line.probes(3);
    expect(proxy.truth.up?.count).toBe(3);
    expect(proxy.truth.down?.minMs).toBeLessThan(20);
    proxy.shape({ down: { delayMs: 50 } });
    expect(proxy.truth).toEqual({ up: null, down: null, rttMs: null });
    const fastest = Math.min(...(await line.probes(4)));
    expect(fastest).toBeGreaterThan(48);
    expect(fastest).toBeLessThan(60);
    expect(proxy.truth.down?.count).toBe(4);
  });
});

describe('a link with faults', () => {
  test('stalls as often as it is told, and holds what follows', async () => {
    const { proxy, line } = await stage({ up: { stalls: { probability: 0.1, ms: 60 } } }, 3);
    const times = await line.probes(60);
    const stalled = times.filter((time) => time > 50);
    expect(stalled.length).toBeGreaterThanOrEqual(2);
    expect(stalled.length).toBeLessThanOrEqual(14);
    expect(proxy.truth.up?.p50Ms).toBeLessThan(20);
    expectTruth(proxy, times);
    expect(proxy.truth.up?.maxMs).toBeGreaterThan(58);
  });

  test('stalls now, for as long as it is told, and loses nothing', async () => {
    const { proxy, line } = await stage();
    proxy.stall(100, ['down']);
    const stalled = await line.probe();
    expect(stalled).toBeGreaterThan(98);
    expect(stalled).toBeLessThan(150);
    expect(Math.min(...(await line.probes(3)))).toBeLessThan(20);
  });

  test('stops stalling when it is restored, from what enters it then', async () => {
    const { proxy, line } = await stage();
    proxy.stall(60_000);
    proxy.restore();
    expect(await line.probe()).toBeLessThan(1_000);
  });

  test('swallows everything in both directions, and leaves every socket open', async () => {
    const { proxy, line, sockets } = await stage();
    await line.probe();
    proxy.blackhole();
    line.socket.write('lost');
    for (const socket of sockets) socket.write('lost');
    const late = new Line(proxy.port);
    await once(late.socket, 'connect');
    late.socket.end('lost');
    await pause(LONG_ENOUGH_MS);
    expect([line.bytes, late.bytes]).toEqual([8, 0]);
    expect([line.socket.destroyed, late.socket.destroyed]).toEqual([false, false]);
    expect([proxy.clients, proxy.servers, sockets.size]).toEqual([2, 2, 2]);
  });

  test('once it is restored carries new connections, and old ones that have lost nothing, but no stream with a hole', async () => {
    const { proxy, line } = await stage();
    const idle = new Line(proxy.port);
    await idle.probe();
    await line.probe();
    proxy.blackhole();
    line.socket.write('lost');
    await pause(20);
    proxy.restore();
    line.socket.write('after');
    await new Line(proxy.port).probe();
    await idle.probe();
    await pause(LONG_ENOUGH_MS);
    expect(line.text).toBe('12345678');
  });

  test.each<{ direction: Direction; heard: number }>([
    { direction: 'up', heard: 0 },
    { direction: 'down', heard: 1 },
  ])('swallows what goes $direction alone', async ({ direction, heard }) => {
    const { proxy, line, sockets } = await stage();
    const [server] = sockets;
    const atServer: Buffer[] = [];
    server?.on('data', (data) => atServer.push(data));
    proxy.blackhole([direction]);
    line.socket.write('from the client');
    await pause(20);
    server?.write('from the server');
    await pause(LONG_ENOUGH_MS);
    expect(atServer.length).toBe(heard);
    expect(line.text).toBe(heard === 0 ? 'from the server' : '');
  });

  test.each(['client', 'server'] as const)('hides from one side that the %s is gone', async (gone) => {
    const { proxy, line, sockets } = await stage();
    const [server] = sockets;
    proxy.halfOpen(gone);
    const [left, right] = gone === 'client' ? [line.socket, server] : [server, line.socket];
    await until('the one side is gone', () => left?.destroyed);
    right?.write('to nobody');
    await pause(LONG_ENOUGH_MS);
    expect(right?.destroyed).toBe(false);
    expect([proxy.clients, proxy.servers]).toEqual(gone === 'client' ? [0, 1] : [1, 0]);
  });
});

describe('the end of a connection', () => {
  test('takes the way of its bytes, and comes after them', async () => {
    const { line, proxy } = await stage(bothWays({ delayMs: 40 }));
    const before = performance.now();
    line.socket.end('goodbye');
    await once(line.socket, 'end');
    expect(performance.now() - before).toBeGreaterThan(75);
    expect(line.text).toBe('goodbye');
    await until('nothing is left', () => proxy.clients + proxy.servers === 0);
  });

  test('is a reset where it was one', async () => {
    const { line, sockets, proxy } = await stage({ up: { delayMs: 40 } });
    const [server] = sockets;
    const errors: string[] = [];
    server?.on('error', ({ code = '' }: NodeJS.ErrnoException) => errors.push(code));
    line.socket.resetAndDestroy();
    await pause(20);
    expect(sockets.size).toBe(1);
    await until('the server hears', () => sockets.size === 0);
    expect(errors).toEqual(['ECONNRESET']);
    await until('nothing is left', () => proxy.clients + proxy.servers === 0);
  });

  test('is a cut of everything on demand', async () => {
    const { line, sockets, proxy } = await stage();
    proxy.cut();
    await until('both sides hear', () => line.socket.destroyed && sockets.size === 0);
    expect([proxy.clients, proxy.servers]).toEqual([0, 0]);
  });

  test('comes to a client whose server is not there', async () => {
    const { proxy, line } = await stage();
    const nobody = new ShapedProxy(1);
    await nobody.listen();
    onTestFinished(() => nobody.stop());
    const lost = new Line(nobody.port);
    await until('the client hears', () => lost.socket.destroyed);
    expect([nobody.clients, nobody.servers, proxy.clients]).toEqual([0, 0, 1]);
    expect(line.socket.destroyed).toBe(false);
  });

  test('leaves nothing behind when the link is stopped, whatever was under way', async () => {
    const { line, proxy, sockets } = await stage(bothWays({ delayMs: 60_000 }));
    line.socket.write('never');
    await pause(20);
    await proxy.stop();
    expect([proxy.clients, proxy.servers]).toEqual([0, 0]);
    await until('both sides hear', () => line.socket.destroyed && sockets.size === 0);
  });
});
