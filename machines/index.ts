/** The statecharts, as the tools of XState and tests import them: pure, with effects only named. */
export { connectionMachine } from './connection.ts';
export type { BackoffPolicy } from '../src/core/backoff.ts';
export type { Closure, Failure, RecoveryRule, RecoveryStrategy } from '../src/core/recovery.ts';
export {
  CONNECTION_STATES,
  stateOf,
  type ActorInput,
  type ConnectionContext,
  type ConnectionEmitted,
  type ConnectionEvent,
  type ConnectionInput,
  type ConnectionStateName,
  type Environment,
  type EnvironmentSignal,
  type GiveUpCause,
  type RetryHold,
  type SocketCommand,
} from './facts.ts';
export {
  groupMachine,
  type ConnectionSeed,
  type GroupContext,
  type GroupEvent,
  type GroupInput,
  type GroupMember,
  type RestartIntensity,
} from './group.ts';
export { healthMachine, type HealthEdge, type HealthEvent, type HealthInput, type HeartbeatPolicy } from './health.ts';
export { outboxMachine, type OutboxEdge, type OutboxEvent, type OutboxInput } from './outbox.ts';
export { DEFAULT_POLICY, type ConnectionPolicy } from './policy.ts';
export {
  sessionMachine,
  type SessionContext,
  type SessionEnd,
  type SessionEvent,
  type SessionInput,
} from './session.ts';
export { supervisorMachine, type SupervisorContext, type SupervisorEvent, type SupervisorInput } from './supervisor.ts';
