/** What a connection knows, hears and says: the words that its chart is written in. */
import { MAX_DELAY_MS, type DelayFormula } from '../src/core/backoff.ts';
import { drawFrom } from '../src/core/chance.ts';
import { classified, ownClosure, type Failure, type RecoveryStrategy } from '../src/core/recovery.ts';
import type { Grade } from './grade.ts';
import type { HealthEdge, HeartbeatPolicy } from './health.ts';
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
  /** Whether the next attempt may use the credentials that the last one got, or has to ask for fresh ones. */
  credentials: CredentialsNeed;
  /** How often in this episode the peer has refused them. */
  rejections: number;
  /** What was tried in this episode without waiting for it: each once. */
  tried: RecoveryStrategy[];
  /** Which handshakes were refused for what they asked for, in this episode and since the last link: those with the name of holdfast.v1, those without. */
  refused: WireOffer[];
  /** Whether the last open connection outlived the stable period; its first retry is prompt. */
  tenure: 'new' | 'stable';
  /** The wait chosen for the retry that is pending, in ms. */
  retryDelayMs: number;
  /** How long the peer asked this side to stay away, in ms; 0 once it has. */
  floorMs: number;
  /** Whether the open link has a form of ping. */
  canPing: boolean;
  /** What the next attempt does with the name of holdfast.v1, where the wire is a preference. */
  offer: WireOffer;
  /** Which wire the link speaks; `null` until it is known. */
  wire: WireName | null;
  /** Whether the session of the link goes on from an earlier one. */
  isResumed: boolean;
  /** How often the server wants to hear from this side; `null` where it does not say. */
  serverPing: { intervalMs: number; timeoutMs: number } | null;
  /** From the server's request to be left to the departure, in ms. */
  departureMs: number;
  /** Whether a second socket of this side may have taken the session from the first. */
  mayBeReplaced: boolean;
  /** The last thing that went wrong; `null` until something has. */
  failure: Failure | null;
  /** What the application gave to its close. */
  closeRequest: { code: number; reason: string };
}

/** What of a connection outlives its actor. */
export type Memory = Pick<ConnectionContext, (typeof REMEMBERED)[number]>;

const REMEMBERED = [
  'seed',
  'generation',
  'opens',
  'retries',
  'credentialsFailures',
  'credentials',
  'rejections',
  'tried',
  'refused',
  'tenure',
  'offer',
] as const satisfies (keyof ConnectionContext)[];

/** What the platform tells every connection. */
export interface EnvironmentSignal {
  type: 'network.online' | 'network.offline' | 'page.visible' | 'page.hidden' | 'page.frozen' | 'system.woke';
}

/** What is known of the environment; the platform may be wrong about it. */
export interface Environment {
  network: 'online' | 'offline';
  /** `frozen`: nothing of it runs, or it is kept for the way back to it. */
  page: 'visible' | 'hidden' | 'frozen';
}

export type ConnectionEvent =
  | { type: 'connect' }
  /** Another actor of this connection died, of `failure`: this one goes on with what that one knew. */
  | { type: 'restore'; known: Memory; failure: Failure; wasOpen: boolean }
  | { type: 'disconnect'; code: number; reason: string }
  | { type: 'policy.changed'; policy: ConnectionPolicy }
  | EnvironmentSignal
  | { type: 'turn.granted' | 'credentials.resolved' | 'url.resolved' | 'wire.proven' | 'greeting.completed' }
  | { type: 'credentials.failed' | 'url.failed' | 'negotiation.failed'; failure: Failure }
  | {
      type: 'socket.opened';
      generation: number;
      canPing: boolean;
      /** Whether holdfast.v1 was offered, or is spoken already on a session that is shared. */
      wire: 'offered' | 'plain' | 'shared';
      /** Of a shared session only. */
      isResumed?: boolean;
      lost?: SessionLoss | null;
    }
  | { type: 'wire.plain'; canPing: boolean; lost: SessionLoss | null }
  | Welcomed
  /** The server asks to be left, within so many ms and some random part of so many. */
  | { type: 'server.away'; inMs: number; spreadMs: number }
  | Succession
  | { type: 'successor.failed' }
  /** The server asks for fresh credentials; it has taken them; there are none to give. */
  | { type: 'credentials.demanded' | 'credentials.renewed' | 'credentials.spent' }
  | {
      type: 'socket.closed';
      generation: number;
      failure: Failure;
      /** Of a handshake that was refused: what it did with the name of holdfast.v1, whatever the next one was to do. */
      offer?: WireOffer;
    }
  | { type: 'greeting.failed'; failure: Failure }
  | { type: 'pause' | 'resume' }
  | OutboxEdge
  | HealthEdge;

/** The name of a wire. */
export type WireName = 'plain' | 'holdfast.v1';
/** Whether the subprotocol is offered to the server. */
export type WireOffer = 'made' | 'withheld';

/** A session that is over without the application's will. */
export interface SessionLoss {
  /** Why: one of the words of `welcome`, `plain` for a server that speaks nothing else any more, `limits`, or `lost`. */
  why: string;
  /** Messages that it left in doubt. */
  inDoubt: number;
}

/** The server opened a session, or goes on with the one there was. */
export interface Welcomed {
  type: 'session.welcomed';
  isResumed: boolean;
  lost: SessionLoss | null;
  ping: { intervalMs: number; timeoutMs: number };
}

/** A newer socket was welcomed, and the one before is gone. */
export interface Succession extends Omit<Welcomed, 'type'> {
  type: 'successor.welcomed';
  generation: number;
}

/** Which credentials an attempt begins with. */
export type CredentialsNeed = 'kept' | 'fresh';

/** Every invoked actor finds its ports by the id of the connection it works for: they are no part of the chart. */
export interface ActorInput {
  connectionId: string;
}

/** What the authorizer is told. */
export interface AuthorizerInput extends ActorInput {
  credentials: CredentialsNeed;
}

/** What a connection announces. Emitted after the state it speaks of is reached. */
export type ConnectionEmitted =
  | { type: 'opened'; isReconnect: boolean; generation: number; retries: number; wire: WireName; isResumed: boolean }
  | { type: 'discontinuity'; why: string; inDoubt: number }
  | { type: 'closed'; failure: Failure }
  | { type: 'failed'; failure: Failure }
  | { type: 'retrying'; delayMs: number | null; attempt: number; hold: RetryHold }
  | { type: 'gave.up'; because: GiveUpCause }
  | { type: 'graded'; grade: Grade }
  | { type: FlowEdge };

/** The socket's buffer is over its high water mark, or no longer; the queue has no room. */
export type FlowEdge = 'congested' | 'relieved' | 'overflowed';

/** What a pending retry waits for: beside its delay or, where that is `null`, instead of it. */
export type RetryHold = 'delay' | 'server' | 'network' | 'visibility' | 'page';
/** Why there will be no further retry. */
export type GiveUpCause = 'terminal' | 'exhausted' | 'credentials';

/** What the socket actor is told. */
export type SocketCommand =
  { type: 'dial'; generation: number; offer: WireOffer } | { type: 'close'; code: number; reason: string };

/** What the negotiator is told: a server that has said nothing so far speaks plain. */
export interface NegotiatorCommand {
  type: 'yield';
}

/** The state that the world sees. */
export function stateOf(snapshot: { tags: ReadonlySet<string> }): ConnectionStateName {
  return CONNECTION_STATES.find((name) => snapshot.tags.has(name)) ?? 'idle';
}

// what every connection starts with, beside its input
const FRESH: Omit<ConnectionContext, keyof ConnectionInput> = {
  generation: 0,
  opens: 0,
  retries: 0,
  credentialsFailures: 0,
  credentials: 'fresh',
  rejections: 0,
  tried: [],
  refused: [],
  tenure: 'new',
  retryDelayMs: 0,
  floorMs: 0,
  canPing: false,
  offer: 'made',
  wire: null,
  isResumed: false,
  serverPing: null,
  departureMs: 0,
  mayBeReplaced: false,
  failure: null,
  closeRequest: { code: 1000, reason: '' },
};

const LEAST_INTERVAL_MS = 100;
// source: PROTOCOL.md, "Close codes"
const REPLACED = 4004;

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
    case 'page.frozen':
      return { page: 'frozen' };
    default:
      return {};
  }
}

/** The context a connection starts with. A chart that is only looked at (drawn, imported, stepped) has no input. */
export function initialContext(input: ConnectionInput = UNNAMED): ConnectionContext {
  return { ...input, ...FRESH };
}

/** What is to outlive the actor that knew it. */
export function memoryOf(context: ConnectionContext): Memory {
  return Object.fromEntries(REMEMBERED.map((key) => [key, context[key]])) as unknown as Memory;
}

/** Why a socket is gone: what went wrong, or else our own close. */
export function lastFailure({ failure, closeRequest }: ConnectionContext): Failure {
  return failure ?? ownClosure(closeRequest);
}

/** How a connection says that it can be used. */
export function openedBy(context: ConnectionContext): ConnectionEmitted {
  const { opens, generation, retries, wire, isResumed } = context;
  return { type: 'opened', isReconnect: opens > 1, generation, retries, wire: wire ?? 'plain', isResumed };
}

/** What is known of a link from the event that tells of it. */
export function linkedBy(event: ConnectionEvent): Partial<ConnectionContext> {
  switch (event.type) {
    case 'socket.opened': {
      const wire = event.wire === 'offered' ? null : event.wire === 'shared' ? 'holdfast.v1' : 'plain';
      const { canPing, isResumed = false } = event;
      return { canPing, wire, isResumed, serverPing: null, offer: 'made' };
    }
    case 'wire.plain':
      return { canPing: event.canPing, wire: 'plain', isResumed: false };
    case 'session.welcomed':
    case 'successor.welcomed': {
      const { isResumed, ping: serverPing } = event;
      const known = { canPing: true, wire: 'holdfast.v1', isResumed, serverPing, mayBeReplaced: false } as const;
      return event.type === 'successor.welcomed' ? { ...known, generation: event.generation } : known;
    }
    default:
      return {};
  }
}

/** What went wrong. The first of two sockets may be told of the second, as of anybody's, before this side hears of it. */
export function failedBy({ mayBeReplaced }: ConnectionContext, event: ConnectionEvent): Partial<ConnectionContext> {
  if (!('failure' in event)) return {};
  const { failure } = event;
  const isOurs = mayBeReplaced && failure.closure?.code === REPLACED;
  return { failure: isOurs ? { ...failure, strategy: 'reconnect' } : failure };
}

/** What a failure means for the next attempt, whenever that is. */
export function weighed({ failure, rejections, policy }: ConnectionContext): Partial<ConnectionContext> {
  const floorMs = failure?.retryAfterMs ?? 0;
  switch (failure?.strategy) {
    case 'reauthenticate':
      return { floorMs, credentials: 'fresh', rejections: rejections + 1 };
    case 'renegotiate':
      // after a handshake that was refused the next one is on the other wire already
      return policy.wire === 'prefer' && failure.code !== 'HANDSHAKE_FAILED'
        ? { floorMs, offer: 'withheld' }
        : { floorMs };
    default:
      return { floorMs };
  }
}

/** How a connection says that its session is over, and another has begun. */
export function discontinuity(event: ConnectionEvent): ConnectionEmitted {
  const { why, inDoubt } = ('lost' in event && event.lost) || { why: 'lost', inDoubt: 0 };
  return { type: 'discontinuity', why, inDoubt };
}

/**
 * How the open link is watched: less often while nobody looks, and no less often than the server wants, for it takes silence for death, also of a client that does
 * not want to watch; `null` for not at all.
 */
export function heartbeatOf({ canPing, policy, serverPing, page }: ConnectionContext): HeartbeatPolicy | null {
  const own = policy.heartbeat && page === 'hidden' ? relaxed(policy.heartbeat, policy) : policy.heartbeat;
  if (!canPing || !serverPing) return canPing ? own : null;
  // whatever it asks for, nobody pings without a pause
  const wantedMs = Math.min(MAX_DELAY_MS, Math.max(serverPing.intervalMs, LEAST_INTERVAL_MS));
  if (own) return { ...own, intervalMs: Math.min(own.intervalMs, wantedMs) };
  const timeoutMs = Math.min(MAX_DELAY_MS, Math.max(serverPing.timeoutMs, LEAST_INTERVAL_MS));
  return { intervalMs: wantedMs, promptMs: wantedMs, lateMs: Math.floor(timeoutMs / 4), timeoutMs };
}

// timers of a hidden page come late, and nobody is there to see a link that is late
function relaxed(heartbeat: HeartbeatPolicy, { backoff }: ConnectionPolicy): HeartbeatPolicy {
  return { ...heartbeat, intervalMs: Math.max(heartbeat.intervalMs, backoff.hiddenMs) };
}

/** What it means for a link, or an attempt to make one, that its page is frozen: it is let go of, and nothing has failed. */
export function suspended({ wire, policy }: ConnectionContext): Pick<ConnectionContext, 'failure'> {
  const closure = { code: 1006, reason: '', wasClean: false, initiator: 'local' } as const;
  return { failure: classified({ code: 'PAGE_FROZEN', closure, wire }, policy.rules) };
}

/** How a connection says that it will try again. */
export function retrying({ retryDelayMs, retries }: ConnectionContext, hold: RetryHold): ConnectionEmitted {
  return { type: 'retrying', delayMs: hold === 'page' ? null : retryDelayMs, attempt: retries, hold };
}

/** The wait before a connection leaves a server that asks it to: a random part of what it gives. */
export function drawDeparture(context: ConnectionContext, event: ConnectionEvent): Partial<ConnectionContext> {
  if (event.type !== 'server.away') return {};
  const { seed, draw } = drawFrom(context.seed);
  return { seed, departureMs: Math.round(draw * Math.min(event.spreadMs, event.inMs, MAX_DELAY_MS)) };
}

/** The wait before the next retry, by a formula and the next draw of this connection's chance. */
export function drawDelay(
  context: ConnectionContext,
  delayMs: DelayFormula,
): Pick<ConnectionContext, 'seed' | 'retryDelayMs'> {
  const { seed, draw } = drawFrom(context.seed);
  const { retries, tenure, floorMs: retryAfterMs, policy } = context;
  const facts = { retry: retries, wasStable: tenure === 'stable', retryAfterMs };
  return { seed, retryDelayMs: delayMs(policy.backoff, draw, facts) };
}
