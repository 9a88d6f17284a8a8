/** A process of its own: a service with idle connections, which measures what they cost it. */
import type { Socket } from 'node:net';
import { EnhancedWebSocketService, type WireName } from 'holdfast';
import { WebSocket } from 'ws';

/** What a bench tells it, once. */
export interface ClientOrder {
  url: string;
  wire: WireName;
  isMonitored: boolean;
  connections: number;
  /** What is measured begins so long after the last of them has opened, and takes so long. */
  settleMs: number;
  windowMs: number;
}

/** For each connection. */
export interface ClientCosts {
  cpuMicros: number;
  /** Both ways together, as the kernel is handed them. */
  wireBytes: number;
  /** After garbage collection. */
  heapBytes: number;
}

/** What it tells: that what is measured begins now, and then what it was. */
export type ClientReport = 'settled' | ClientCosts;

const tcp = new Set<Socket>();

class Counted extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { perMessageDeflate: false });
    this.on('upgrade', ({ socket }) => tcp.add(socket));
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (order: ClientOrder) => {
  void measured(order).then(report);
});

async function measured(order: ClientOrder): Promise<ClientCosts> {
  // what the first of all connections brings with it is not theirs
  await opened({ ...order, connections: 1 }).then((service) => service.destroy());
  tcp.clear();
  await passed(1_000);
  const heapBefore = heapBytes();
  const service = await opened(order);
  await passed(order.settleMs);
  report('settled');
  const cpu = process.cpuUsage();
  const bytes = wireBytes();
  await passed(order.windowMs);
  const { user, system } = process.cpuUsage(cpu);
  const sums = {
    cpuMicros: user + system,
    wireBytes: wireBytes() - bytes,
    heapBytes: heapBytes() - heapBefore,
  };
  await service.destroy({ deadlineMs: 10_000 });
  return {
    cpuMicros: sums.cpuMicros / order.connections,
    wireBytes: sums.wireBytes / order.connections,
    heapBytes: sums.heapBytes / order.connections,
  };
}

async function opened({ url, wire, isMonitored, connections }: ClientOrder): Promise<EnhancedWebSocketService> {
  const service = new EnhancedWebSocketService({
    services: { main: { url, wire: wire === 'plain' ? 'plain' : 'required' } },
    enableHealthMonitoring: isMonitored,
    WebSocket: Counted,
  });
  const keys = Array.from({ length: connections }, (_, index) => String(index));
  await Promise.all(keys.map((key) => service.connect({ serviceType: 'main', key })));
  return service;
}

function report(what: ClientReport): void {
  process.send?.(what);
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
