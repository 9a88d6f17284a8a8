/** A process of its own: a server for every way to send messages, which counts at its sockets what they cost. */
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createHoldfastServer } from 'holdfast/server';
import { serveWebSockets } from 'holdfast/server/ws';
import { WebSocketServer, type WebSocket } from 'ws';

import { FrameTap, since, type Traffic } from './frame-tap.ts';
import { messagesOf, Roll, STREAMS } from './payloads.ts';
import { outletFor } from './session-outlet.ts';
import { pour, type SettlingOutlet, type Shape } from './turns.ts';

/** What a bench tells the server. Each is answered once it is done. */
export type WireOrder =
  /** The next connection carries this stream, from this number on. Frames are only counted if asked for, for that takes time. */
  | { do: 'expect'; stream: string; first: number; isCounting: boolean }
  /** Counts from here; messages are to come up to this number, with their contents compared or not. */
  | { do: 'begin'; upTo: number; isExact: boolean }
  /** Sends messages, those up to `to` but not that one. */
  | { do: 'send'; from: number; to: number; shape: Shape }
  | { do: 'report' };

/** What the server counted since it was told to begin. */
export interface WireCosts extends Traffic {
  cpuMicros: number;
  faults: number;
}

/** What the server tells a bench: its port, once; that an order is done; that everything expected has come; its costs. */
export type WireReport = { port: number } | 'done' | 'complete' | WireCosts;

// of every way, and none of them in the way of what is measured
const MAX_PAYLOAD = 16_777_216;
const NOTHING: Traffic = { bytesIn: 0, bytesOut: 0, framesIn: 0, framesOut: 0 };

let [payloads] = STREAMS;
let roll: Roll | undefined;
let isCounting = false;
let tap: FrameTap | undefined;
let outlet: SettlingOutlet | undefined;
let before = NOTHING;
let cpu = process.cpuUsage();

const http = createServer();
http.on('upgrade', (_request, socket: Socket) => {
  tap = isCounting ? new FrameTap(socket) : undefined;
});
serveRaw('/raw', false);
serveRaw('/raw-deflate', { threshold: 0 });
serveHoldfast('/holdfast', false);
serveHoldfast('/holdfast-deflate', true);
serveHoldfast('/holdfast-window', { windows: 4 });
http.listen(0, '127.0.0.1', () => {
  report({ port: (http.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
process.on('message', (order: WireOrder) => void obey(order));

async function obey(order: WireOrder): Promise<void> {
  switch (order.do) {
    case 'expect':
      payloads = STREAMS.find(({ name }) => name === order.stream);
      roll = payloads && new Roll(payloads, order.first);
      isCounting = order.isCounting;
      report('done');
      return;
    case 'begin':
      roll?.expect(order.upTo, order);
      before = tap?.traffic ?? NOTHING;
      cpu = process.cpuUsage();
      report('done');
      return;
    case 'send': {
      const messages = payloads ? messagesOf(payloads, order.from, order.to) : [];
      if (!outlet) return;
      await pour(outlet, messages, order.shape);
      await outlet.settled();
      report('done');
      return;
    }
    case 'report': {
      const { user, system } = process.cpuUsage(cpu);
      report({ ...since(before, tap?.traffic ?? NOTHING), cpuMicros: user + system, faults: roll?.faults ?? 0 });
    }
  }
}

function took(message: unknown): void {
  if (roll?.take(message)) report('complete');
}

function serveRaw(path: string, perMessageDeflate: false | { threshold: number }): void {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate, maxPayload: MAX_PAYLOAD });
  http.on('upgrade', (request, socket, head) => {
    if (request.url !== path) return;
    server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data: Buffer, isBinary) => {
        took(isBinary ? data : JSON.parse(data.toString()));
      });
      outlet = outletOf(webSocket);
    });
  });
}

function outletOf(webSocket: WebSocket): SettlingOutlet {
  return {
    send: (message) => {
      webSocket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
    },
    // nobody tells; the receiver knows
    settled: () => Promise.resolve(),
  };
}

function serveHoldfast(path: string, compression: boolean | { windows: number }): void {
  const server = createHoldfastServer<WebSocket>({
    authenticate: () => ({ principal: 'bench' }),
    compression,
    onSession: (session) => {
      session.onMessage(({ data }) => {
        took(data);
      });
      outlet = outletFor(session);
    },
    onError: (error) => {
      throw error;
    },
  });
  serveWebSockets(server, http, { path, maxPayload: MAX_PAYLOAD });
}

function report(what: WireReport): void {
  process.send?.(what);
}
