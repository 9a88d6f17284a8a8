import { RETRY, type ServiceName } from './client.ts';
import type { Endpoint } from './endpoint.ts';
import { pause } from './wait.ts';

export const HURT_KINDS = [
  'terminate',
  'close 1001',
  'restart',
  'rate limit',
  'expired token',
  'turn away',
  'freeze',
] as const;
export type HurtKind = (typeof HURT_KINDS)[number];

/** One way to hurt a server. */
export interface Hurt {
  /** What is announced, after the service's name. */
  title: string;
  /** From the hurt to the client's leaving `open`. */
  noticedWithinMs: number;
  /** From the moment when the server can serve again to `open`. */
  openWithinMs: number;
  /** Does it; resolves when the server can serve again. */
  inflict: (endpoint: Endpoint, signal: AbortSignal) => Promise<void>;
}

const AWAY_MS = 500;
const TURN_AWAY_MS = 4_000;
const FREEZE_MS = 4_000;
const LIMIT_MS = 3_000;

// on top of what the options allow for: a busy machine, and the way there and back
const SLACK_MS = 2_000;
const AT_ONCE_MS = SLACK_MS;
const LONGEST_WAIT_MS = RETRY.capMs + SLACK_MS;

/** Every way to hurt a server that the demo knows. */
export const HURTS: Record<HurtKind, Hurt> = {
  terminate: {
    title: 'the socket is terminated without a close frame',
    noticedWithinMs: AT_ONCE_MS,
    openWithinMs: 2 * RETRY.baseMs + SLACK_MS,
    inflict: (endpoint) => {
      endpoint.order({ type: 'terminate' });
      return Promise.resolve();
    },
  },
  'close 1001': {
    title: 'the server says 1001 (going away) and closes cleanly',
    noticedWithinMs: AT_ONCE_MS,
    openWithinMs: 2 * RETRY.baseMs + SLACK_MS,
    inflict: (endpoint) => {
      endpoint.order({ type: 'close', code: 1001, reason: 'going away' });
      return Promise.resolve();
    },
  },
  restart: {
    title: 'the server process is killed and restarted on the same port',
    noticedWithinMs: AT_ONCE_MS,
    openWithinMs: LONGEST_WAIT_MS,
    inflict: async (endpoint, signal) => {
      await endpoint.kill();
      await pause(AWAY_MS, signal);
      await endpoint.start();
    },
  },
  'rate limit': {
    title: `for ${LIMIT_MS / 1_000} s each handshake is refused with 429 and Retry-After`,
    noticedWithinMs: AT_ONCE_MS,
    // who is told a time is not to come back with all the others at the end of it: it may take twice as long
    openWithinMs: LIMIT_MS + RETRY.promptMs + SLACK_MS,
    inflict: async (endpoint, signal) => {
      endpoint.order({ type: 'limit', ms: LIMIT_MS });
      await pause(LIMIT_MS, signal);
    },
  },
  'expired token': {
    title: 'its token expires: the server closes with 4401, then refuses it',
    noticedWithinMs: AT_ONCE_MS,
    // no wait but that which spreads a herd
    openWithinMs: RETRY.promptMs + SLACK_MS,
    inflict: (endpoint) => {
      endpoint.order({ type: 'expire' });
      return Promise.resolve();
    },
  },
  'turn away': {
    title: `for ${TURN_AWAY_MS / 1_000} s each connection is accepted, then closed`,
    noticedWithinMs: AT_ONCE_MS,
    openWithinMs: LONGEST_WAIT_MS,
    inflict: async (endpoint, signal) => {
      endpoint.order({ type: 'turn-away', on: true });
      await pause(TURN_AWAY_MS, signal);
      endpoint.order({ type: 'turn-away', on: false });
    },
  },
  freeze: {
    title: `the server process is frozen for ${FREEZE_MS / 1_000} s`,
    // all of it: a server that thaws unnoticed has proved nothing
    noticedWithinMs: FREEZE_MS,
    openWithinMs: LONGEST_WAIT_MS,
    inflict: async (endpoint, signal) => {
      // Windows has no way to stop a process from outside
      if (process.platform === 'win32') endpoint.order({ type: 'block', ms: FREEZE_MS });
      else endpoint.freeze();
      await pause(FREEZE_MS, signal);
      if (process.platform !== 'win32') endpoint.thaw();
    },
  },
};

/** What is done to whom, in this order: the first ones to each service in turn, the others to one on a plain wire. */
export const PROGRAMME: readonly { kind: HurtKind; name: ServiceName }[] = [
  { kind: 'terminate', name: 'terminal' },
  { kind: 'terminate', name: 'main' },
  { kind: 'terminate', name: 'chat' },
  { kind: 'close 1001', name: 'terminal' },
  { kind: 'close 1001', name: 'main' },
  { kind: 'close 1001', name: 'chat' },
  { kind: 'restart', name: 'terminal' },
  { kind: 'restart', name: 'main' },
  { kind: 'restart', name: 'chat' },
  { kind: 'rate limit', name: 'terminal' },
  { kind: 'expired token', name: 'main' },
  { kind: 'turn away', name: 'terminal' },
  { kind: 'freeze', name: 'main' },
];
