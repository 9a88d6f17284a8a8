import { createHmac, randomBytes } from 'node:crypto';
import type { CredentialsRequest, HoldfastError } from 'holdfast';

/** The environment variable by which a server process has the key of its tokens. */
export const KEY_VARIABLE = 'DEMO_TOKEN_KEY';

/** A token that was given to the client, without the token itself. */
export interface Grant {
  number: number;
  /** What the provider was told of how the connection or attempt before had ended. */
  lastFailure: HoldfastError | undefined;
}

/** Issues the tokens of a service, as its credentials provider. */
export class Issuer {
  /** What its tokens are signed with: who has it knows them without asking. */
  readonly key = randomBytes(24).toString('base64url');
  readonly grants: Grant[] = [];
  readonly #granted: (grant: Grant, token: string) => void;

  constructor(granted: (grant: Grant, token: string) => void) {
    this.#granted = granted;
  }

  /** Gives a new token. */
  grant({ lastFailure }: Pick<CredentialsRequest, 'lastFailure'>): string {
    const grant = { number: this.grants.length + 1, lastFailure };
    const token = tokenOf(grant.number, this.key);
    this.grants.push(grant);
    this.#granted(grant, token);
    return token;
  }
}

/** The token of a number, in characters that may stand in a subprotocol. */
export function tokenOf(number: number, key: string): string {
  return `${number}.${createHmac('sha256', key).update(String(number)).digest('base64url')}`;
}

/** The number of a token; `null` for one that was not signed with this key. */
export function numberOf(token: string, key: string): number | null {
  const number = Number.parseInt(token, 10);
  return token === tokenOf(number, key) ? number : null;
}
