import { once } from 'node:events';
import {
  EnhancedWebSocketService,
  type Connection,
  type EnhancedWebSocketOptions,
  type ServiceOptions,
} from 'holdfast';
import { WebSocket } from 'ws';

/** A way to send text to a server, and to hear of what comes back. */
export interface Sender {
  send(text: string): void;
  onMessage(listener: () => void): void;
  close(): Promise<void>;
}

/** A bare `ws` client. */
export async function openRaw(url: string): Promise<Sender> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return {
    send: (text) => {
      socket.send(text);
    },
    onMessage: (listener) => socket.on('message', listener),
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Holdfast over `ws`. */
export async function openHoldfast(url: string): Promise<Sender> {
  const { connection, close } = await openConnection(url);
  return {
    send: (text) => {
      // what is refused never arrives, and would be waited for
      if (connection.send(text).fate === 'dropped') throw new Error('A message was refused.');
    },
    onMessage: (listener) => void connection.subscribe(listener),
    close,
  };
}

type Monitoring = Pick<EnhancedWebSocketOptions, 'enableHealthMonitoring'>;

/** A connection as users get it, heartbeats and all; but for a queue without bounds, as raw `ws` has none either. */
export async function openConnection(
  url: string,
  { enableHealthMonitoring = true, ...how }: Pick<ServiceOptions, 'wire' | 'profile' | 'retry'> & Monitoring = {},
): Promise<{ service: EnhancedWebSocketService; connection: Connection; close: () => Promise<void> }> {
  const service = new EnhancedWebSocketService({
    services: { main: { url, ...how, queue: { maxMessages: 1e9, maxBytes: 1e12 } } },
    WebSocket: Uncompressed,
    enableHealthMonitoring,
  });
  const connection = service.connection(await service.connect({ serviceType: 'main' }));
  return { service, connection, close: () => service.destroy() };
}

class Uncompressed extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
}
