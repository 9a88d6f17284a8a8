import type { ConnectionEvent } from '../machines/facts.ts';
import { Endpoint, type RequestFacts } from './endpoint.ts';
import type { ServiceSettings } from './settings.ts';

export interface RenewalOptions {
  settings: () => ServiceSettings;
  /** Epoch ms. */
  now: () => number;
  facts: RequestFacts;
  /** Gives a fresh token to the server. */
  give: (token: string) => void;
  tell: (event: ConnectionEvent) => void;
}

/** Fresh credentials within a session: asked of the provider, given to the server, and done when the server has taken them. */
export class Renewal {
  readonly #options: RenewalOptions;
  readonly #undo: () => void;
  #isGiven = false;

  constructor(options: RenewalOptions) {
    const { settings, now, facts, give, tell } = options;
    this.#options = options;
    const endpoint = new Endpoint(settings, now);
    this.#undo = endpoint.authorize(facts, 'fresh', (failed) => {
      const token = endpoint.token;
      if (failed || token === undefined) return tell({ type: 'credentials.spent' });
      this.#isGiven = true;
      give(token);
    });
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
