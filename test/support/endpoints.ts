import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type ServerOpts, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';

import type { KeyPair } from './certificate.ts';

/** A port of this machine, and who is connected to it. */
export interface Endpoint {
  /** With the scheme of a WebSocket. */
  url: string;
  port: number;
  /** TCP connections at present. */
  tcp: ReadonlySet<Socket>;
  /** Each request for a WebSocket, in order. */
  requests: readonly IncomingMessage[];
  /** Each message that came, as text, and each code of an end. */
  heard: readonly (string | number)[];
}

export interface EndpointOptions {
  /** Speaks TLS with it. */
  keyPair?: KeyPair;
  /** Of the server of `ws`. */
  options?: ServerOptions;
  /** Sent with the answer that accepts a WebSocket. */
  headers?: readonly string[];
  onSocket?: (socket: WebSocket) => void;
}

/** Starts a WebSocket server as `ws` makes it, which is stopped when the test is over. */
export async function startEndpoint({
  keyPair,
  options,
  headers = [],
  onSocket,
}: EndpointOptions = {}): Promise<Endpoint> {
  const server = keyPair ? createHttpsServer(keyPair) : createHttpServer();
  const webSockets = new WebSocketServer({ ...options, server });
  const requests: IncomingMessage[] = [];
  const heard: (string | number)[] = [];
  webSockets.on('headers', (lines) => lines.push(...headers));
  webSockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data) => heard.push((data as Buffer).toString()));
    socket.on('close', (code) => heard.push(code));
    onSocket?.(socket);
  });
  server.on('upgrade', (request) => requests.push(request));
  return { ...(await listen(server, keyPair ? 'wss' : 'ws')), requests, heard };
}

/** Starts a server that does nothing but what is said here with each connection. */
export async function startRawEndpoint(
  onConnection: (socket: Socket) => void,
  options: ServerOpts = {},
): Promise<Endpoint> {
  const server = createTcpServer(options, onConnection);
  return { ...(await listen(server, 'ws')), requests: [], heard: [] };
}

/** Starts a server that answers every request with these lines, and leaves the connection to its client. */
export function startAnswering(...lines: readonly string[]): Promise<Endpoint> {
  return startRawEndpoint((socket) => {
    socket.once('data', () => {
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    });
  });
}

async function listen(server: Server, scheme: string): Promise<Pick<Endpoint, 'url' | 'port' | 'tcp'>> {
  const tcp = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    tcp.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => tcp.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    const stopped = new Promise((resolve) => server.close(resolve));
    for (const socket of tcp) socket.destroy();
    await stopped;
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${scheme}://127.0.0.1:${port}`, port, tcp };
}
