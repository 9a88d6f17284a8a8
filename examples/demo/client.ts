import { EnhancedWebSocketService, type ConnectOptions, type InboundData } from 'holdfast';
import { WebSocket } from 'ws';

/** The services of the demo, in the order in which they are shown. */
export const SERVICE_NAMES = ['terminal', 'chat', 'main'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Shorter than the defaults, so that half a minute shows several episodes; the proportions are the same. */
export const RETRY = { baseMs: 250, capMs: 4_000, promptMs: 200, stableMs: 2_000 };
const HEARTBEAT = { intervalMs: 1_000, timeoutMs: 1_500 };

/** Which connection of each service is wanted. */
export const WANTED: Record<ServiceName, ConnectOptions> = {
  terminal: { serviceType: 'terminal', terminalId: 'my-terminal' },
  chat: { serviceType: 'chat' },
  main: { serviceType: 'main' },
};

/** The client as an application would make it: three services, each at its own URL. */
export function createClient(urls: Record<ServiceName, string>): EnhancedWebSocketService {
  const behaviour = { connectTimeoutMs: 1_000, retry: RETRY, heartbeat: HEARTBEAT };
  return new EnhancedWebSocketService({
    WebSocket,
    services: {
      terminal: { url: urls.terminal, ...behaviour },
      chat: { url: urls.chat, ...behaviour },
      main: { url: urls.main, ...behaviour },
    },
  });
}

/** The message of a number, as each service would send it. */
export function messageOf(name: ServiceName, n: number): Record<string, unknown> {
  switch (name) {
    case 'terminal':
      return { type: 'input', data: 'ls -la', n };
    case 'chat':
      return { type: 'say', text: 'Is anybody there?', n };
    case 'main':
      return { type: 'position', x: n % 80, y: n % 24, n };
  }
}

/** The number in a message that came back. */
export function numberIn(data: InboundData): number {
  const { n } = JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data)) as { n: number };
  return n;
}
