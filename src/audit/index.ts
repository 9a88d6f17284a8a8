/** The audit log: every transition on record, tamper-evident, and replayable through the machines. */
export { AuditError, ConfigurationError, FaultError, HoldfastError } from '../errors.ts';
export type { AuditableConnection, AuditableService } from './attachment.ts';
export type { AuditEntry } from './chain.ts';
export type { CheckpointOptions } from './checkpoints.ts';
export { copyAsTest, type CopyAsTestOptions } from './copy-as-test.ts';
export { explain, type ExplainOptions } from './explain.ts';
export type {
  Attempt,
  ConnectionAccount,
  Counted,
  Death,
  Explanation,
  FailureAccount,
  LostMessage,
  MessagesAccount,
  Outage,
  OutageEnd,
  Question,
  StateAccount,
  Wait,
} from './explanation.ts';
export { createAuditLog, type AuditLog, type AuditLogOptions, type AuditLogStatus } from './log.ts';
export type {
  ActorRecordBase,
  AttachmentRecord,
  AuditLevel,
  AuditRecord,
  CheckpointRecord,
  ClosedRecord,
  CountsRecord,
  DiedRecord,
  FateRecord,
  GapRecord,
  Happened,
  Json,
  OpenedRecord,
  RecordBase,
  RemovedSegment,
  RetentionRecord,
  SealRecord,
  SegmentRecord,
  StartedRecord,
  StateRecord,
  StepRecord,
  StoppedRecord,
  TakenTransition,
} from './record.ts';
export { REDACTED, type RedactionOptions } from './redaction.ts';
export {
  rehearse,
  type RecordedEvent,
  type RehearsalStart,
  type RehearsedTurn,
  type RehearseOptions,
} from './rehearse.ts';
export { replay, type Divergence, type Replay } from './replay.ts';
export type { AuditSink, SinkTail } from './sink.ts';
export type { TrailStatus } from './trail.ts';
export { callbackSink, type CallbackSinkOptions } from './sinks/callback.ts';
export { readIndexedDb, type ReadIndexedDbOptions } from './sinks/database.ts';
export { httpSink, type HttpSinkOptions } from './sinks/http.ts';
export { indexedDbSink, type IndexedDbSinkOptions } from './sinks/indexed-db.ts';
export { memorySink, type MemorySink, type MemorySinkOptions } from './sinks/memory.ts';
export type { Problem, ProblemKind } from './findings.ts';
export {
  createSigner,
  createVerifier,
  type AuditCryptoKey,
  type AuditKey,
  type SignatureAlgorithm,
  type Signer,
  type Verifier,
} from './signature.ts';
export { linesOf, type AuditLine, type AuditSource, type FlawedLine } from './source.ts';
export type { Verification } from './verification.ts';
export { verify, type VerifyOptions } from './verify.ts';
