import {
  EnhancedWebSocketService,
  type Connection,
  type EnhancedWebSocketOptions,
  type ServiceOptions,
} from 'holdfast';
import { WebSocket } from 'ws';

type Monitoring = Pick<EnhancedWebSocketOptions, 'enableHealthMonitoring'>;

/** A connection as users get it, heartbeats and all; but for a queue without bounds, as raw `ws` has none either. */
export async function openConnection(
  url: string,
  { enableHealthMonitoring = true, ...how }: Pick<ServiceOptions, 'wire' | 'profile'> & Monitoring = {},
): Promise<{ connection: Connection; close: () => Promise<void> }> {
  const service = new EnhancedWebSocketService({
    services: { main: { url, ...how, queue: { maxMessages: 1e9, maxBytes: 1e12 } } },
    WebSocket: Uncompressed,
    enableHealthMonitoring,
  });
  const connection = service.connection(await service.connect({ serviceType: 'main' }));
  return { connection, close: () => service.destroy() };
}

class Uncompressed extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
}
