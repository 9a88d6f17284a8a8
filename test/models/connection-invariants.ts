import { CONNECTION_STATES, stateOf, type ConnectionEvent } from '../../machines/facts.ts';
import { isBeyondRecovery } from '../../machines/trials.ts';
import { leafOf, type Edge } from '../support/machine-graph.ts';
import type { ConnectionSnapshot } from './connection-cases.ts';

export type ConnectionEdge = Edge<ConnectionSnapshot, ConnectionEvent>;

/** Something that holds for every step a connection can make, as a sentence about connections. */
export interface Invariant {
  says: string;
  holds: (edge: ConnectionEdge) => boolean;
}

const MAX_DELAY_MS = 2 ** 31 - 1;
const actors = [
  ...['socket', 'turn', 'authorizer', 'locator', 'negotiator', 'greeter', 'traffic', 'health', 'renewer', 'successor'],
  'outbox',
];

export const has = ({ children }: ConnectionSnapshot, id: string): boolean => children[id] !== undefined;
const isLive = (snapshot: ConnectionSnapshot): boolean => snapshot.matches('live');
export const isEstablished = (snapshot: ConnectionSnapshot): boolean =>
  snapshot.matches({ live: { linked: 'established' } });
export const isLinked = (snapshot: ConnectionSnapshot): boolean => snapshot.matches({ live: 'linked' });
/** The application has asked for the end of a link. */
const isEnded = (snapshot: ConnectionSnapshot): boolean => ['draining', 'closing'].includes(leafOf(snapshot));
const isWaiting = (snapshot: ConnectionSnapshot): boolean => snapshot.matches('backoff');
export const isFired = ({ type }: { type: string }, delay: string): boolean =>
  type.startsWith(`xstate.after.${delay}.`);
export const enters = ({ from, to }: ConnectionEdge, isIn: (snapshot: ConnectionSnapshot) => boolean): boolean =>
  isIn(to) && !isIn(from);
const isDialled = (snapshot: ConnectionSnapshot): boolean =>
  isLive(snapshot) && !['queued', 'authorizing', 'locating'].includes(leafOf(snapshot));
/** A second socket has taken the place of the first. */
export const isSucceeded = ({ from, event }: ConnectionEdge): boolean =>
  leafOf(from) === 'moving' && event.type === 'successor.welcomed';
/** Where `connect` begins a new episode instead of hastening the one under way. */
const isEnding = (snapshot: ConnectionSnapshot): boolean =>
  isEnded(snapshot) || ['idle', 'closed', 'failed'].includes(leafOf(snapshot));
const leaves = ({ from, to }: ConnectionEdge, leaf: string): boolean => leafOf(from) === leaf && leafOf(to) !== leaf;

/** The environment signals and a change of policy are noted in every state. */
const isNote = ({ type }: ConnectionEvent): boolean => /^(network|page|policy)\./.test(type);

/** Which events can move each state to another one that the world sees. */
const MOVES: Record<string, readonly string[]> = {
  idle: ['connecting', 'backoff', 'failed', 'closed'],
  connecting: ['open', 'backoff', 'failed', 'closed'],
  open: ['degraded', 'connecting', 'backoff', 'failed', 'closing'],
  degraded: ['open', 'backoff', 'failed', 'closing'],
  backoff: ['connecting', 'closed'],
  closing: ['closed', 'connecting'],
  closed: ['connecting'],
  failed: ['connecting', 'closed'],
};

export const INVARIANTS: readonly Invariant[] = [
  {
    says: 'rests in exactly one of the states that the world sees',
    holds: ({ to }) => CONNECTION_STATES.filter((name) => to.tags.has(name)).length === 1,
  },
  {
    says: 'moves between those states only as the table says (pain 58)',
    holds: ({ from, to }) => stateOf(from) === stateOf(to) || (MOVES[stateOf(from)] ?? []).includes(stateOf(to)),
  },
  {
    says: 'has a socket exactly while it is live (pain 22)',
    holds: ({ to }) => has(to, 'socket') === isLive(to),
  },
  {
    says: 'joins the traffic exactly while a link is in use: established, or draining before its close',
    holds: ({ to }) =>
      has(to, 'traffic') === isLinked(to) && isLinked(to) === (isEstablished(to) || leafOf(to) === 'draining'),
  },
  {
    says: 'has its outbox from the beginning to the end (pain 20)',
    holds: ({ from, to }) => has(to, 'outbox') && to.children['outbox'] === from.children['outbox'],
  },
  {
    says: 'watches the health exactly while a link is established',
    holds: ({ to }) => has(to, 'health') === isEstablished(to),
  },
  {
    says: 'waits for a turn to dial and holds it exactly while it is connecting (pain 24)',
    holds: ({ to }) => has(to, 'turn') === (stateOf(to) === 'connecting'),
  },
  {
    says: 'begins an attempt only when it is given a turn',
    holds: (edge) =>
      !enters(edge, (snapshot) => leafOf(snapshot) === 'authorizing') || edge.event.type === 'turn.granted',
  },
  {
    says: 'asks for credentials, a URL and a greeting one after the other, each only in its own step',
    holds: ({ to }) =>
      has(to, 'authorizer') === (leafOf(to) === 'authorizing') &&
      has(to, 'locator') === (leafOf(to) === 'locating') &&
      has(to, 'greeter') === (leafOf(to) === 'greeting'),
  },
  {
    says: 'runs no actor but these eleven',
    holds: ({ to }) => Object.keys(to.children).every((id) => actors.includes(id)),
  },
  {
    says: 'keeps one socket from the wish to connect to the end of the link',
    holds: ({ from, event, to }) =>
      !(isLive(from) && isLive(to)) ||
      (event.type === 'connect') !== (from.children['socket'] === to.children['socket']) ||
      (event.type === 'connect' && !isEnded(from)),
  },
  {
    says: 'raises the generation by one when it dials or a second socket takes over, and never otherwise',
    holds: (edge) =>
      edge.to.context.generation - edge.from.context.generation ===
      (enters(edge, (snapshot) => leafOf(snapshot) === 'dialing') || isSucceeded(edge) ? 1 : 0),
  },
  {
    says: 'lets an event of an older socket change nothing (pain 21)',
    holds: ({ from, event, to }) =>
      !('generation' in event && event.generation < from.context.generation) || to === from,
  },
  {
    says: 'hears of a socket only while one is dialled, open or closing (pain 21)',
    holds: ({ from, event, to }) => !('generation' in event) || to === from || isDialled(from),
  },
  {
    says: 'opens only by a greeting that completed, on a socket that opened',
    holds: (edge) =>
      !enters(edge, isEstablished) || (edge.event.type === 'greeting.completed' && leafOf(edge.from) === 'greeting'),
  },
  {
    says: 'counts an opening exactly when a link is established',
    holds: (edge) =>
      ['connect', 'restore'].includes(edge.event.type) ||
      edge.to.context.opens - edge.from.context.opens === (enters(edge, isEstablished) ? 1 : 0),
  },
  {
    says: 'forgets its openings only when the application connects anew',
    holds: ({ from, event, to }) =>
      to.context.opens >= from.context.opens || (event.type === 'connect' && isEnding(from) && to.context.opens === 0),
  },
  {
    says: 'never has begun more retries than the policy allows',
    holds: ({ to }) => to.context.retries <= (to.context.policy.maxRetries ?? Infinity),
  },
  {
    says: 'counts a retry exactly when it enters backoff from outside, but for a page that is frozen (pain 23)',
    holds: (edge) =>
      edge.to.context.retries <= edge.from.context.retries
        ? !enters(edge, isWaiting) || edge.event.type === 'page.frozen'
        : enters(edge, isWaiting) && edge.to.context.retries === edge.from.context.retries + 1,
  },
  {
    says: 'forgets its retries only after the stable period, or when the application connects anew (pain 32)',
    holds: ({ from, event, to }) =>
      to.context.retries >= from.context.retries ||
      (to.context.retries === 0 && (isFired(event, 'stablePeriod') || (event.type === 'connect' && isEnding(from)))),
  },
  {
    says: 'begins with nothing counted when the application connects anew',
    holds: ({ from, event, to: { context } }) =>
      !(event.type === 'connect' && isEnding(from)) ||
      (context.retries === 0 &&
        context.credentialsFailures === 0 &&
        context.tenure === 'new' &&
        context.failure === null),
  },
  {
    says: 'is stable only once the stable period has passed, and until the next opening',
    holds: ({ from, event, to }) =>
      to.context.tenure === from.context.tenure ||
      (to.context.tenure === 'stable' ? isFired(event, 'stablePeriod') : isEstablished(to) || event.type === 'connect'),
  },
  {
    says: 'is not yet stable when a link is established',
    holds: (edge) => !enters(edge, isEstablished) || edge.to.context.tenure === 'new',
  },
  {
    says: 'fails its credentials at most once more than they may be retried',
    holds: ({ to: { context } }) =>
      context.credentialsFailures <= (context.policy.maxCredentialsRetries ?? Infinity) + 1,
  },
  {
    says: 'has failed only by a strategy that cannot be followed, or by a budget that is spent (pain 28)',
    holds: ({ to: { context }, to }) =>
      leafOf(to) !== 'failed' ||
      isBeyondRecovery(context) ||
      context.retries === context.policy.maxRetries ||
      context.credentialsFailures > (context.policy.maxCredentialsRetries ?? Infinity) ||
      context.rejections > (context.policy.maxRejections ?? Infinity),
  },
  {
    says: 'never retries what is left to the application (original fault 20)',
    holds: (edge) => !enters(edge, isWaiting) || !isBeyondRecovery(edge.to.context),
  },
  {
    says: 'waits in backoff for a time that a timer can hold',
    holds: ({ to }) =>
      !isWaiting(to) ||
      (Number.isInteger(to.context.retryDelayMs) &&
        to.context.retryDelayMs >= 0 &&
        to.context.retryDelayMs <= MAX_DELAY_MS),
  },
  {
    says: 'waits no longer than the longest wait of its policy',
    holds: ({ to }) => {
      const { backoff } = to.context.policy;
      const retryAfterMs = to.context.failure?.retryAfterMs ?? 0;
      const longestMs = Math.max(
        backoff.capMs,
        backoff.offlineMs,
        backoff.hiddenMs,
        retryAfterMs + Math.max(backoff.baseMs, Math.min(backoff.capMs, retryAfterMs)),
      );
      return !isWaiting(to) || to.context.retryDelayMs <= longestMs;
    },
  },
  {
    says: 'draws only to choose a wait, and keeps the seed otherwise',
    holds: ({ from, event, to }) =>
      to.context.seed === from.context.seed ||
      isWaiting(to) ||
      (event.type === 'server.away' && isEstablished(from) && isEstablished(to)),
  },
  {
    says: 'is suspended only while the page is frozen, and waits in no other way then (pain 37)',
    holds: ({ to }) => !isWaiting(to) || (leafOf(to) === 'suspended') === (to.context.page === 'frozen'),
  },
  {
    says: 'lets go of every socket when the page is frozen, and makes none then but for the application (pain 37)',
    holds: ({ from, event, to }) =>
      (event.type !== 'page.frozen' || !has(to, 'socket')) &&
      (to.context.page !== 'frozen' || has(from, 'socket') || !has(to, 'socket') || event.type === 'connect'),
  },
  {
    says: 'holds for the network only while it is reported absent and the page lives, and waits only for a peer that asked for time then',
    holds: ({ to }) =>
      !isWaiting(to) ||
      leafOf(to) === 'told' ||
      (leafOf(to) === 'offline') === (to.context.network === 'offline' && to.context.page !== 'frozen'),
  },
  {
    says: 'holds for the page only while it is hidden and the network is there, and waits only for a peer that asked for time then',
    holds: ({ to }) =>
      !isWaiting(to) ||
      leafOf(to) === 'told' ||
      (leafOf(to) === 'hidden') === (to.context.page === 'hidden' && to.context.network === 'online'),
  },
  {
    says: 'leaves idle only for the application, and never returns to it',
    holds: (edge) =>
      (!leaves(edge, 'idle') || ['connect', 'restore', 'disconnect'].includes(edge.event.type)) &&
      !enters(edge, (snapshot) => leafOf(snapshot) === 'idle'),
  },
  {
    says: 'leaves closed only by connect (pain 25)',
    holds: (edge) => !leaves(edge, 'closed') || edge.event.type === 'connect',
  },
  {
    says: 'leaves failed only by connect or disconnect',
    holds: (edge) => !leaves(edge, 'failed') || ['connect', 'disconnect'].includes(edge.event.type),
  },
  {
    says: 'is live after connect, whatever it was before, but for a peer that asked for time (pain 1)',
    holds: ({ from, event, to }) => event.type !== 'connect' || isLive(to) || (leafOf(from) === 'told' && to === from),
  },
  {
    says: 'stays away from a peer that asked for time until it is over, whatever is reported; a page that is frozen counts anew',
    holds: ({ from, event, to }) =>
      leafOf(from) !== 'told' ||
      leafOf(to) === 'told' ||
      isFired(event, 'retryDelay') ||
      ['disconnect', 'page.frozen'].includes(event.type),
  },
  {
    says: 'owes a peer time exactly while it waits for that, or its page is frozen',
    holds: ({ to }) =>
      !isWaiting(to) || leafOf(to) === 'suspended' || to.context.floorMs > 0 === (leafOf(to) === 'told'),
  },
  {
    says: 'is closing or closed after disconnect, whatever it was before',
    holds: ({ event, to }) => event.type !== 'disconnect' || isEnded(to) || leafOf(to) === 'closed',
  },
  {
    says: 'ends only a link that the application disconnects',
    holds: (edge) => !enters(edge, isEnded) || (edge.event.type === 'disconnect' && leafOf(edge.to) === 'draining'),
  },
  {
    says: 'closes the socket only once nothing waits any more, or when the time for that is over',
    holds: (edge) =>
      !enters(edge, (snapshot) => leafOf(snapshot) === 'closing') ||
      (leafOf(edge.from) === 'draining' &&
        (edge.event.type === 'outbox.emptied' || isFired(edge.event, 'drainTimeout'))),
  },
  {
    says: 'keeps what the application gave to its close until the next',
    holds: ({ from, event, to }) =>
      to.context.closeRequest === from.context.closeRequest || event.type === 'disconnect',
  },
  {
    says: 'degrades only by a late answer or a poor grade, and recovers only by a word of the server (pain 3) (pain 59)',
    holds: ({ from, event, to }) =>
      !(isEstablished(from) && isEstablished(to)) ||
      (leafOf(from) === 'degraded') === (leafOf(to) === 'degraded') ||
      (leafOf(to) === 'degraded'
        ? event.type === 'health.late' || event.type === 'health.poor'
        : ['health.recovered', 'server.away', 'credentials.demanded'].includes(event.type)),
  },
  {
    says: 'passes a grade on, and goes nowhere for it',
    holds: ({ from, event, to }) => event.type !== 'health.graded' || leafOf(to) === leafOf(from),
  },
  {
    says: 'leaves a dead link without waiting for it (original fault 24)',
    holds: ({ from, event, to }) => !(isEstablished(from) && event.type === 'health.dead') || !isLive(to),
  },
  {
    says: 'knows in backoff and in failed what went wrong',
    holds: ({ to }) => !['backoff', 'failed'].includes(stateOf(to)) || to.context.failure !== null,
  },
  {
    says: 'knows of the environment what was reported last',
    holds: ({ from, event, to }) =>
      to.context.network ===
        (/^network\./.test(event.type) ? event.type.slice('network.'.length) : from.context.network) &&
      to.context.page === (/^page\./.test(event.type) ? event.type.slice('page.'.length) : from.context.page),
  },
  {
    says: 'changes its policy only by an event that brings one',
    holds: ({ from, event, to }) =>
      to.context.policy === (event.type === 'policy.changed' ? event.policy : from.context.policy),
  },
  {
    says: 'moves on a note of the environment or a policy only while it waits, but for a page that is frozen',
    holds: ({ from, event, to }) =>
      !isNote(event) ||
      leafOf(from) === leafOf(to) ||
      (isWaiting(from) && isWaiting(to)) ||
      (event.type === 'page.frozen' && isLive(from) && leafOf(to) === (isEnded(from) ? 'closed' : 'suspended')),
  },
  {
    says: 'is moved by nothing that its messages do, but for the end of a drain',
    holds: ({ from, event, to }) =>
      !/^(outbox\.|pause|resume)/.test(event.type) ||
      leafOf(from) === leafOf(to) ||
      (event.type === 'outbox.emptied' && leafOf(from) === 'draining'),
  },
  {
    says: 'keeps its name and its service',
    holds: ({ from, to }) => to.context.id === from.context.id && to.context.serviceType === from.context.serviceType,
  },
];
