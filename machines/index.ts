/** The statecharts, as the tools of XState and tests import them: pure, with effects only named. */
export { connectionMachine } from './connection.ts';
export {
  CONNECTION_STATES,
  stateOf,
  type ConnectionContext,
  type ConnectionEmitted,
  type ConnectionEvent,
  type ConnectionInput,
  type ConnectionStateName,
} from './facts.ts';
export { healthMachine, type HealthEvent, type HealthInput, type HeartbeatPolicy } from './health.ts';
export { DEFAULT_POLICY, type ConnectionPolicy } from './policy.ts';
export { supervisorMachine, type SupervisorContext, type SupervisorEvent } from './supervisor.ts';
