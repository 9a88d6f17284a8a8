/** Bare WebSockets, and what is put around them to connect again. */
import { once } from 'node:events';
import { WebSocket as PartyWebSocket } from 'partysocket';
import Reconnecting from 'reconnecting-websocket';
import { WebSocket as UndiciWebSocket } from 'undici';
import { ArrayQueue, ConstantBackoff, WebsocketBuilder } from 'websocket-ts';
import { WebSocket, WebSocketServer } from 'ws';

import { decoded, encoded, Replies, unknowable, type ClientEars, type ClientEnd, type Service } from './ends.ts';
import { openLike } from './likes.ts';

const MAX_PAYLOAD = 16_777_216;

/** A server without anything around it. */
export function serviceOf(perMessageDeflate: boolean): Service {
  return {
    serve: (http, ears) => {
      const server = new WebSocketServer({ server: http, perMessageDeflate, maxPayload: MAX_PAYLOAD });
      server.on('connection', (socket) => {
        const send = (message: object): void => {
          socket.send(encoded(message));
        };
        socket.on('error', () => undefined);
        socket.on('message', (data: Buffer, isBinary) => {
          const message = decoded(isBinary ? data : data.toString());
          if (ears.isEcho) send(message as object);
          else ears.heard(message);
        });
        ears.opened({ send, settled: unknowable });
      });
    },
  };
}

export class Uncompressed extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
}

/** `ws` by its own names. */
export async function openWs(url: string, ears: ClientEars, perMessageDeflate = false): Promise<ClientEnd> {
  return wsEnd(await openWsSocket(url, perMessageDeflate), ears);
}

/** A `ws`, once it is open. */
export async function openWsSocket(url: string, perMessageDeflate = false): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate });
  await once(socket, 'open');
  return socket;
}

/** What is sent to it and heard of it. */
export function wsEnd(socket: WebSocket, ears: ClientEars): ClientEnd {
  const replies = new Replies();
  socket.on('message', (data: Buffer, isBinary) => {
    const message = decoded(isBinary ? data : data.toString());
    if (!replies.take(message)) ears.heard(message);
  });
  return {
    send: (message) => {
      socket.send(encoded(message));
    },
    ask: (message) => {
      const reply = replies.to(message);
      socket.send(JSON.stringify(message));
      return reply;
    },
    settled: unknowable,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** The WebSocket of the platform. */
export function openUndici(url: string, ears: ClientEars): Promise<ClientEnd> {
  return openLike(new UndiciWebSocket(url), ears);
}

/** How long it waits before it connects again, in ms. */
type Delays = Partial<Record<'minReconnectionDelay' | 'maxReconnectionDelay', number>>;

export function openReconnecting(url: string, ears: ClientEars, delays: Delays = {}): Promise<ClientEnd> {
  const options = { WebSocket: Uncompressed, ...delays };
  return openLike(new (Reconnecting as unknown as typeof Reconnecting.default)(url, [], options), ears);
}

export function openParty(url: string, ears: ClientEars, delays: Delays = {}): Promise<ClientEnd> {
  return openLike(new PartyWebSocket(url, [], { WebSocket: Uncompressed, ...delays }), ears);
}

/** It takes whatever the platform calls a WebSocket, and connects again only if it is told how. */
export async function openWebsocketTs(url: string, ears: ClientEars, retryMs?: number): Promise<ClientEnd> {
  (globalThis as { WebSocket?: unknown }).WebSocket = Uncompressed;
  const builder = new WebsocketBuilder(url);
  if (retryMs !== undefined) builder.withBackoff(new ConstantBackoff(retryMs)).withBuffer(new ArrayQueue());
  const socket = builder.build();
  const like = {
    get readyState() {
      return socket.readyState;
    },
    set binaryType(type: BinaryType) {
      socket.binaryType = type;
    },
    addEventListener: (type: 'message' | 'open' | 'close', listener: (event: never) => void) => {
      socket.addEventListener(type as never, (_: unknown, event: never) => {
        listener(event);
      });
    },
    send: (data: string) => {
      socket.send(data);
    },
    close: () => {
      socket.close();
    },
  };
  return openLike(like, ears);
}
