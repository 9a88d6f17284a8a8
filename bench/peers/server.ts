/** A process of its own: the server of one library, named by its argument. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { SERVICE } from './candidates.ts';
import { dealtOut, type ServiceName } from './ends.ts';
import { FrameTap } from '../frame-tap.ts';
import type { SettlingOutlet } from '../turns.ts';
import { memory, processInstruments } from './instruments.ts';
import { obey } from './process.ts';
import { ordersOf, Station } from './station.ts';

const LOOK_MS = 20;

const station = new Station(processInstruments());
const sockets = new Set<Socket>();
const http = createServer();
let ends: SettlingOutlet[] = [];
let isEcho = false;
let upgrades = 0;
// bytes of sockets that are closed
let gone = 0;
// of the sockets whose frames are counted, which takes time
let isTapping = false;
let taps: FrameTap[] = [];
http.on('connection', (socket: Socket) => {
  sockets.add(socket);
  socket.once('close', () => {
    sockets.delete(socket);
    gone += bytesOf(socket);
  });
});
http.on('upgrade', (_request, socket: Socket) => {
  upgrades += 1;
  if (isTapping) taps.push(new FrameTap(socket));
});
const service = await SERVICE[process.argv[2] as ServiceName]();
await service.serve(http, {
  opened: (end) => {
    ends.push(end);
    station.opened(dealtOut(ends));
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
  memory,
  /** Lets go of whom it could send to. */
  forget: (): void => {
    ends = [];
    station.closed();
  },
  /** How many WebSockets were accepted so far. */
  upgrades: (): number => upgrades,
  /** Resets all sockets. */
  drop: (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  },
  /** Resolves once so many WebSockets were accepted. */
  upgraded: async (count: number): Promise<void> => {
    while (upgrades < count) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  },
  /** Resolves once there are so many sockets. */
  peopled: async (count: number): Promise<void> => {
    while (sockets.size < count) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  },
  /** Of all sockets so far, in both directions. */
  bytes: (): number => [...sockets].reduce((sum, socket) => sum + bytesOf(socket), gone),
  /** From now on counts the frames of WebSockets that are accepted, or no more. */
  tap: (is: boolean): void => {
    isTapping = is;
    taps = [];
  },
  /** Of those WebSockets, in both directions. */
  frames: (): number => taps.reduce((sum, { traffic }) => sum + traffic.framesIn + traffic.framesOut, 0),
};

export type ServerOrders = typeof orders;

obey(orders);

function bytesOf({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten;
}
