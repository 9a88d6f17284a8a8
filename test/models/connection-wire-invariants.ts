import { heartbeatOf, type ConnectionEvent, type WireName } from '../../machines/facts.ts';
import { leafOf } from '../support/machine-graph.ts';
import type { ConnectionSnapshot } from './connection-cases.ts';
import {
  enters,
  has,
  isEstablished,
  isFired,
  isLinked,
  isSucceeded,
  type ConnectionEdge,
  type Invariant,
} from './connection-invariants.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;

/** What the server asks for while messages flow. */
const ERRANDS = ['renewing', 'leaving', 'moving'];

const isIn =
  (...leaves: string[]) =>
  (snapshot: ConnectionSnapshot): boolean =>
    leaves.includes(leafOf(snapshot));
const isNegotiating = isIn('awaiting', 'introducing');
const wireOf = ({ context }: ConnectionSnapshot): WireName | null => context.wire;
const isWelcome = ({ type }: ConnectionEvent): boolean => /\.welcomed$/.test(type);
const asksForAnother = (event: ConnectionEvent): boolean =>
  'failure' in event && event.failure.strategy === 'renegotiate';
const isReplacement = (event: ConnectionEvent): boolean =>
  event.type === 'socket.closed' && event.failure.closure?.code === 4004;

/** A session is over without the application's will. */
function isLost({ event }: ConnectionEdge): boolean {
  return Boolean('lost' in event && event.lost) || (event.type === 'successor.welcomed' && !event.isResumed);
}

/** Whether a step announces a discontinuity. */
function announces({ effects }: ConnectionEdge): boolean {
  return effects.some((effect) => effect.startsWith('xstate.emit {"event":{"type":"discontinuity"'));
}

/** What holds because of holdfast.v1: which wire is spoken, and what becomes of the session. */
export const WIRE_INVARIANTS: readonly Invariant[] = [
  {
    says: 'negotiates exactly from the open socket, where holdfast.v1 was offered, to the wire that is spoken',
    holds: ({ to }) => has(to, 'negotiator') === isNegotiating(to) && (!isNegotiating(to) || wireOf(to) === null),
  },
  {
    says: 'has a second socket on its way exactly while it moves',
    holds: ({ to }) => has(to, 'successor') === isIn('moving')(to),
  },
  {
    says: 'asks for fresh credentials exactly while it renews them',
    holds: ({ to }) => has(to, 'renewer') === isIn('renewing')(to),
  },
  {
    says: 'negotiates only where holdfast.v1 was offered',
    holds: (edge) =>
      !enters(edge, isNegotiating) || (edge.event.type === 'socket.opened' && edge.event.wire === 'offered'),
  },
  {
    says: 'introduces itself only to a server that has proved what it speaks',
    holds: (edge) => !enters(edge, isIn('introducing')) || edge.event.type === 'wire.proven',
  },
  {
    says: 'knows its wire from the greeting to the end of the link',
    holds: ({ to }) => !(isLinked(to) || isIn('greeting', 'closing')(to)) || wireOf(to) !== null,
  },
  {
    says: 'speaks holdfast.v1 only after a welcome, its own or that of a session it shares',
    holds: ({ from, event, to }) =>
      wireOf(to) !== 'holdfast.v1' ||
      wireOf(from) === 'holdfast.v1' ||
      isWelcome(event) ||
      (event.type === 'socket.opened' && event.wire === 'shared'),
  },
  {
    says: 'never becomes plain where holdfast.v1 is required',
    holds: ({ to }) => to.context.policy.wire !== 'required' || wireOf(to) !== 'plain',
  },
  {
    says: 'keeps its wire while the link is in use',
    holds: ({ from, to }) => !(isLinked(from) && isLinked(to)) || wireOf(from) === wireOf(to),
  },
  {
    says: 'announces a discontinuity exactly when a session was lost, and before the link is used again',
    holds: (edge) =>
      announces(edge)
        ? isLost(edge) && leafOf(edge.to) === 'greeting'
        : !isLost(edge) || (edge.from === edge.to && !isSucceeded(edge)),
  },
  {
    says: 'withholds its offer only where the wire is a preference, after a handshake that was refused, or a peer that speaks another',
    holds: ({ from, event, to }) =>
      to.context.offer !== 'withheld' ||
      (to.context.policy.wire === 'prefer' &&
        (from.context.offer === 'withheld' ||
          asksForAnother(event) ||
          (leafOf(from) === 'dialing' && event.type === 'socket.closed'))),
  },
  {
    says: 'makes its offer again after every second handshake that was refused, and after each that was not',
    holds: ({ from, event, to }) =>
      leafOf(from) !== 'dialing' ||
      to === from ||
      from.context.offer === 'made' ||
      asksForAnother(event) ||
      !['socket.closed', 'socket.opened'].includes(event.type) ||
      to.context.offer === 'made',
  },
  {
    says: 'tries the other wire after a handshake that was refused, whichever it was meant for',
    holds: ({ from, event, to }) =>
      event.type !== 'socket.closed' || event.offer === undefined || to === from || to.context.offer !== event.offer,
  },
  {
    says: 'leaves within what the server gave, after a wait that a timer can hold',
    holds: (edge) => {
      const { from, event, to } = edge;
      const { departureMs } = to.context;
      if (event.type !== 'server.away' || leafOf(to) !== 'leaving')
        return departureMs === from.context.departureMs && !enters(edge, isIn('leaving'));
      const limitMs = Math.min(event.inMs, event.spreadMs, MAX_DELAY_MS);
      return Number.isInteger(departureMs) && departureMs >= 0 && departureMs <= limitMs;
    },
  },
  {
    says: 'moves only once it has waited, or when it needs fresh credentials as well',
    holds: (edge) =>
      !enters(edge, isIn('moving')) ||
      (leafOf(edge.from) === 'leaving' &&
        (isFired(edge.event, 'departure') || edge.event.type === 'credentials.demanded')) ||
      (leafOf(edge.from) === 'renewing' && edge.event.type === 'server.away'),
  },
  {
    says: 'does what the server asks for only on holdfast.v1, where it can ask',
    holds: ({ to }) => !isIn(...ERRANDS)(to) || wireOf(to) === 'holdfast.v1',
  },
  {
    says: 'gives up nothing that the server asks for because an answer is late',
    holds: ({ from, event, to }) => !isIn(...ERRANDS)(from) || !/^health\.(late|poor)$/.test(event.type) || to === from,
  },
  {
    says: 'goes on with the link when a second socket does not come',
    holds: ({ from, event, to }) =>
      leafOf(from) !== 'moving' ||
      !(event.type === 'successor.failed' || isFired(event, 'attemptTimeout')) ||
      (leafOf(to) === 'open' && to.children['traffic'] === from.children['traffic']),
  },
  {
    says: 'keeps traffic, outbox and health over a move of its session',
    holds: (edge) =>
      !isSucceeded(edge) ||
      isLost(edge) ||
      (leafOf(edge.to) === 'open' &&
        ['traffic', 'health', 'outbox'].every((id) => edge.to.children[id] === edge.from.children[id])),
  },
  {
    says: 'may be replaced by a socket of its own from the first move to the next welcome',
    holds: ({ from, event, to }) =>
      to.context.mayBeReplaced ===
      (isIn('moving')(to) || (from.context.mayBeReplaced && !(isWelcome(event) && to !== from))),
  },
  {
    says: 'takes no replacement for the end when the other socket may be its own',
    holds: ({ from, event, to }) =>
      to === from ||
      !isReplacement(event) ||
      !('failure' in event) ||
      to.context.failure?.strategy === (from.context.mayBeReplaced ? 'reconnect' : event.failure.strategy),
  },
  {
    says: 'knows how often the server wants to hear from it only on holdfast.v1',
    holds: ({ to }) => to.context.serverPing === null || wireOf(to) === 'holdfast.v1',
  },
  {
    says: 'watches a link no less often than the server wants',
    holds: ({ to }) =>
      !isEstablished(to) ||
      (heartbeatOf(to.context)?.intervalMs ?? 0) <= (to.context.serverPing?.intervalMs ?? Infinity),
  },
];
