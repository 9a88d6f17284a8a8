/** A process of its own: the server of one library, named by its argument. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { SERVICE } from './candidates.ts';
import type { ServiceName } from './ends.ts';
import { obey } from './process.ts';
import { ordersOf, Station } from './station.ts';

const station = new Station();
const sockets = new Set<Socket>();
const http = createServer();
let isEcho = false;
// bytes of sockets that are closed
let gone = 0;
http.on('connection', (socket: Socket) => {
  sockets.add(socket);
  socket.once('close', () => {
    sockets.delete(socket);
    gone += bytesOf(socket);
  });
});
const service = await SERVICE[process.argv[2] as ServiceName]();
await service.serve(http, {
  opened: (end) => {
    station.opened(end);
  },
  heard: (message) => {
    station.heard(message);
  },
  get isEcho() {
    return isEcho;
  },
});

const orders = {
  port: async (): Promise<number> => {
    if (!http.listening) await once(http.listen(0, '127.0.0.1', 10_000), 'listening');
    return (http.address() as AddressInfo).port;
  },
  echo: (is: boolean): void => {
    isEcho = is;
  },
  ...ordersOf(station),
  /** Of all sockets so far, in both directions. */
  bytes: (): number => [...sockets].reduce((sum, socket) => sum + bytesOf(socket), gone),
};

export type ServerOrders = typeof orders;

obey(orders);

function bytesOf({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten;
}
