import type { ConnectionContext } from '../machines/facts.ts';
import type { Failure } from './core/recovery.ts';
import type { HoldfastError } from './errors.ts';

/** The last thing that went wrong with a connection, as its chart has it and as the application is told: one error for each failure. */
export class LastFailure {
  failure: Failure | null = null;
  error: HoldfastError | null = null;

  /** The chart is at this point. `errorOf` makes the error of a failure that is new. */
  note({ failure }: Pick<ConnectionContext, 'failure'>, errorOf: (failure: Failure) => HoldfastError): void {
    if (failure === this.failure) return;
    this.failure = failure;
    // the application's own close is nothing that went wrong
    if (failure && failure.code !== 'CLOSED_LOCALLY') this.error = errorOf(failure);
  }
}
