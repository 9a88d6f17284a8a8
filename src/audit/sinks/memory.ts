import { check, object, positive, text } from '../../core/rules.ts';
import type { RemovedSegment } from '../record.ts';
import type { AuditSink } from '../sink.ts';
import { closedError, headOf } from './stored.ts';

export interface MemorySinkOptions {
  /** @default 'memory' */
  name?: string;
  /** How many lines are kept at most, give or take the last batch of each segment. @default 10_000 */
  maxRecords?: number;
  /** In how many segments: what is too old is dropped by the segment, so that what is left can be replayed. @default 4 */
  segments?: number;
}

/** A sink that keeps the newest part of a log in memory. */
export interface MemorySink extends AuditSink {
  /** What is there, oldest first. It stays there after `close`. */
  lines(): readonly string[];
}

const rule = object({ name: text, maxRecords: positive, segments: positive });

/**
 * Keeps the newest part of a log in memory, for tests and for whoever shows it.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`
 */
export function memorySink(options: MemorySinkOptions = {}): MemorySink {
  check(rule, options);
  const { name = 'memory', maxRecords = 10_000, segments = 4 } = options;
  const linesEach = Math.ceil(maxRecords / segments);
  const kept: string[][] = [];
  let running: string[] = [];
  let number = 1;
  let isClosed = false;
  const refuseClosed = (): void => {
    if (isClosed) throw closedError(name);
  };
  return {
    name,
    append(lines) {
      refuseClosed();
      for (const line of lines) running.push(line);
    },
    isFull: () => running.length >= linesEach,
    rotate() {
      refuseClosed();
      kept.push(running);
      running = [];
      number += 1;
      return kept
        .splice(0, Math.max(0, kept.length + 1 - segments))
        .map((segment, index, { length }): RemovedSegment => ({
          segment: number - kept.length - length + index,
          ...headOf(segment.at(-1) ?? ''),
        }));
    },
    close() {
      isClosed = true;
    },
    lines: () => [...kept.flat(), ...running],
  };
}
