import { memoryOf, type ConnectionEvent } from '../machines/facts.ts';
import type { ConnectionPolicy } from '../machines/policy.ts';
import { failure } from './core/recovery.ts';
import { isHeld, type ConnectionSnapshot, type Place } from './status.ts';

/** What the application knows of a connection whose actor died, and wants of it. */
export interface Bequest {
  place: Place;
  /** Whether somebody waits for it to open. */
  isAwaited: boolean;
  /** Whether somebody waits for it to close. */
  isEnding: boolean;
  policy: ConnectionPolicy;
}

/** What the next actor is told. */
export interface Restoration {
  /** What makes it as the other was, while it is still idle. */
  prepare: readonly ConnectionEvent[];
  /** What makes it go on, or rest. */
  resume: ConnectionEvent | undefined;
}

/** What the first actor of a connection is told. */
export const FIRST: Restoration = { prepare: [], resume: undefined };

/** What the actor is told that takes the place of one that died: to go on where that one was, as after any loss, or to rest. */
export function restorationOf(
  dead: ConnectionSnapshot,
  { place: { state }, isAwaited, isEnding, policy }: Bequest,
): Restoration {
  const isOpen = state === 'open' || state === 'degraded';
  const isUnderWay = isOpen || state === 'connecting' || state === 'backoff';
  const prepare: ConnectionEvent[] = [{ type: 'policy.changed', policy }];
  if (isHeld(dead)) prepare.push({ type: 'pause' });
  if (!isAwaited && (isEnding || !isUnderWay))
    return { prepare, resume: { type: 'disconnect', code: 1000, reason: '' } };
  // whoever asked the connection to stay away asked all of its actors
  const retryAfterMs = state === 'backoff' ? dead.context.floorMs : 0;
  const resume: ConnectionEvent = {
    type: 'restore',
    known: memoryOf(dead.context),
    failure: { ...failure('INTERNAL_FAULT'), retryAfterMs },
    wasOpen: isOpen,
  };
  return { prepare, resume };
}
