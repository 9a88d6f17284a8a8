import type { ConnectionEmitted } from '../machines/facts.ts';
import type { HoldfastError } from './errors.ts';
import type { Emit, EventSource } from './events.ts';
import type { Monitor } from './monitor.ts';
import type { OverflowPolicy } from './backlog.ts';

/** What an announcement says beside what the chart knows. */
export interface AnnouncementFacts {
  source: EventSource;
  emit: Emit;
  /** The last thing that went wrong. */
  error: HoldfastError | null;
  /** Why no further attempt follows, where none does. */
  giveUp: HoldfastError | undefined;
  /** Messages that the last socket left in doubt. */
  inDoubt: number;
  /** `null` for no limit. */
  maxRetries: number | null;
  overflow: OverflowPolicy;
  monitor: Monitor | undefined;
}

/** Tells the application what its connection announced. */
export function announce(emitted: ConnectionEmitted, facts: AnnouncementFacts): void {
  const { source, emit, error } = facts;
  switch (emitted.type) {
    case 'opened': {
      const { isReconnect, generation, retries, wire, isResumed } = emitted;
      return emit('opened', { ...source, isReconnect, generation, attempt: retries, wire, isResumed });
    }
    case 'discontinuity':
      return emit('discontinuity', { ...source, why: emitted.why, inDoubt: emitted.inDoubt });
    case 'closed': {
      const { code = 1006, reason = '', wasClean = false, initiator = 'network' } = emitted.failure.closure ?? {};
      const why = emitted.failure.code === 'CLOSED_LOCALLY' ? null : error;
      return emit('closed', { ...source, code, reason, wasClean, initiator, error: why, inDoubt: facts.inDoubt });
    }
    case 'graded':
      return facts.monitor?.graded(emitted.grade);
    case 'failed':
      // a bug is reported where it happens
      if (error && error.category !== 'fault') emit('error', error);
      return;
    case 'retrying': {
      const { delayMs, attempt, hold } = emitted;
      const waitMs = delayMs ?? Infinity;
      const maxRetries = facts.maxRetries ?? Infinity;
      return emit('retrying', { ...source, delayMs: waitMs, attempt, maxRetries, waitingFor: hold, error });
    }
    case 'gave.up':
      if (facts.giveUp) emit('gaveUp', { ...source, because: emitted.because, error: facts.giveUp });
      return;
    case 'overflowed':
      return emit('overflowed', { ...source, policy: facts.overflow });
    case 'congested':
    case 'relieved':
      return emit('flow', { ...source, isCongested: emitted.type === 'congested' });
  }
}
