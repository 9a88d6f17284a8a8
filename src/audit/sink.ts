import type { RemovedSegment } from './record.ts';

/**
 * Where lines of a log are kept. Nothing that a sink does reaches a connection: what it throws is reported, what it is too slow for is counted, and the log says so.
 * Calls never overlap: each waits for the one before.
 */
export interface AuditSink {
  /** For people, and in checkpoints. */
  readonly name: string;
  /**
   * Makes itself ready, and mends what a process that was killed has left; called again until it succeeds.
   *
   * @returns How far what is stored goes; `null` where nothing is stored.
   */
  open?(): SinkTail | null | Promise<SinkTail | null>;
  /**
   * Stores lines, each without a line break. When it resolves they are stored: all, or, when it rejects, none. What is rejected is given again, with what has come since.
   */
  append(lines: readonly string[]): void | Promise<void>;
  /** Whether the segment is so large or old that another should begin. Asked before each `append`. */
  isFull?(): boolean;
  /**
   * Ends this segment and begins the next. Called only after `isFull`.
   *
   * @returns Which segments it has removed because they were old, oldest first.
   */
  rotate?(): readonly RemovedSegment[] | Promise<readonly RemovedSegment[]>;
  /** Makes sure that what was appended outlives the machine's power, as far as the sink can. */
  flush?(): void | Promise<void>;
  /** Lets go of everything, also of a call that hangs. Nothing is called after it. */
  close?(): void | Promise<void>;
}

/** How far what a sink has stored goes. */
export interface SinkTail {
  /** The last whole line. */
  line: string;
  /** The number of the segment that it is in, from 1. */
  segment: number;
  /** Whether that segment has ended: what follows is in the next. @default false */
  isEnded?: boolean;
  /** Bytes of a line that was not finished, and was cut off. */
  torn?: number;
}
