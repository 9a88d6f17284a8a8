import { ConnectionError, type ErrorCode } from './errors.ts';
import type { EventSource } from './events.ts';
import type { Outbox } from './outbox.ts';
import { check } from './core/rules.ts';
import { drainRule } from './schema.ts';
import type { Clock } from './transport/clock.ts';

/** How long an empty queue is waited for. */
export interface DrainOptions {
  /** Stops waiting; the messages stay where they are. */
  signal?: AbortSignal;
  /** Stops waiting after this time, in ms, likewise. @default none */
  timeoutMs?: number;
}

/** Resolves once every message of an outbox has its fate. Leaves no timer or listener behind. */
export async function drained(
  outbox: Outbox,
  options: DrainOptions,
  { clock, source }: { clock: Clock; source: EventSource },
): Promise<void> {
  check(drainRule, options);
  const { signal, timeoutMs } = options;
  let undo: () => void = () => undefined;
  await new Promise<void>((resolve, reject) => {
    const fail = (code: ErrorCode, cause?: unknown): void => {
      reject(new ConnectionError(code, { ...source, cause }));
    };
    if (signal?.aborted) return fail('DRAIN_ABORTED', signal.reason);
    const onAbort = (): void => {
      fail('DRAIN_ABORTED', signal?.reason);
    };
    const onTimeout = (): void => {
      fail('DRAIN_DEADLINE');
    };
    const timer = timeoutMs === undefined ? undefined : clock.setTimeout(onTimeout, timeoutMs);
    signal?.addEventListener('abort', onAbort);
    const forget = outbox.onceIdle(resolve);
    undo = () => {
      forget();
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }).finally(() => {
    undo();
  });
}
