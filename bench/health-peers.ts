import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { WireName } from 'holdfast';
import { createHoldfastServer } from 'holdfast/server';
import { serveWebSockets } from 'holdfast/server/ws';
import { WebSocketServer, type WebSocket } from 'ws';

/** A server that answers pings. */
export interface Peer {
  port: number;
  /** Sends a message to every client. */
  say(text: string): void;
  /** Cuts every connection, and takes no other. */
  stop(): Promise<void>;
}

/** Starts a server on a free port of this machine. */
export async function startPeer(wire: WireName): Promise<Peer> {
  const http = createServer();
  const sockets = new Set<Socket>();
  http.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const { say, close } = wire === 'plain' ? servePlain(http) : serveHoldfast(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    port: (http.address() as AddressInfo).port,
    say,
    stop: async () => {
      const closed = new Promise((resolve) => http.close(resolve));
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, close()]);
    },
  };
}

interface Serving {
  say: (text: string) => void;
  close: () => Promise<void>;
}

function servePlain(http: Server): Serving {
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('error', () => undefined));
  return {
    say: (text) => {
      for (const socket of server.clients) socket.send(text);
    },
    close: () => Promise.resolve(),
  };
}

function serveHoldfast(http: Server): Serving {
  const sessions = new Set<{ send: (data: string) => unknown }>();
  const server = createHoldfastServer<WebSocket>({
    authenticate: () => ({ principal: 'bench' }),
    onSession: (session) => {
      sessions.add(session);
    },
  });
  const attachment = serveWebSockets(server, http);
  return {
    say: (text) => {
      for (const session of sessions) session.send(text);
    },
    close: async () => {
      await server.close();
      attachment.close();
    },
  };
}
