import { drawDelay, initialContext, weighed } from '../machines/facts.ts';
import { DEFAULT_POLICY } from '../machines/policy.ts';
import { retryDelayMs } from '../src/core/backoff.ts';
import { classified, failure, type Failure } from '../src/core/recovery.ts';

/** What the wait before an attempt may depend on. */
export interface Loss {
  /** What the server asked for when it went, in ms; 0 for nothing. */
  retryAfterMs: number;
}

/** Gives the wait before the next attempt, in ms; `null`: there is none. */
export type Waits = () => number | null;

/** How a client comes back. */
export interface Way {
  name: string;
  /** Where its formula stands. */
  source: string;
  /** The waits of one client. `seed` is a 32-bit number, `random` gives numbers in [0, 1). */
  client(loss: Loss, chance: { seed: number; random: () => number }): Waits;
}

// the two parameters that the article leaves open
const BASE_MS = 500;
const CAP_MS = 30_000;
const AWS = `"Exponential Backoff And Jitter", AWS Architecture Blog, 2015; base ${BASE_MS} ms, cap ${CAP_MS} ms`;

const RESTART = { code: 1012, reason: '', wasClean: true, initiator: 'peer' } as const;

/** The draws of our own chart, with its default policy. */
export const OWN: readonly Way[] = [
  own('holdfast, stable before', 'stable', failure('CONNECTION_LOST')),
  own('holdfast, not yet stable', 'new', failure('CONNECTION_LOST')),
  own('holdfast, told by 1012', 'stable', classified({ code: 'CLOSED_BY_PEER', closure: RESTART, wire: 'plain' })),
];

/** What others do, by default, when a connection that was up breaks without a close frame. None of them knows of a time that a server asks for. */
export const PEERS: readonly Way[] = [
  {
    name: 'reconnecting-websocket',
    source: 'reconnecting-websocket 4.4.0, dist/reconnecting-websocket-cjs.js, _getNextDelay and DEFAULT',
    // the minimum is drawn once for each page
    client: (_loss, { random }) => geometric({ minMs: 1_000 + random() * 4_000, factor: 1.3, maxMs: 10_000 }),
  },
  {
    name: 'partysocket',
    source: 'partysocket 1.3.0, dist/ws.js, _getNextDelay and DEFAULT',
    client: () => geometric({ minMs: 3_000, factor: 1.3, maxMs: 10_000 }),
  },
  {
    name: 'socket.io-client',
    source: 'socket.io-client 4.8.4, build/cjs/contrib/backo2.js and manager.js',
    client: (_loss, { random }) =>
      counted((attempts) => {
        const ms = 1_000 * 2 ** attempts;
        const drawn = random();
        const deviation = Math.floor(drawn * 0.5 * ms);
        return Math.trunc(Math.min((Math.floor(drawn * 10) & 1) === 0 ? ms - deviation : ms + deviation, 5_000));
      }),
  },
  {
    name: 'graphql-ws',
    source: 'graphql-ws 6.4.2, dist/client.js, randomisedExponentialBackoff; 5 retries',
    client: (_loss, { random }) =>
      counted((retries) => (retries < 5 ? 2 ** retries * 1_000 + Math.floor(random() * 2_700 + 300) : null)),
  },
  { name: 'sockette', source: 'sockette 2.0.6, dist/sockette.js, reconnect', client: () => () => 1_000 },
  {
    name: 'phoenix.js',
    source: 'phoenix 1.8.16, priv/static/phoenix.mjs, reconnectAfterMs',
    client: () => counted((tries) => [10, 50, 100, 150, 200, 250, 500, 1_000, 2_000][tries] ?? 5_000),
  },
  {
    name: 'centrifuge-js',
    source: 'centrifuge 5.8.0, build/index.mjs, backoff; 500 and 20,000 ms',
    client: (_loss, { random }) =>
      counted((step) => {
        const interval = Math.floor(random() * (Math.min(20_000, 500 * 2 ** Math.min(step, 31)) + 1));
        return Math.min(20_000, 500 + interval);
      }),
  },
  {
    name: 'SignalR',
    source: '@microsoft/signalr 10.0.11, DefaultReconnectPolicy.js',
    client: () => counted((count) => [0, 2_000, 10_000, 30_000][count] ?? null),
  },
  {
    name: 'full jitter (AWS)',
    source: AWS,
    client: (_loss, { random }) => counted((attempt) => random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt)),
  },
  {
    name: 'equal jitter (AWS)',
    source: AWS,
    client: (_loss, { random }) =>
      counted((attempt) => {
        const half = Math.min(CAP_MS, BASE_MS * 2 ** attempt) / 2;
        return half + random() * half;
      }),
  },
  {
    name: 'decorrelated jitter (AWS)',
    source: AWS,
    client: (_loss, { random }) => {
      let sleepMs = BASE_MS;
      return () => {
        sleepMs = Math.min(CAP_MS, BASE_MS + random() * (sleepMs * 3 - BASE_MS));
        return sleepMs;
      };
    },
  },
];

function own(name: string, tenure: 'new' | 'stable', first: Failure): Way {
  return {
    name,
    source: 'machines/facts.ts, weighed and drawDelay; src/core/backoff.ts, retryDelayMs; DEFAULT_POLICY',
    client({ retryAfterMs }, { seed }) {
      const told = { ...first, retryAfterMs: Math.max(first.retryAfterMs, retryAfterMs) };
      let context = initialContext({
        id: 'c',
        serviceType: 's',
        policy: DEFAULT_POLICY,
        seed,
        network: 'online',
        page: 'visible',
      });
      return counted((retries) => {
        const failed = retries === 0 ? told : failure('HANDSHAKE_FAILED');
        context = { ...context, tenure, retries: retries + 1, failure: failed };
        context = { ...context, ...weighed(context) };
        context = { ...context, ...drawDelay(context, retryDelayMs) };
        return context.retryDelayMs;
      });
    },
  };
}

/** `waitMs` is told how many attempts were made before, from 0. */
function counted(waitMs: (attempts: number) => number | null): Waits {
  let attempts = 0;
  return () => waitMs(attempts++);
}

function geometric({ minMs, factor, maxMs }: { minMs: number; factor: number; maxMs: number }): Waits {
  return counted((attempts) => Math.min(minMs * factor ** attempts, maxMs));
}
