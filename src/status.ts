import { stateOf, type ConnectionContext, type ConnectionStateName, type WireName } from '../machines/facts.ts';
import type { HoldfastError } from './errors.ts';
import type { EventSource } from './events.ts';
import type { OutboxCounts } from './fates.ts';

/** The state that the world sees. */
export type ConnectionState = ConnectionStateName;

/**
 * In which mode messages leave: `detached`, they wait for a socket; `flowing`; `congested`, the socket's buffer is over its
 * high water mark; `paused` by the application; `draining` before a close.
 */
export type Flow = 'detached' | 'flowing' | 'congested' | 'paused' | 'draining';

/** What is known of a connection at one moment. A copy: it does not change. */
export interface ConnectionStatus extends EventSource {
  state: ConnectionState;
  /** Where exactly within the state, for example `dialing` in `connecting` or `offline` in `backoff`. */
  detail: string;
  /** When the state was entered, in ms since the epoch. */
  since: number;
  /** How many retries this episode has had; 0 once the connection is stable. */
  attempt: number;
  /** When the pending retry is due, in ms since the epoch; `null` when none is. */
  retryAt: number | null;
  /** Which socket is, or was, in use, from 1; 0 before the first. */
  generation: number;
  /** In which mode messages leave. */
  flow: Flow;
  /** Which wire the link speaks, or spoke last; `null` before that is known. */
  wire: WireName | null;
  /** The last round trip that was measured, in ms; `null` where none was. Only `holdfast.v1` measures it. */
  rttMs: number | null;
  /** The last thing that went wrong; `null` until something has. */
  lastError: HoldfastError | null;
  messages: OutboxCounts & { received: number };
}

/** The part of an actor's snapshot that a status is read from. */
export interface ConnectionSnapshot {
  value: unknown;
  tags: ReadonlySet<string>;
  context: ConnectionContext;
  children: Readonly<Record<string, { getSnapshot(): unknown } | undefined>>;
}

/** A state and where within it. */
export type Place = Pick<ConnectionStatus, 'state' | 'detail'>;

/** Where an actor stands. */
export function placeOf(snapshot: ConnectionSnapshot): Place {
  const state = stateOf(snapshot);
  const detail = innermost(snapshot.value);
  const flow = flowOf(snapshot);
  // an open connection that takes no messages is open all the same: where it hurts is the detail
  const isHeld = detail === 'open' && (flow === 'congested' || flow === 'paused');
  return { state, detail: isHeld ? flow : detail };
}

/** What is known beside an actor. */
type StatusFacts = Pick<ConnectionStatus, 'since' | 'retryAt' | 'rttMs' | 'lastError' | 'messages'> & { place: Place };

/** What an actor knows of its connection, with what is known beside it. */
export function statusOf(
  snapshot: ConnectionSnapshot | undefined,
  { connectionId, serviceType }: EventSource,
  { place, since, retryAt, rttMs, lastError, messages }: StatusFacts,
): ConnectionStatus {
  const { retries: attempt = 0, generation = 0, wire = null } = snapshot?.context ?? {};
  const { state, detail } = place;
  const flow = flowOf(snapshot);
  // one literal: an object that is spread together costs ten times as much
  return Object.freeze({
    connectionId,
    serviceType,
    state,
    detail,
    since,
    attempt,
    retryAt,
    generation,
    flow,
    wire,
    rttMs,
    lastError,
    messages,
  });
}

/** In which mode the messages of an actor leave. */
function flowOf(snapshot: ConnectionSnapshot | undefined): Flow {
  const outbox = snapshot?.children['outbox']?.getSnapshot() as { value: OutboxValue } | undefined;
  const value = outbox?.value;
  const mode = value?.attached ?? 'detached';
  return typeof mode === 'string' ? mode : 'draining';
}

/** Whether the application holds its messages back. */
export function isHeld(snapshot: ConnectionSnapshot): boolean {
  const outbox = snapshot.children['outbox']?.getSnapshot() as { value: OutboxValue } | undefined;
  return outbox?.value.attached === 'paused' || outbox?.value.detached === 'held';
}

interface OutboxValue {
  detached?: 'free' | 'held';
  attached?: Exclude<Flow, 'draining'> | { draining: string };
}

function innermost(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[name, inner] = ['', '']] = Object.entries(value as Record<string, unknown>);
  return inner === undefined ? name : innermost(inner);
}
