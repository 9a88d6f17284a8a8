/** The version of the records and of the chain: a log says which it is written in. */
export const AUDIT_VERSION = 1;

/** JSON as the records hold it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What every record has. */
export interface RecordBase {
  /** {@link AUDIT_VERSION} */
  v: number;
  /** When, in ms since 1970, by the clock of the wall: it may jump. */
  at: number;
  /** The same on a clock that never runs backwards, in ms to a microsecond; it begins anywhere. */
  mono: number;
}

/** What every record of an actor has. */
export interface ActorRecordBase extends RecordBase {
  /** The ids of the actors from the root to this one, such as `service/group:1/connection:chat:1/outbox`. The root goes by the name of its service. */
  actor: string;
  /** The id of its machine, `@`, and the first 16 digits of the SHA-256 of the machine's definition: that of the drawings, and of the `opened` record in full. */
  machine: string;
  /** Which socket of the connection it is about, counted from 1; only of connections. */
  generation?: number;
  /** The paths of what was not written down, in this record. */
  redacted?: readonly string[];
}

/** A log begins, or goes on after its process has ended. */
export interface OpenedRecord extends RecordBase {
  kind: 'opened';
  /** Random: which run of the process. */
  run: string;
  /** The SHA-256 of each machine's definition, by its id. */
  machines: Readonly<Record<string, string>>;
  level: AuditLevel;
  /** The bytes of a line that the last run had not finished, and that were cut off. */
  torn?: number;
}

/** A segment begins. */
export interface SegmentRecord extends RecordBase {
  kind: 'segment';
  /** From 1. */
  segment: number;
}

/** What the segment holds is signed. */
export interface SealRecord extends RecordBase {
  kind: 'seal';
  algorithm: 'HMAC-SHA-256' | 'Ed25519';
  /** The name of the key. */
  key: string;
  /** The segment that it speaks of, up to the record before. */
  segment: number;
  /** In base64, of `holdfast-audit:1:`, the segment, `:` and the hash of the record before. */
  signature: string;
}

/** Segments were removed because they were old. */
export interface RetentionRecord extends RecordBase {
  kind: 'retention';
  removed: readonly RemovedSegment[];
}

export interface RemovedSegment {
  segment: number;
  /** Number and hash of its last record. */
  seq: number;
  hash: string;
}

/** Records are missing here: the sink was too slow, or failed. */
export interface GapRecord extends RecordBase {
  kind: 'gap';
  lost: number;
  /** When the first of them was made, in ms since 1970. */
  since: number;
}

/** Another log was as far as this: see the option `checkpoints`. */
export interface CheckpointRecord extends RecordBase {
  kind: 'checkpoint';
  /** The name of its sink. */
  of: string;
  /** Which run wrote it, as its `opened` says: a sink may begin a chain anew in each. */
  run?: string;
  seq: number;
  hash: string;
}

/** Nothing follows in this run. */
export interface ClosedRecord extends RecordBase {
  kind: 'closed';
}

/** A service is recorded from here on, or no longer. Its name is the first part of the paths of its actors. */
export interface AttachmentRecord extends RecordBase {
  kind: 'attached' | 'detached';
  service: string;
}

/** An actor was started. Its machine's first state follows from the input. */
export interface StartedRecord extends ActorRecordBase, Happened {
  kind: 'started';
}

/** How an actor is, of which what came before is not in this segment: from here on it can be replayed. */
export interface StateRecord extends ActorRecordBase {
  kind: 'state';
  to: Json;
  /** All of it. */
  context: Json;
  /** The ids of its children. */
  children: readonly string[];
}

/** An actor took an event. */
export interface StepRecord extends ActorRecordBase, Happened {
  kind: 'step';
  /** The state before. */
  from: Json;
}

/** What happens in a turn of an actor. */
export interface Happened {
  /** Who sent the event, as `actor`; absent where it came from outside. */
  source?: string;
  event: { readonly type: string; readonly [key: string]: Json };
  /** The state after. */
  to: Json;
  /** The transitions taken, in order; none for an event that changes nothing. */
  transitions?: readonly TakenTransition[];
  /** Guards that said no, where no transition was taken. */
  refused?: readonly string[];
  /** What was done: `send <event> to <actor>`, `emit <event>`, `start <actor>`, `stop <actor>`, `raise <event>`, or the name of an action. */
  effects?: readonly string[];
  /** The delays chosen. */
  delays?: readonly { readonly event: string; readonly ms: number }[];
  /** What has changed of the context, by key; what is gone is `null`. */
  context?: { readonly [key: string]: Json };
}

export interface TakenTransition {
  /** The id of the state whose transition it is. */
  source: string;
  /** The descriptor of the event; `''` for one that needs none. */
  on: string;
  /** The ids of the states that it leads to; absent for one that stays. */
  to?: readonly string[];
  /** What its guard said, and those of the ones that came before it in the same place, in order. */
  guards?: readonly { readonly guard: string; readonly holds: boolean }[];
  /** Its actions by name. */
  actions?: readonly string[];
}

/** An actor was stopped, or is done. */
export interface StoppedRecord extends ActorRecordBase {
  kind: 'stopped';
  /** The state that it was in. */
  from: Json;
  /** `done`: it reached its end; `stopped`: somebody ended it. */
  status: 'done' | 'stopped';
}

/** An actor died of a fault. */
export interface DiedRecord extends ActorRecordBase {
  kind: 'died';
  from: Json;
  error: Json;
}

/** What has become of the messages of a connection so far: when it lost its link or ended, and every minute where anything has changed. */
export interface CountsRecord extends RecordBase {
  kind: 'counts';
  service: string;
  connection: string;
  accepted: number;
  sent: number;
  acknowledged: number;
  dropped: number;
  unknown: number;
  waiting: number;
  refused: number;
  /** What the peer sent. */
  received: number;
  /** Those that were dropped, by the code of the error that says why. */
  droppedBy: Readonly<Record<string, number>>;
}

/** What is counted of messages. */
export const COUNTED = [
  'accepted',
  'sent',
  'acknowledged',
  'dropped',
  'unknown',
  'waiting',
  'refused',
  'received',
] as const satisfies (keyof CountsRecord)[];

/** What has become of one message. Only at the level `messages`. */
export interface FateRecord extends RecordBase {
  kind: 'fate';
  service: string;
  connection: string;
  direction: 'out' | 'in';
  /** Absent for what has no id. */
  id?: string;
  /** On the wire, before compression; absent where it is not known. */
  bytes?: number;
  /** `refused` was never accepted; `received` is of what came in. */
  fate: 'sent' | 'acknowledged' | 'dropped' | 'unknown' | 'refused' | 'received';
  /** The code of the error that says why. */
  because?: string;
  /** Only where payloads are asked for. */
  payload?: Json;
  redacted?: readonly string[];
}

/** A record of an audit log. */
export type AuditRecord =
  | OpenedRecord
  | SegmentRecord
  | SealRecord
  | RetentionRecord
  | GapRecord
  | CheckpointRecord
  | ClosedRecord
  | AttachmentRecord
  | StartedRecord
  | StateRecord
  | StepRecord
  | StoppedRecord
  | DiedRecord
  | CountsRecord
  | FateRecord;

/** How much is written down: each transition, or the fate of each message as well. */
export type AuditLevel = (typeof AUDIT_LEVELS)[number];
export const AUDIT_LEVELS = ['transitions', 'messages'] as const;
