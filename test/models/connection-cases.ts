import { createActor, initialTransition, type SnapshotFrom } from 'xstate';

import { connectionMachine } from '../../machines/connection.ts';
import {
  initialContext,
  memoryOf,
  type ConnectionEmitted,
  type ConnectionEvent,
  type ConnectionInput,
  type SessionLoss,
  type WireOffer,
} from '../../machines/facts.ts';
import { DEFAULT_POLICY, type ConnectionPolicy } from '../../machines/policy.ts';
import { classified, closureErrorCode, failure, type Failure } from '../../src/core/recovery.ts';
import type { RecoveryRule } from '../../src/protocol/recovery-rule.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { leafOf, stepThrough, type Step } from '../support/machine-graph.ts';

export type ConnectionSnapshot = SnapshotFrom<typeof connectionMachine>;

/** A connection as the tests make it; `policy` is merged with the default one. */
export interface Given extends Partial<Omit<ConnectionInput, 'policy'>> {
  policy?: Partial<ConnectionPolicy>;
}

export function inputOf({ policy, ...rest }: Given = {}): ConnectionInput {
  return {
    id: 'c1',
    serviceType: 'main',
    seed: 1,
    network: 'online',
    page: 'visible',
    ...rest,
    policy: { ...DEFAULT_POLICY, ...policy },
  };
}

/** The same failure, about which nobody but the application can do anything. */
export const manual = (failed: Failure): Failure => ({ ...failed, strategy: 'manual' });

export const unreachable = failure('URL_FAILED');
export const refused = failure('CREDENTIALS_FAILED');

/** The failure of a socket that was open and that the peer closed with this code. */
export function closedWith(code: number, rules: readonly RecoveryRule[] = []): Failure {
  const initiator = code === 1005 || code === 1006 ? 'network' : 'peer';
  const closure = { code, reason: '', wasClean: initiator === 'peer', initiator } as const;
  return classified({ code: closureErrorCode(closure, true), closure }, rules);
}

/** The failure of a handshake that was refused with this status. */
export function refusedWith(status: number): Failure {
  const closure = { code: 1006, reason: '', wasClean: false, initiator: 'network', status } as const;
  return classified({ code: closureErrorCode(closure, false), closure });
}

/** The same of a socket that spoke holdfast.v1. */
export function closedOnWire(code: number): Failure {
  const closure = { code, reason: '', wasClean: true, initiator: 'peer' } as const;
  return classified({ code: 'CLOSED_BY_PEER', closure, wire: 'holdfast.v1' });
}

export const connect = { type: 'connect' } satisfies ConnectionEvent;
/** An actor goes on for one that died while it was on its way, or while it was open. */
export const restore = {
  type: 'restore',
  known: { ...memoryOf(initialContext()), opens: 2 },
  failure: failure('INTERNAL_FAULT'),
  wasOpen: false,
} satisfies ConnectionEvent;
export const granted = { type: 'turn.granted' } satisfies ConnectionEvent;
export const disconnect = { type: 'disconnect', code: 1000, reason: 'bye' } satisfies ConnectionEvent;

export function opened(generation: number, canPing = true): ConnectionEvent {
  return { type: 'socket.opened', generation, canPing, wire: 'plain' };
}

/** A socket that was opened with the name of holdfast.v1 in its handshake. */
export function offered(generation: number): ConnectionEvent {
  return { type: 'socket.opened', generation, canPing: true, wire: 'offered' };
}

/** A part in a session that others use too. */
export function shared(generation: number, lost: SessionLoss | null = null): ConnectionEvent {
  return { type: 'socket.opened', generation, canPing: true, wire: 'shared', isResumed: lost === null, lost };
}

export const proven = { type: 'wire.proven' } satisfies ConnectionEvent;
export const greeted = { type: 'greeting.completed' } satisfies ConnectionEvent;
export const demanded = { type: 'credentials.demanded' } satisfies ConnectionEvent;
export const loss: SessionLoss = { why: 'unknown', inDoubt: 2 };

export function plain(lost: SessionLoss | null = null): ConnectionEvent {
  return { type: 'wire.plain', canPing: true, lost };
}

// as seldom as a test wants the timers of the health actor to fire
const ping = { intervalMs: 5e8, timeoutMs: 1e9 };

export function welcomed(lost: SessionLoss | null = null): ConnectionEvent {
  return { type: 'session.welcomed', isResumed: false, lost, ping };
}

export function away(inMs = 30_000, spreadMs = 10_000): ConnectionEvent {
  return { type: 'server.away', inMs, spreadMs };
}

/** The second socket has the session, or `lost` says why it has another. */
export function succeeded(generation: number, lost: SessionLoss | null = null): ConnectionEvent {
  const isResumed = lost === null;
  return { type: 'successor.welcomed', generation, isResumed, lost, ping: { intervalMs: 2.5e8, timeoutMs: 1e9 } };
}

export function closed(
  generation: number,
  failed: Failure = closedWith(1006),
  offer: WireOffer | null = null,
): ConnectionEvent {
  return { type: 'socket.closed', generation, failure: failed, ...(offer && { offer }) };
}

/** A timer that fires, for stepping; real actors have their clock for that. */
export function elapsed(delay: string, state: string): ConnectionEvent {
  return { type: `xstate.after.${delay}.connection.${state}` } as unknown as ConnectionEvent;
}

/** From the wish to the open link: what the actors of one attempt say. */
export function attempt(generation: number): ConnectionEvent[] {
  return [granted, { type: 'credentials.resolved' }, { type: 'url.resolved' }, opened(generation), greeted];
}

/** The same with a server that speaks holdfast.v1. */
export function sessionAttempt(generation: number): ConnectionEvent[] {
  return [...attempt(generation).slice(0, 3), offered(generation), proven, welcomed(), greeted];
}

const toOpen = [connect, ...attempt(1)];
const toSession = [connect, ...sessionAttempt(1)];

/** For each leaf of the chart, events that lead to it. */
export const WAYS = {
  idle: [],
  queued: [connect],
  authorizing: toOpen.slice(0, 2),
  locating: toOpen.slice(0, 3),
  dialing: toOpen.slice(0, 4),
  awaiting: toSession.slice(0, 5),
  introducing: toSession.slice(0, 6),
  greeting: toOpen.slice(0, 5),
  open: toOpen,
  degraded: [...toOpen, { type: 'health.late' }],
  renewing: [...toSession, demanded],
  leaving: [...toSession, away()],
  moving: [...toSession, away(), demanded],
  draining: [...toOpen, disconnect],
  closing: [...toOpen, disconnect, { type: 'outbox.emptied' }],
  waiting: [...toOpen, closed(1)],
  told: [...toOpen, closed(1, closedWith(1013))],
  offline: [...toOpen, closed(1), { type: 'network.offline' }],
  hidden: [...toOpen, closed(1), { type: 'page.hidden' }],
  suspended: [...toOpen, { type: 'page.frozen' }],
  closed: [connect, disconnect],
  failed: [...toOpen, closed(1, closedWith(1008))],
} as const satisfies Record<string, readonly ConnectionEvent[]>;

export type Leaf = keyof typeof WAYS;
export const LEAVES = Object.keys(WAYS) as Leaf[];
/** Those that only a server that speaks holdfast.v1 leads to. */
export const WIRE_LEAVES: readonly Leaf[] = ['awaiting', 'introducing', 'renewing', 'leaving', 'moving'];

/** Steps a connection from its start, running nothing. */
export function stepped(events: readonly ConnectionEvent[], given?: Given): Step<ConnectionSnapshot> {
  const [start] = initialTransition(connectionMachine, inputOf(given));
  return stepThrough(connectionMachine, start, events);
}

/** A real connection with placeholder actors, on a clock of its own. */
export interface Running {
  clock: SimulatedClock;
  emitted: ConnectionEmitted[];
  tell: (...events: ConnectionEvent[]) => void;
  listen: (listener: (event: ConnectionEmitted) => void) => void;
  snapshot: () => ConnectionSnapshot;
  leaf: () => string;
  stop: () => void;
}

export function running(given?: Given, machine = connectionMachine): Running {
  const clock = new SimulatedClock();
  const emitted: ConnectionEmitted[] = [];
  const actor = createActor(machine, { clock, input: inputOf(given) });
  const listen: Running['listen'] = (listener) => void actor.on('*', listener);
  listen((event) => emitted.push(event));
  actor.start();
  return {
    clock,
    emitted,
    listen,
    tell: (...events) => events.forEach((event) => actor.send(event)),
    snapshot: () => actor.getSnapshot(),
    leaf: () => leafOf(actor.getSnapshot()),
    stop: () => void actor.stop(),
  };
}
