import { assign, emit, fromCallback, sendTo, setup, type EventObject } from 'xstate';

import { hiddenDelayMs, offlineDelayMs, promptDelayMs, retryDelayMs } from '../src/core/backoff.ts';
import { classified, ownClosure, type Failure, type RecoveryStrategy } from '../src/core/recovery.ts';
import {
  discontinuity,
  drawDelay,
  drawDeparture,
  environmentAfter,
  failedBy,
  heartbeatOf,
  lastFailure,
  linkedBy,
  openedBy,
  retrying,
  suspended,
  weighed,
  type ActorInput,
  type AuthorizerInput,
  type ConnectionContext,
  type ConnectionEmitted,
  type ConnectionEvent,
  type ConnectionInput,
  type ConnectionStateName,
  type FlowEdge,
  type GiveUpCause,
  type NegotiatorCommand,
  type RetryHold,
  type SocketCommand,
  type WireOffer,
} from './facts.ts';
import { healthMachine } from './health.ts';
import { outboxMachine, type OutboxEvent } from './outbox.ts';
import { DELAYS } from './policy.ts';
import { isBeyondRecovery, isUntried, offerAfterRefusal, withRefusal } from './trials.ts';

type ConnectionReport = 'connection.active' | 'connection.rested';

// what is forgotten once a connection is stable, or the application wants it anew
const NEW_EPISODE = { retries: 0, rejections: 0, tried: [] as RecoveryStrategy[], refused: [] as WireOffer[] };

/** What the chart of a connection does, asks and waits for, by name. */
export const connectionSetup = setup({
  types: {
    context: {} as ConnectionContext,
    input: {} as ConnectionInput,
    events: {} as ConnectionEvent,
    emitted: {} as ConnectionEmitted,
    tags: {} as ConnectionStateName,
  },
  actors: {
    /** Owns one WebSocket: dials, reports, closes; disposes of it when stopped. */
    socket: fromCallback<SocketCommand, ActorInput>(() => undefined),
    /** Waits for a turn to dial, and holds it for as long as it runs. */
    turn: fromCallback<EventObject, ActorInput>(() => undefined),
    /** Asks the credentials provider. */
    authorizer: fromCallback<EventObject, AuthorizerInput>(() => undefined),
    /** Asks the URL provider. */
    locator: fromCallback<EventObject, ActorInput>(() => undefined),
    /** Finds out which wire the server speaks, and opens or resumes the session on it. */
    negotiator: fromCallback<NegotiatorCommand, ActorInput>(() => undefined),
    /** Does what the profile asks for before the first message. */
    greeter: fromCallback<EventObject, ActorInput>(() => undefined),
    /** Joins outbox and inbox to the socket for as long as it runs. */
    traffic: fromCallback<EventObject, ActorInput>(() => undefined),
    health: healthMachine,
    /** Opens a second socket, and resumes the session on it. */
    successor: fromCallback<EventObject, ActorInput>(() => undefined),
    /** Asks the credentials provider, and hands to the server what it gives. */
    renewer: fromCallback<EventObject, ActorInput>(() => undefined),
    outbox: outboxMachine,
  },
  actions: {
    begin: assign({
      ...NEW_EPISODE,
      credentialsFailures: 0,
      credentials: 'fresh',
      tenure: 'new',
      failure: null,
      opens: 0,
    }),
    restore: assign(({ event }) => (event.type === 'restore' ? { ...event.known, failure: event.failure } : {})),
    changePolicy: assign(({ event }) => (event.type === 'policy.changed' ? { policy: event.policy } : {})),
    noteSignal: assign(({ event }) => environmentAfter(event)),
    advanceGeneration: assign({ generation: ({ context }) => context.generation + 1 }),
    dialSocket: sendTo('socket', ({ context: { generation, offer } }): SocketCommand => ({
      type: 'dial',
      generation,
      offer,
    })),
    closeSocket: sendTo('socket', ({ context }): SocketCommand => ({ type: 'close', ...context.closeRequest })),
    probeLink: sendTo('health', { type: 'probe' }),
    paceProbes: sendTo('health', ({ context }) => ({ type: 'pace' as const, policy: heartbeatOf(context) })),
    gradeLink: sendTo('health', ({ context }) => ({ type: 'grading' as const, isGraded: context.policy.isGraded })),
    rewatchLink: sendTo('health', ({ context }) => ({ type: 'watch' as const, policy: heartbeatOf(context) })),
    expectReplacement: assign({ mayBeReplaced: true }),
    noteLink: assign(({ event }) => linkedBy(event)),
    turnOffer: assign({ offer: ({ context, event }) => offerAfterRefusal(context, event) }),
    drawDeparture: assign(({ context, event }) => drawDeparture(context, event)),
    stopWaiting: sendTo('negotiator', { type: 'yield' }),
    announceLoss: emit(({ event }) => discontinuity(event)),
    recordOpen: assign({
      opens: ({ context }) => context.opens + 1,
      tenure: 'new',
      credentials: 'fresh',
      refused: [],
    }),
    settle: assign({ ...NEW_EPISODE, tenure: 'stable' }),
    keepCredentials: assign({ credentialsFailures: 0, credentials: 'kept' }),
    recordFailure: assign(({ context, event }) => failedBy(context, event)),
    noteRefusal: assign({ refused: ({ context, event }) => withRefusal(context.refused, event) }),
    recordCode: assign(({ context }, { code }: { code: Failure['code'] }) => ({
      failure: classified({ code, wire: context.wire }, context.policy.rules),
    })),
    recordSuspension: assign(({ context }) => suspended(context)),
    weighFailure: assign(({ context }) => weighed(context)),
    noteTrial: assign({ tried: ({ context: { tried, failure } }) => (failure ? [...tried, failure.strategy] : tried) }),
    recordOwnClose: assign({ failure: ({ context }) => ownClosure(context.closeRequest) }),
    countCredentialsFailure: assign({ credentialsFailures: ({ context }) => context.credentialsFailures + 1 }),
    recordCloseRequest: assign(({ event }) =>
      event.type === 'disconnect' ? { closeRequest: { code: event.code, reason: event.reason } } : {},
    ),
    countRetry: assign({ retries: ({ context }) => context.retries + 1 }),
    drawBackoff: assign(({ context }) => drawDelay(context, retryDelayMs)),
    drawPrompt: assign(({ context }) => drawDelay(context, promptDelayMs)),
    drawOffline: assign(({ context }) => drawDelay(context, offlineDelayMs)),
    /** Nobody looks, or somebody does: in either case no sooner than the peer asked for. */
    drawAsked: assign(({ context }) => drawDelay(context, context.page === 'hidden' ? hiddenDelayMs : retryDelayMs)),
    passFloor: assign({ floorMs: 0 }),
    drawHidden: assign(({ context }) => drawDelay(context, hiddenDelayMs)),
    announceOpened: emit(({ context }) => openedBy(context)),
    announceClosed: emit(({ context }) => ({ type: 'closed' as const, failure: lastFailure(context) })),
    announceFailure: emit(({ context }) => ({ type: 'failed' as const, failure: lastFailure(context) })),
    announceRetry: emit(({ context }, { hold }: { hold: RetryHold }) => retrying(context, hold)),
    announceGiveUp: emit((_, { because }: { because: GiveUpCause }) => ({ type: 'gave.up' as const, because })),
    announceGrade: emit(({ event }) => ({
      type: 'graded' as const,
      grade: event.type === 'health.graded' ? event.grade : 'unknown',
    })),
    announceFlow: emit((_, { edge }: { edge: FlowEdge }) => ({ type: edge })),
    tellOutbox: sendTo('outbox', (_, { type }: { type: OutboxEvent['type'] }): OutboxEvent => ({ type })),
    freeOutbox: sendTo('outbox', { type: 'resume' }),
    report: sendTo(
      ({ self }) => self._parent ?? self,
      ({ context }, { type }: { type: ConnectionReport }) => ({ type, id: context.id }),
    ),
  },
  guards: {
    isCurrent: ({ context, event }) => 'generation' in event && event.generation === context.generation,
    isOffered: ({ context, event }) =>
      event.type === 'socket.opened' && event.generation === context.generation && event.wire === 'offered',
    isWireRequired: ({ context }) => context.policy.wire === 'required',
    isFresh: ({ event }) => event.type === 'successor.welcomed' && !event.isResumed,
    hasLostCurrent: ({ context, event }) =>
      event.type === 'socket.opened' && event.generation === context.generation && Boolean(event.lost),
    hasLostSession: ({ event }) => 'lost' in event && event.lost !== null,
    isTerminal: ({ context }) => isBeyondRecovery(context),
    mayReauthenticate: ({ context }) => isUntried(context, 'reauthenticate'),
    mayRenegotiate: ({ context }) => isUntried(context, 'renegotiate'),
    mayBeginAnew: ({ context }) => isUntried(context, 'new_session'),
    isToldToWait: ({ context }) => context.floorMs > 0,
    isExhausted: ({ context: { policy, retries } }) => policy.maxRetries !== null && retries >= policy.maxRetries,
    areCredentialsExhausted: ({ context: { policy, credentialsFailures, rejections } }) =>
      (policy.maxCredentialsRetries !== null && credentialsFailures > policy.maxCredentialsRetries) ||
      (policy.maxRejections !== null && rejections > policy.maxRejections),
    isOffline: ({ context }) => context.network === 'offline',
    isHidden: ({ context }) => context.page === 'hidden',
    wasOpen: ({ event }) => event.type === 'restore' && event.wasOpen,
    isFrozen: ({ context }) => context.page === 'frozen',
    isSuspended: ({ context }) => context.failure?.code === 'PAGE_FROZEN',
  },
  delays: DELAYS,
});
