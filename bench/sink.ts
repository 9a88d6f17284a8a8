/** A process of its own: a WebSocket server that counts what it gets, or echoes it, and says when it has it all. */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** What a bench tells the sink: how many messages to expect on the next connection, and whether to echo them. */
export interface SinkOrder {
  messages: number;
  echo: boolean;
}

/** What the sink tells a bench: its port, once; that it has taken an order; and what carrying it out cost. */
export type SinkReport = { port: number } | 'ready' | { cpuMicros: number };

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
let order: SinkOrder = { messages: 0, echo: false };
let got = 0;
let cpu = process.cpuUsage();

process.on('message', (next: SinkOrder) => {
  order = next;
  got = 0;
  report('ready');
});
process.on('disconnect', () => process.exit());
server.on('listening', () => {
  report({ port: (server.address() as AddressInfo).port });
});
server.on('connection', (socket) => {
  cpu = process.cpuUsage();
  socket.on('error', () => undefined);
  socket.on('message', (data, isBinary) => {
    if (order.echo) socket.send(data as Buffer, { binary: isBinary });
    if (++got !== order.messages) return;
    const { user, system } = process.cpuUsage(cpu);
    report({ cpuMicros: user + system });
  });
});

function report(what: SinkReport): void {
  process.send?.(what);
}
