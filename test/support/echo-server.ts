/** A process of its own: a WebSocket server that echoes. Forked with the port as its argument; reports the port it got. */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) });
server.on('listening', () => {
  process.send?.((server.address() as AddressInfo).port);
});
server.on('connection', (socket) => {
  socket.on('error', () => undefined);
  socket.on('message', (data, isBinary) => {
    socket.send(data as Buffer, { binary: isBinary });
  });
});
// whoever started it is gone
process.on('disconnect', () => process.exit());
