/** A process of its own: a service with idle connections, which measures what they cost it. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { EnhancedWebSocketService, type WireName } from 'holdfast';
import { WebSocket } from 'ws';

/** What a bench tells it: to open connections, and then to measure for so many ms. */
export type ClientOrder = { open: Idle } | { measureMs: number };

export interface Idle {
  url: string;
  wire: WireName;
  /** `bare`: a `ws` that pings, and nothing else. */
  how: 'monitored' | 'not monitored' | 'bare';
  connections: number;
}

/** For each connection. */
export interface ClientCosts {
  cpuMicros: number;
  /** Both ways together, as the kernel is handed them. */
  wireBytes: number;
  /** After garbage collection. */
  heapBytes: number;
}

/** What it tells: that they are open; what they cost. */
export type ClientReport = 'open' | ClientCosts;

/** Of the default heartbeat. */
const INTERVAL_MS = 25_000;

const tcp = new Set<Socket>();

class Counted extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { perMessageDeflate: false });
    this.on('upgrade', ({ socket }) => tcp.add(socket));
  }
}

let connections = 0;
let heapBefore = 0;

process.on('disconnect', () => process.exit());
process.on('message', (order: ClientOrder) => void obey(order).then((report) => process.send?.(report)));

async function obey(order: ClientOrder): Promise<ClientReport> {
  return 'open' in order ? open(order.open) : measured(order.measureMs);
}

async function open(idle: Idle): Promise<'open'> {
  // what the first of all connections brings with it is not theirs
  const close = await opened({ ...idle, connections: 1 });
  await close();
  await passed(1_000);
  tcp.clear();
  ({ connections } = idle);
  heapBefore = heapBytes();
  await opened(idle);
  return 'open';
}

async function measured(ms: number): Promise<ClientCosts> {
  const cpu = process.cpuUsage();
  const bytes = wireBytes();
  await passed(ms);
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuMicros: (user + system) / connections,
    wireBytes: (wireBytes() - bytes) / connections,
    heapBytes: (heapBytes() - heapBefore) / connections,
  };
}

/** @returns Closes them. */
function opened(idle: Idle): Promise<() => Promise<void>> {
  return idle.how === 'bare' ? openedBare(idle) : openedByService(idle);
}

async function openedByService({ url, wire, how, connections: count }: Idle): Promise<() => Promise<void>> {
  const service = new EnhancedWebSocketService({
    services: { main: { url, wire: wire === 'plain' ? 'plain' : 'required' } },
    enableHealthMonitoring: how === 'monitored',
    WebSocket: Counted,
  });
  const keys = Array.from({ length: count }, (_, index) => String(index));
  await Promise.all(keys.map((key) => service.connect({ serviceType: 'main', key })));
  return () => service.destroy();
}

async function openedBare({ url, connections: count }: Idle): Promise<() => Promise<void>> {
  const sockets: WebSocket[] = [];
  for (let index = 0; index < count; index++) {
    const socket = new Counted(url);
    await once(socket, 'open');
    // from the last answer to the next question
    const ask = (): void => {
      setTimeout(() => {
        socket.ping();
      }, INTERVAL_MS);
    };
    socket.on('pong', ask);
    ask();
    sockets.push(socket);
  }
  return () => {
    for (const socket of sockets) socket.terminate();
    return Promise.resolve();
  };
}

function wireBytes(): number {
  return [...tcp].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0);
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
