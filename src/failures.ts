import { stateOf, type GiveUpCause } from '../machines/facts.ts';
import type { Failure } from './core/recovery.ts';
import { ConfigurationError, ConnectionError, ERRORS, FaultError, HoldfastError, type ErrorCode } from './errors.ts';
import type { EventSource } from './events.ts';
import type { ConnectionSnapshot } from './status.ts';

export interface FailureContext extends EventSource {
  generation: number;
  attempt: number;
  /** Whether a retry follows. */
  retryable: boolean;
  /** Whether the connection has failed of it. @default false */
  isFatal?: boolean;
  /** What a provider threw, when the failure is a provider's; what an actor died of. */
  cause?: unknown;
}

/** Which attempt it is that an actor has just seen fail. */
export function attemptOf(snapshot: ConnectionSnapshot): Omit<FailureContext, keyof EventSource | 'cause'> {
  const { generation, retries, failure } = snapshot.context;
  const state = stateOf(snapshot);
  const retryable = state === 'backoff';
  // in backoff the retry that answers the failure is counted already; a frozen page costs none
  const isCounted = retryable && failure?.code !== 'PAGE_FROZEN';
  return { generation, attempt: isCounted ? retries - 1 : retries, retryable, isFatal: state === 'failed' };
}

/** A recorded failure as the error that the application sees. */
export function errorOf(failure: Failure, context: FailureContext): HoldfastError {
  const { code, category, strategy, retryAfterMs, detail, closure } = failure;
  const { connectionId, serviceType, generation, attempt, retryable, isFatal = false, cause } = context;
  const [kind, , text] = ERRORS[code];
  const message = [text.slice(0, -1), closureText(failure), detail].filter(Boolean).join(': ');
  const details = {
    message: `${message}.`,
    category,
    connectionId,
    serviceType,
    retryable,
    // it heals no more by itself
    ...(isFatal && { severity: 'fatal' as const }),
    ...(retryAfterMs > 0 && { retryAfterMs }),
  };
  if (kind === 'fault') return new FaultError('INTERNAL_FAULT', { ...details, cause });
  if (kind === 'configuration') return new ConfigurationError(code, details);
  return new ConnectionError(code, {
    ...details,
    generation,
    attempt,
    strategy,
    ...(code.endsWith('_FAILED') && cause !== undefined && { cause }),
    ...(closure && {
      closeCode: closure.code,
      closeReason: closure.reason,
      initiator: closure.initiator,
      ...(closure.status !== undefined && { httpStatus: closure.status }),
    }),
  });
}

/** Why a connection has ended that did not fail: its application closed it, or destroyed the service. */
export function endError(code: ErrorCode, source: EventSource): HoldfastError {
  return code === 'SERVICE_DESTROYED' ? new HoldfastError(code, source) : new ConnectionError('CLOSED_LOCALLY', source);
}

/** Why there will be no further retry, as an error. `maxRetries`: `null` for no limit. */
export function giveUpError(because: GiveUpCause, last: HoldfastError, maxRetries: number | null): HoldfastError {
  // where retrying is off, the one failure is the whole story
  if (because !== 'exhausted' || maxRetries === 0) return last;
  const { connectionId, serviceType, category } = last;
  const source = { ...(connectionId && { connectionId }), ...(serviceType && { serviceType }) };
  return new ConnectionError('RETRIES_EXHAUSTED', { ...source, category, cause: last });
}

function closureText({ closure }: Failure): string {
  // where there was an answer, 1006 says only that it was no close frame
  if (!closure || closure.status !== undefined) return '';
  return closure.reason === '' ? `code ${closure.code}` : `code ${closure.code} (${closure.reason})`;
}

/** What kind of thing was thrown, in words that can go on record: its message may quote anything, and its name be made of anything as well. */
export function kindOf(cause: unknown): string {
  const kind = new HoldfastError('INTERNAL_FAULT', { cause }).toJSON().cause?.name ?? 'undefined';
  return kind === typeof cause ? `a ${kind}` : kind;
}
