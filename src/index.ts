export {
  MAX_RETRY_AFTER_MS,
  STRATEGIES,
  type Closure,
  type Decision,
  type Failure,
  type RecoveryRule,
  type RecoveryStrategy,
} from './core/recovery.ts';
export { DEFAULT_RULES } from './core/recovery-table.ts';
export {
  AuditError,
  ConfigurationError,
  ConnectionError,
  ERRORS,
  FaultError,
  HoldfastError,
  InboundError,
  MessageError,
  type CloseInitiator,
  type ErrorCategory,
  type ErrorCode,
  type ErrorRecord,
  type ErrorSeverity,
  type MessageOutcome,
} from './errors.ts';
export type {
  ClosedEvent,
  DiscontinuityEvent,
  EscalatedEvent,
  FlowEvent,
  GaveUpEvent,
  HealthEvent,
  MessageEvent,
  MessageOf,
  OpenedEvent,
  OverflowedEvent,
  RetryingEvent,
  RoundTripEvent,
  ServiceEvents,
  StatusEvent,
  SettledEvent,
  UndeliveredEvent,
} from './events.ts';
export type { Advice, AdviceId, Because, Severity } from './core/advice.ts';
export type { Totals } from './core/rates.ts';
export type { RoundTripSummary } from './core/round-trips.ts';
export type { Grade, ScorePart, Scores } from './core/score.ts';
export type { TrendDirection, TrendPoint } from './core/trend.ts';
export type {
  HealthCounts,
  HealthInfo,
  HealthSummary,
  HealthTrend,
  Recommendation,
  Traffic,
  TroubleCount,
} from './health-info.ts';
export type { ErrorEntry, ErrorHistoryFilter, ErrorStatistics } from './error-history.ts';
export { describeError, USER_MESSAGES, type Description, type UserMessages } from './messages.ts';
export type { Connection } from './handle.ts';
export {
  DIAGNOSTIC_STEPS,
  type DiagnosticsOptions,
  type DiagnosticsReport,
  type DiagnosticStep,
  type DiagnosticStepId,
  type Verdict,
} from './diagnosis.ts';
export type { DiagnosticsExport } from './export.ts';
export type { Lease } from './leases.ts';
export type { InspectableSystem, Inspect, InspectionEvent } from './inspection.ts';
export type {
  AcquireOptions,
  AddressRequest,
  ConfigPatch,
  ConnectOptions,
  Credentials,
  CredentialsOptions,
  CredentialsProvider,
  CredentialsRequest,
  DestroyOptions,
  DisconnectOptions,
  EnhancedWebSocketOptions,
  HeartbeatOptions,
  QueueOptions,
  RestartOptions,
  RetryOptions,
  ServiceOptions,
  UrlProvider,
  WireOptions,
} from './options.ts';
export type { OverflowPolicy } from './backlog.ts';
export type { WireName } from '../machines/facts.ts';
export type { WireChoice } from '../machines/policy.ts';
export type { Priority } from './core/queue.ts';
export type { DrainOptions } from './draining.ts';
export type { ConnectionId, InboundAt, InboundOf, OutboundAt, OutboundOf, Services } from './identity.ts';
export type { WaitingMessage } from './message.ts';
export {
  bytesProfile,
  defineProfile,
  jsonProfile,
  plainProfile,
  textProfile,
  type Codec,
  type OpenContext,
  type Profile,
  type ReplyMatcher,
} from './protocol/profile.ts';
export type { StandardSchema } from './protocol/schema.ts';
export type { RequestHandler } from './answers.ts';
export type { MessageMeta } from './inbox.ts';
export type { RequestOptions } from './requests.ts';
export type { OutboxCounts } from './fates.ts';
export type { Fate, Receipt, SendOptions, SendOutcome } from './receipt.ts';
export { EnhancedWebSocketService } from './service.ts';
export type { ConnectionState, ConnectionStatus, Flow } from './status.ts';
export { systemClock, type Clock } from './transport/clock.ts';
export { platformSignals, silentSignals, type Signal, type SignalSource } from './transport/signals.ts';
export type { InboundData } from './transport/transport.ts';
export type { WebSocketConstructor, WebSocketLike } from './transport/websocket.ts';
