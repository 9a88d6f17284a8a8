import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type VerifyClientCallbackSync, type WebSocket } from 'ws';

import { check } from '../core/rules.ts';
import { SUBPROTOCOL } from '../protocol/frames.ts';
import { attachingRule, servingRule } from './schema.ts';
import type { HoldfastServer } from './server.ts';
import type { ServerSocket } from './socket.ts';

/** What keeps sockets coming. */
export interface Attachment {
  /** Takes no more of them. Those that are open are the server's to close. */
  close(): void;
}

export interface ServeOptions {
  /** Begins with a slash. Requests for other paths are left to others, or refused with 404 where nobody else takes WebSockets. @default every path */
  path?: string;
  /** Bytes of a WebSocket message that `ws` takes at all, `limits.frameBytes` or more; beyond it the socket ends with 1009. @default four times `limits.frameBytes` */
  maxPayload?: number;
}

type Verify = WebSocketServer['options']['verifyClient'];
type VerifyInfo = Parameters<VerifyClientCallbackSync>[0];

// a frame that is somewhat too big is answered with the protocol's own code
const PAYLOADS_OF_A_FRAME = 4;

/** What people read who are refused at the handshake. */
const REFUSALS: Record<number, string> = {
  400: `This server speaks ${SUBPROTOCOL} only, and the handshake did not offer it as a subprotocol.`,
  403: 'This origin may not connect.',
  404: 'No WebSocket is served at this path.',
  503: 'This server is about to leave, and takes no new connections.',
};

/**
 * Brings the sockets of a `WebSocketServer` of yours to a server. Its `handleProtocols` and `verifyClient` are set here, and ask those of
 * yours: the name of the subprotocol is selected for those who offer it, and who may not connect is refused at the handshake. Its
 * `maxPayload`, 100 MiB unless you say otherwise, is lowered to four times `limits.frameBytes`, for plain sockets as well: what is larger
 * ends the socket with 1009 before it is in memory.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS` for something that is no such server.
 */
export function attachWebSocketServer(
  holdfast: HoldfastServer<WebSocket>,
  webSocketServer: WebSocketServer,
): Attachment {
  check(attachingRule, { holdfast, webSocketServer });
  const { options } = webSocketServer;
  const { handleProtocols, verifyClient, maxPayload } = options;
  const before = { handleProtocols, verifyClient, maxPayload };
  // 0 is no limit
  options.maxPayload = Math.min(maxPayload || Infinity, payloadOf(holdfast));
  options.handleProtocols = (protocols, request) =>
    protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : (before.handleProtocols?.(protocols, request) ?? false);
  options.verifyClient = (info, answer) => {
    const verdict = holdfast.handshake(info.req);
    if ('refused' in verdict) answer(false, verdict.refused, REFUSALS[verdict.refused]);
    else verify(before.verifyClient, info, answer);
  };
  const onConnection = (socket: WebSocket, request: IncomingMessage): void => {
    take(holdfast, socket, request);
  };
  webSocketServer.on('connection', onConnection);
  return {
    close() {
      webSocketServer.off('connection', onConnection);
      Object.assign(options, before);
    },
  };
}

/**
 * Brings the WebSockets of an HTTP server to a server of `holdfast.v1`.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`, also for something that is no such server.
 */
export function serveWebSockets(
  holdfast: HoldfastServer<WebSocket>,
  httpServer: Server,
  options: ServeOptions = {},
): Attachment {
  check(servingRule, { holdfast, httpServer, options });
  const { path, maxPayload = payloadOf(holdfast) } = options;
  const webSocketServer = new WebSocketServer({
    noServer: true,
    // frames are compressed by the protocol, where that is agreed on
    perMessageDeflate: false,
    maxPayload,
    handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (path !== undefined && pathOf(request) !== path) {
      // where nobody else listens, nobody else answers
      if (httpServer.listenerCount('upgrade') === 1) refuse(socket, 404);
      return;
    }
    const verdict = holdfast.handshake(request);
    if ('refused' in verdict) {
      refuse(socket, verdict.refused);
      return;
    }
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      take(holdfast, webSocket, request);
    });
  };
  httpServer.on('upgrade', onUpgrade);
  return {
    close() {
      httpServer.off('upgrade', onUpgrade);
      webSocketServer.close();
    },
  };
}

function payloadOf({ limits }: HoldfastServer<WebSocket>): number {
  return limits.frameBytes * PAYLOADS_OF_A_FRAME;
}

// `ws` knows two forms of it, by the number of parameters
function verify(own: Verify, info: VerifyInfo, answer: (isAllowed: boolean) => void): void {
  if (!own) answer(true);
  else if (own.length === 2) own(info, answer);
  else answer((own as VerifyClientCallbackSync)(info));
}

function take(holdfast: HoldfastServer<WebSocket>, socket: WebSocket, request: IncomingMessage): void {
  // without a listener an error of the socket ends the process; a close follows it
  socket.on('error', () => undefined);
  if (socket.protocol !== SUBPROTOCOL) {
    holdfast.plain(socket, request);
    return;
  }
  // what is said in the greeting's own turn is heard: nothing is read before this turn ends
  const events = holdfast.accept(portOf(socket, request), request);
  socket.on('message', (data: RawData, isBinary: boolean) => {
    events.received(isBinary ? bytesOf(data) : textOf(data));
  });
  socket.on('ping', () => {
    events.heard();
  });
  socket.on('pong', () => {
    events.heard();
  });
  socket.on('close', (code: number, reason: Buffer) => {
    events.closed(code, reason.toString());
  });
}

function portOf(socket: WebSocket, { socket: tcp }: IncomingMessage): ServerSocket {
  return {
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send: (data) => {
      // what is sent to a socket that is closing is told to nobody
      socket.send(data, () => undefined);
    },
    batch: (write) => {
      tcp.cork();
      try {
        write();
      } finally {
        tcp.uncork();
      }
    },
    close: (code, reason) => {
      socket.close(code, reason);
    },
    terminate: () => {
      socket.terminate();
    },
  };
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : new TextDecoder().decode(bytesOf(data));
}

function bytesOf(data: RawData): ArrayBuffer | Buffer<ArrayBuffer> {
  return Array.isArray(data) ? Buffer.concat(data) : (data as ArrayBuffer | Buffer<ArrayBuffer>);
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}

function refuse(socket: Duplex, status: number): void {
  socket.on('error', () => undefined);
  const body = `${REFUSALS[status] ?? STATUS_CODES[status] ?? status}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
