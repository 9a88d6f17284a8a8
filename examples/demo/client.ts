import {
  EnhancedWebSocketService,
  type ConnectOptions,
  type CredentialsProvider,
  type InboundData,
  type RecoveryRule,
} from 'holdfast';
import { WebSocket } from 'ws';

/** The services of the demo, in the order in which they are shown. */
export const SERVICE_NAMES = ['terminal', 'chat', 'main'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Shorter than the defaults, so that half a minute shows several episodes; the proportions are the same. */
export const RETRY = { baseMs: 250, capMs: 4_000, promptMs: 200, stableMs: 2_000 };
/** How a service that is cut off several times a second comes back. */
export const BRISK = { ...RETRY, baseMs: 10, capMs: 80, promptMs: 20 };
const HEARTBEAT = { intervalMs: 1_000, timeoutMs: 1_500 };

// without a wait of the table's own, which would hide whether the server was heard
const RATE_LIMIT: RecoveryRule = { status: 429, category: 'rate_limited', strategy: 'wait' };

/** Which wire each service speaks. */
export const WIRES: Record<ServiceName, 'plain' | 'holdfast.v1'> = {
  terminal: 'plain',
  chat: 'holdfast.v1',
  main: 'plain',
};

/** Which connection of each service is wanted. */
export const WANTED: Record<ServiceName, ConnectOptions> = {
  terminal: { serviceType: 'terminal', terminalId: 'my-terminal' },
  chat: { serviceType: 'chat' },
  main: { serviceType: 'main' },
};

export interface ClientOptions {
  random: () => number;
  /** Gives the tokens of `main`. */
  credentials: CredentialsProvider;
}

/** The client as an application would make it: three services, each at its own URL, one of them on holdfast.v1, one with tokens. */
export function createClient(
  urls: Record<ServiceName, string>,
  { random, credentials }: ClientOptions,
): EnhancedWebSocketService {
  const behaviour = { connectTimeoutMs: 1_000, retry: RETRY, heartbeat: HEARTBEAT };
  return new EnhancedWebSocketService({
    WebSocket,
    random,
    services: {
      terminal: { url: urls.terminal, ...behaviour, recovery: [RATE_LIMIT] },
      chat: { url: urls.chat, ...behaviour, wire: 'required' },
      main: {
        url: urls.main,
        ...behaviour,
        credentials,
        // a browser has no other place for a token but the URL, which proxies write down
        protocols: ({ credentials: token }) => (typeof token === 'string' ? ['demo', token] : []),
      },
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

/** What came: a message that came back, or one that the server sent of its own accord; with its number. */
export function contentOf(data: InboundData): { n: number; isNews: boolean } {
  const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
  const { type, n } = JSON.parse(text) as { type: string; n: number };
  return { n, isNews: type === 'news' };
}
