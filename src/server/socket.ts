import type { InboundData } from '../errors.ts';

/** One WebSocket, as the server writes to it. An adapter makes one of whatever its platform has. */
export interface ServerSocket {
  /** Bytes that were sent and have not left yet. */
  readonly bufferedBytes: number;
  /** A text frame for a string, a binary frame for bytes. On a socket that is closing it does nothing; on one that is open it drops none: what it does not take it throws for, and is ended. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Calls `write`; what is sent within may leave in one piece. */
  batch(write: () => void): void;
  /** Begins the closing handshake. */
  close(code: number, reason: string): void;
  /** Ends the socket at once, without one. */
  terminate(): void;
}

/** What the adapter of a socket tells a server. `Data`: what the server takes as a frame. */
export interface SocketEvents<Data = InboundData> {
  /** A frame came. It is read before this returns, and nothing of its bytes is kept. */
  received(data: Data): void;
  /** The socket is gone. Called once; nothing follows. */
  closed(code: number, reason: string): void;
  /** A sign of life that is no frame of the protocol, such as a pong of the platform. */
  heard(): void;
}

/** The request that asked for a WebSocket; Node's own fits. */
export interface HandshakeRequest {
  url?: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}
