import type { ConnectionEvent } from '../machines/facts.ts';
import type { Failure } from './core/recovery.ts';
import { within } from './deadline.ts';
import { Endpoint, type RequestFacts } from './endpoint.ts';
import type { ServiceSettings } from './settings.ts';
import type { Clock } from './transport/clock.ts';

export interface RenewalOptions {
  settings: () => ServiceSettings;
  clock: Clock;
  facts: RequestFacts;
  /** Gives a fresh token to the server. */
  give: (token: string) => void;
  tell: (event: ConnectionEvent) => void;
  /** Hears why there is no token, and what the provider threw, if it did. */
  failed: (failed: Failure, cause: unknown) => void;
}

/** Fresh credentials within a session: asked of the provider, given to the server, and done when the server has taken them. */
export class Renewal {
  readonly #options: RenewalOptions;
  readonly #undo: () => void;
  #isGiven = false;

  constructor(options: RenewalOptions) {
    const { settings, clock, facts, give, tell, failed } = options;
    this.#options = options;
    const endpoint = new Endpoint(settings, () => clock.now());
    // the chart stops waiting after this time: who is late is to be told of before
    const timeoutMs = settings().policy.credentialsTimeoutMs - 1;
    this.#undo = within(
      { clock, timeoutMs, code: 'CREDENTIALS_TIMEOUT' },
      (settled) => endpoint.authorize(facts, 'fresh', settled),
      (failure) => {
        const { token, cause } = endpoint;
        if (failure || token === undefined) {
          tell({ type: 'credentials.spent' });
          if (failure) failed(failure, cause);
          return;
        }
        this.#isGiven = true;
        give(token);
      },
    );
  }

  /** The server has taken what it was given. */
  taken(): void {
    if (this.#isGiven) this.#options.tell({ type: 'credentials.renewed' });
  }

  /** Nobody waits for it any more. */
  abandon(): void {
    this.#undo();
  }
}
