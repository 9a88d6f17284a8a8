/** What a connection knows, hears and says: the words that its chart is written in. */
import type { DelayFormula } from '../src/core/backoff.ts';
import { drawFrom } from '../src/core/chance.ts';
import { ownClosure, type Failure } from '../src/core/recovery.ts';
import type { HealthEdge } from './health.ts';
import type { OutboxEdge } from './outbox.ts';
import { DEFAULT_POLICY, type ConnectionPolicy } from './policy.ts';

/** The states that the world sees; each leaf of the chart carries one of them as its tag. */
export const CONNECTION_STATES = [
  'idle',
  'connecting',
  'open',
  'degraded',
  'backoff',
  'closing',
  'closed',
  'failed',
] as const;
export type ConnectionStateName = (typeof CONNECTION_STATES)[number];

export interface ConnectionInput extends Environment {
  id: string;
  serviceType: string;
  policy: ConnectionPolicy;
  /** Start of the generator that every draw of this connection comes from. */
  seed: number;
}

export interface ConnectionContext extends ConnectionInput {
  /** Which socket is the current one, counted from 1. Events of any other are ignored. */
  generation: number;
  /** Times the socket has opened since the application asked for the connection. */
  opens: number;
  /** Retries begun in this episode; back to 0 after the stable period, or when the application connects anew. */
  retries: number;
  /** Failures of the credentials provider in a row. */
  credentialsFailures: number;
  /** Whether the last open connection outlived the stable period; its first retry is prompt. */
  tenure: 'new' | 'stable';
  /** The wait chosen for the retry that is pending, in ms. */
  retryDelayMs: number;
  /** Whether the open link has a form of ping. */
  canPing: boolean;
  /** The last thing that went wrong; `null` until something has. */
  failure: Failure | null;
  /** What the application gave to its close. */
  closeRequest: { code: number; reason: string };
}

/** What the platform tells every connection. */
export interface EnvironmentSignal {
  type: 'network.online' | 'network.offline' | 'page.visible' | 'page.hidden' | 'system.woke';
}

/** What is known of the environment; the platform may be wrong about it. */
export interface Environment {
  network: 'online' | 'offline';
  page: 'visible' | 'hidden';
}

export type ConnectionEvent =
  | { type: 'connect' }
  | { type: 'disconnect'; code: number; reason: string }
  | { type: 'policy.changed'; policy: ConnectionPolicy }
  | EnvironmentSignal
  | { type: 'credentials.resolved' | 'url.resolved' | 'greeting.completed' }
  | { type: 'credentials.failed' | 'url.failed'; failure: Failure }
  | { type: 'socket.opened'; generation: number; canPing: boolean }
  | { type: 'socket.closed'; generation: number; failure: Failure }
  | { type: 'greeting.failed'; failure: Failure }
  | { type: 'pause' | 'resume' }
  | OutboxEdge
  | HealthEdge;

/** Every invoked actor finds its ports by the id of the connection it works for: they are no part of the chart. */
export interface ActorInput {
  connectionId: string;
}

/** What a connection announces. Emitted after the state it speaks of is reached. */
export type ConnectionEmitted =
  | { type: 'opened'; isReconnect: boolean; generation: number; retries: number }
  | { type: 'closed'; failure: Failure }
  | { type: 'failed'; failure: Failure }
  | { type: 'retrying'; delayMs: number; attempt: number; hold: RetryHold }
  | { type: 'gave.up'; because: GiveUpCause }
  | { type: FlowEdge };

/** The socket's buffer is over its high water mark, or no longer; the queue has no room. */
export type FlowEdge = 'congested' | 'relieved' | 'overflowed';

/** What a pending retry waits for, beside its delay. */
export type RetryHold = 'delay' | 'network' | 'visibility';
/** Why there will be no further retry. */
export type GiveUpCause = 'terminal' | 'exhausted' | 'credentials';

/** What the socket actor is told. */
export type SocketCommand = { type: 'dial'; generation: number } | { type: 'close'; code: number; reason: string };

/** The state that the world sees. */
export function stateOf(snapshot: { tags: ReadonlySet<string> }): ConnectionStateName {
  return CONNECTION_STATES.find((name) => snapshot.tags.has(name)) ?? 'idle';
}

// what every connection starts with, beside its input
const FRESH = {
  generation: 0,
  opens: 0,
  retries: 0,
  credentialsFailures: 0,
  tenure: 'new',
  retryDelayMs: 0,
  canPing: false,
  failure: null,
  closeRequest: { code: 1000, reason: '' },
} as const satisfies Omit<ConnectionContext, keyof ConnectionInput>;

const UNNAMED: ConnectionInput = {
  id: 'connection',
  serviceType: 'service',
  policy: DEFAULT_POLICY,
  seed: 0,
  network: 'online',
  page: 'visible',
};

/** What an event says about the environment; nothing, for most. */
export function environmentAfter(event: { type: string }): Partial<Environment> {
  switch (event.type) {
    case 'network.online':
      return { network: 'online' };
    case 'network.offline':
      return { network: 'offline' };
    case 'page.visible':
      return { page: 'visible' };
    case 'page.hidden':
      return { page: 'hidden' };
    default:
      return {};
  }
}

/** The context a connection starts with. A chart that is only looked at (drawn, imported, stepped) has no input. */
export function initialContext(input: ConnectionInput = UNNAMED): ConnectionContext {
  return { ...input, ...FRESH };
}

/** Why a socket is gone: what went wrong, or else our own close. */
export function lastFailure({ failure, closeRequest }: ConnectionContext): Failure {
  return failure ?? ownClosure(closeRequest);
}

/** How a connection says that it can be used. */
export function openedBy({ opens, generation, retries }: ConnectionContext): ConnectionEmitted {
  return { type: 'opened', isReconnect: opens > 1, generation, retries };
}

/** How a connection says that it will try again. */
export function retrying({ retryDelayMs, retries }: ConnectionContext, hold: RetryHold): ConnectionEmitted {
  return { type: 'retrying', delayMs: retryDelayMs, attempt: retries, hold };
}

/** The wait before the next retry, by a formula and the next draw of this connection's chance. */
export function drawDelay(
  context: ConnectionContext,
  delayMs: DelayFormula,
): Pick<ConnectionContext, 'seed' | 'retryDelayMs'> {
  const { seed, draw } = drawFrom(context.seed);
  const { retries, tenure, failure: last, policy } = context;
  const facts = { retry: retries, wasStable: tenure === 'stable', floorMs: last?.floorMs ?? 0 };
  return { seed, retryDelayMs: delayMs(policy.backoff, draw, facts) };
}
