/** The audit log: every transition on record, tamper-evident, and replayable through the machines. */
export type { AuditEntry } from './chain.ts';
export type { AuditSink, SinkTail } from './sink.ts';
export { callbackSink, type CallbackSinkOptions } from './sinks/callback.ts';
export { httpSink, type HttpSinkOptions } from './sinks/http.ts';
export { memorySink, type MemorySink, type MemorySinkOptions } from './sinks/memory.ts';
export type { Problem, ProblemKind } from './findings.ts';
export {
  createSigner,
  createVerifier,
  type AuditKey,
  type SignatureAlgorithm,
  type Signer,
  type Verifier,
} from './signature.ts';
export { linesOf, type AuditLine, type AuditSource, type FlawedLine } from './source.ts';
export type { Verification } from './verification.ts';
export { verify, type VerifyOptions } from './verify.ts';
