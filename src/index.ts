export { CLOSE_RULES, closeRule, type CloseRule, type Closure, type Failure, type Verdict } from './core/recovery.ts';
export {
  ConfigurationError,
  ConnectionError,
  ERRORS,
  FaultError,
  HoldfastError,
  MessageError,
  type CloseInitiator,
  type ErrorCategory,
  type ErrorCode,
  type ErrorSeverity,
  type MessageOutcome,
} from './errors.ts';
export type {
  ClosedEvent,
  GaveUpEvent,
  MessageEvent,
  OpenedEvent,
  RetryingEvent,
  ServiceEvents,
  StatusEvent,
} from './events.ts';
export type { Connection } from './handle.ts';
export type { InspectableSystem, Inspect, InspectionEvent } from './inspection.ts';
export type {
  AddressRequest,
  ConfigPatch,
  ConnectOptions,
  Credentials,
  CredentialsOptions,
  CredentialsProvider,
  CredentialsRequest,
  DisconnectOptions,
  EnhancedWebSocketOptions,
  HeartbeatOptions,
  QueueOptions,
  RetryOptions,
  ServiceOptions,
  UrlProvider,
} from './options.ts';
export type { OutboxCounts } from './outbox.ts';
export type { Receipt, SendOutcome } from './receipt.ts';
export { EnhancedWebSocketService, type DestroyOptions } from './service.ts';
export type { ConnectionState, ConnectionStatus } from './status.ts';
export { systemClock, type Clock } from './transport/clock.ts';
export { platformSignals, silentSignals, type Signal, type SignalSource } from './transport/signals.ts';
export type { InboundData } from './transport/transport.ts';
export type { WebSocketConstructor, WebSocketLike } from './transport/websocket.ts';
