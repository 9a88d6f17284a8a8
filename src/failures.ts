import { closeRule, type CloseRule, type Failure } from './core/recovery.ts';
import { ConfigurationError, ConnectionError, ERRORS, type HoldfastError } from './errors.ts';
import type { EventSource } from './events.ts';

export interface FailureContext extends EventSource {
  generation: number;
  attempt: number;
  /** Whether a retry follows. */
  retryable: boolean;
  /** What a provider threw, when the failure is a provider's. */
  cause?: unknown;
  rules: readonly CloseRule[];
}

/** A recorded failure as the error that the application sees. */
export function errorOf(failure: Failure, context: FailureContext): HoldfastError {
  const { code, detail, closure } = failure;
  const { connectionId, serviceType, generation, attempt, retryable, cause } = context;
  const [codeCategory, , text] = ERRORS[code];
  const message = [text.slice(0, -1), closureText(failure), detail].filter(Boolean).join(': ');
  const details = { message: `${message}.`, connectionId, serviceType, retryable };
  if (codeCategory === 'configuration') return new ConfigurationError(code, details);
  return new ConnectionError(code, {
    ...details,
    generation,
    attempt,
    ...(code.endsWith('_FAILED') && cause !== undefined && { cause }),
    ...(closure && {
      // only the peer's own code says what kind of trouble it is
      ...(closure.initiator === 'peer' && { category: closeRule(closure.code, context.rules).category }),
      closeCode: closure.code,
      closeReason: closure.reason,
      initiator: closure.initiator,
    }),
  });
}

function closureText({ closure }: Failure): string {
  if (!closure) return '';
  return closure.reason === '' ? `code ${closure.code}` : `code ${closure.code} (${closure.reason})`;
}
