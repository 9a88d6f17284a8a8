/**
 * One endpoint of the demo, as a process of its own: a real `ws` server on 127.0.0.1 that tells its parent which messages
 * its application received, and echoes them. The port is the first argument; 0 takes a free one. The second is its wire.
 * Its environment may hold the key of the tokens that it demands.
 */
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type VerifyClientCallbackAsync, type WebSocket } from 'ws';

import { Bursts } from './bursts.ts';
import { chanceOf } from './chance.ts';
import { Gate, type Handshake } from './gate.ts';
import type { Sessions } from './sessions.ts';
import { KEY_VARIABLE } from './tokens.ts';

/** What the demo tells a server. */
export type Order =
  /** End every socket without a close frame. */
  | { type: 'terminate' }
  /** Close every socket cleanly. */
  | { type: 'close'; code: number; reason: string }
  /** While on: close every socket, present and new, as soon as it is open, and read nothing from it. */
  | { type: 'turn-away'; on: boolean }
  /** Take the newest token no more: close every socket with 4401, and refuse handshakes with 401. */
  | { type: 'expire' }
  /** End every socket without a close frame, and for this time answer handshakes with 429 and `Retry-After`. */
  | { type: 'limit'; ms: number }
  /** Send numbered messages of its own accord, in bursts. */
  | { type: 'speak'; seed: number }
  /** Send no more of them. */
  | { type: 'hush' }
  /** Stand still for this time, where processes cannot be stopped from outside. */
  | { type: 'block'; ms: number };

/** What a server tells the demo. */
export type Report =
  | { type: 'listening'; port: number }
  /** A socket was opened and closed at once. */
  | { type: 'turned-away' }
  /** A handshake was answered. */
  | { type: 'handshake'; handshake: Handshake }
  | AppReport;

/** What the application behind a server tells the demo. */
export type AppReport =
  /** It received the message of this number. */
  | { type: 'received'; number: number }
  /** It sent the next message of its own. */
  | { type: 'said' }
  /** Its receipt for one of those, or for an echo, says that the client has accepted it. */
  | { type: 'confirmed'; what: 'news' | 'echo' }
  /** It sends no more of them. */
  | { type: 'hushed' };

const OVERLOADED = 1011;
// 44xx mirrors HTTP's 4xx
const UNAUTHORIZED = 4401;
const LISTEN_ATTEMPTS = 20;
const LISTEN_AGAIN_MS = 100;

const gate = new Gate(process.env[KEY_VARIABLE], () => performance.now());
let turnsAway = false;
let sessions: Sessions | undefined;
let bursts: Bursts | undefined;

// who speaks plain need not load it
const serveSessions = process.argv[3] === 'holdfast.v1' && (await import('./sessions.ts')).serveSessions;

listen(Number(process.argv[2] ?? 0), LISTEN_ATTEMPTS);

function listen(port: number, attempts: number): void {
  const server = new WebSocketServer({ host: '127.0.0.1', port, verifyClient: admit });
  server.once('error', (error: NodeJS.ErrnoException) => {
    // the port of a process that has just been killed may be taken for a moment longer
    if (error.code !== 'EADDRINUSE' || attempts <= 1) throw error;
    setTimeout(() => {
      listen(port, attempts - 1);
    }, LISTEN_AGAIN_MS);
  });
  server.once('listening', () => {
    serve(server);
    report({ type: 'listening', port: (server.address() as AddressInfo).port });
  });
}

function serve(server: WebSocketServer): void {
  if (serveSessions) sessions = serveSessions(server, report);
  else servePlain(server);
  process.on('message', (order: Order) => {
    obey(order, server);
  });
  // without its parent there is nothing left to do
  process.on('disconnect', () => {
    bursts?.stop();
    for (const socket of server.clients) socket.terminate();
    void sessions?.stop();
    server.close();
    // a parent that was killed leaves its frozen server standing for ever: 0 is the whole group, the frozen one included
    if (process.platform !== 'win32') process.kill(0, 'SIGCONT');
  });
  // Ctrl-C reaches the whole group: the parent ends first, and then this
  process.on('SIGINT', () => undefined);
}

function admit({ req }: { req: IncomingMessage }, answer: Parameters<VerifyClientCallbackAsync>[1]): void {
  const offered = req.headers['sec-websocket-protocol'] ?? '';
  const handshake = gate.answer(offered.split(',').map((protocol) => protocol.trim()));
  report({ type: 'handshake', handshake });
  const { status, retryAfterS } = handshake;
  answer(status === 101, status, undefined, retryAfterS > 0 ? { 'Retry-After': String(retryAfterS) } : {});
}

function servePlain(server: WebSocketServer): void {
  server.on('connection', (socket) => {
    // a socket that breaks also reports an error, which would end the process if nobody listened
    socket.on('error', () => undefined);
    if (turnsAway) turnAway(socket);
    else receive(socket);
  });
}

function receive(socket: WebSocket): void {
  socket.on('message', (data: Buffer, isBinary) => {
    const { n } = JSON.parse(data.toString()) as { n: number };
    // told before it is echoed: whatever the client hears back was received
    report({ type: 'received', number: n });
    socket.send(data, { binary: isBinary });
  });
}

function turnAway(socket: WebSocket): void {
  report({ type: 'turned-away' });
  socket.close(OVERLOADED, 'overloaded');
}

function obey(order: Order, { clients }: WebSocketServer): void {
  switch (order.type) {
    case 'terminate':
      for (const socket of clients) socket.terminate();
      return;
    case 'close':
      for (const socket of clients) socket.close(order.code, order.reason);
      return;
    case 'turn-away':
      turnsAway = order.on;
      if (order.on) for (const socket of clients) socket.close(OVERLOADED, 'overloaded');
      return;
    case 'expire':
      gate.expire();
      for (const socket of clients) socket.close(UNAUTHORIZED, 'the token has expired');
      return;
    case 'limit':
      gate.limit(order.ms);
      for (const socket of clients) socket.terminate();
      return;
    case 'speak':
      bursts = new Bursts(() => sessions?.speak(), chanceOf(order.seed));
      bursts.start();
      return;
    case 'hush':
      bursts?.stop();
      report({ type: 'hushed' });
      return;
    case 'block':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.ms);
  }
}

function report(message: Report): void {
  // a parent that has gone hears nothing, which is no reason to fail
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
