import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';

import { until } from './deadline.ts';

/**
 * What a server does with a request for a WebSocket: `accept`; `hold` it, unanswered; `mute`: shake hands and then never
 * say anything more, no pong and no close frame; or refuse with an HTTP status.
 */
export type UpgradePolicy = 'accept' | 'hold' | 'mute' | number;

export interface ServerOptions {
  port?: number;
  upgrade?: UpgradePolicy;
  /** Said with each refusal, as `Retry-After`. */
  retryAfter?: string;
  /** Called with each WebSocket that opens. */
  onSocket?: (socket: WebSocket, request: IncomingMessage) => void;
}

/** A port of this machine where something listens, and who is connected to it. */
class Listening {
  /** TCP connections at present. */
  readonly tcp = new Set<Socket>();
  /** TCP connections so far. */
  accepted = 0;
  /** The most TCP connections that there were at one time. */
  most = 0;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.accepted += 1;
      this.tcp.add(socket);
      this.most = Math.max(this.most, this.tcp.size);
      socket.on('error', () => undefined);
      socket.on('close', () => this.tcp.delete(socket));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  /** Stops listening, and cuts every connection. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      for (const socket of this.tcp) socket.destroy();
    });
  }
}

/** A WebSocket server that records what it hears and misbehaves as asked. */
export class TestServer extends Listening {
  upgrade: UpgradePolicy;
  retryAfter: string | undefined;
  /** Open WebSockets. */
  readonly sockets = new Set<WebSocket>();
  /** Each request for a WebSocket, in order. */
  readonly requests: IncomingMessage[] = [];
  /** When each of them came, in ms of `performance.now()`. */
  readonly requestedAtMs: number[] = [];
  /** Each message, in order of arrival over all sockets: text as a string, bytes as a `Buffer`. */
  readonly received: (string | Buffer)[] = [];
  /** Each end of a WebSocket. */
  readonly closes: { code: number; reason: string }[] = [];
  /** WebSockets that have opened so far. */
  opened = 0;
  readonly #onSocket: ServerOptions['onSocket'];
  readonly #wss = new WebSocketServer({ noServer: true });
  readonly #held: (() => void)[] = [];

  constructor({ upgrade = 'accept', retryAfter, onSocket }: ServerOptions) {
    const http = createServer();
    super(http);
    this.upgrade = upgrade;
    this.retryAfter = retryAfter;
    this.#onSocket = onSocket;
    http.on('upgrade', (request, socket: Socket, head) => {
      this.requests.push(request);
      this.requestedAtMs.push(performance.now());
      const accept = (): void => {
        this.#wss.handleUpgrade(request, socket, head, (webSocket) => {
          this.#adopt(webSocket, request);
        });
      };
      // without a reader it would not hear of the end, and an HTTP server's sockets stay half open
      if (this.upgrade !== 'accept') socket.resume().on('end', () => socket.destroy());
      if (this.upgrade === 'accept') accept();
      else if (this.upgrade === 'hold') this.#held.push(accept);
      else if (this.upgrade === 'mute') socket.write(handshakeAnswer(request));
      else socket.end(refusal(this.upgrade, this.retryAfter));
    });
  }

  /** The one open WebSocket. */
  async socket(): Promise<WebSocket> {
    return until('one WebSocket is open at the server', () => this.sockets.size === 1 && [...this.sockets][0]);
  }

  /** Answers the requests that were held. */
  release(): void {
    for (const accept of this.#held.splice(0)) accept();
  }

  /** Ends every WebSocket without a close frame. */
  terminate(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  /** Ends every WebSocket with a close frame. */
  close(code: number, reason = ''): void {
    for (const socket of this.sockets) socket.close(code, reason);
  }

  #adopt(socket: WebSocket, request: IncomingMessage): void {
    this.opened += 1;
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.sockets.delete(socket);
      this.closes.push({ code, reason: reason.toString() });
    });
    socket.on('message', (data, isBinary) => {
      this.received.push(isBinary ? (data as Buffer) : (data as Buffer).toString());
    });
    this.#onSocket?.(socket, request);
  }
}

/** Starts a WebSocket server, which is stopped when the test is over. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const server = new TestServer(options);
  await server.listen(options.port ?? 0);
  onTestFinished(() => server.stop());
  return server;
}

/** Starts a server that accepts connections and never says a word. */
export async function startSilentServer(): Promise<Listening> {
  const server = new Listening(createTcpServer((socket) => socket.resume()));
  await server.listen(0);
  onTestFinished(() => server.stop());
  return server;
}

/** A port where nothing listens: one that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = new Listening(createTcpServer());
  await server.listen(0);
  const { port } = server;
  await server.stop();
  return port;
}

/** Sends every message back as it came. */
export function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => {
    socket.send(data as Buffer, { binary: isBinary });
  });
}

// Source: RFC 6455, section 4.2.2
function handshakeAnswer({ headers }: IncomingMessage): string {
  const key = `${headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash('sha1').update(key).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

function refusal(status: number, retryAfter: string | undefined): string {
  const field = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`;
  return `HTTP/1.1 ${status} Refused\r\nConnection: close\r\n${field}Content-Length: 0\r\n\r\n`;
}
