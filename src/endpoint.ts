import type { CredentialsNeed } from '../machines/facts.ts';
import { isProtocols, parseUrl } from './address.ts';
import { failure, type Failure } from './core/recovery.ts';
import { kindOf } from './failures.ts';
import type { AddressRequest, Credentials, CredentialsRequest } from './options.ts';
import type { ServiceSettings } from './settings.ts';
import type { Address } from './transport/transport.ts';

// in 2001: a time before that is one in seconds
const LEAST_MS = 1e12;

/** What the request to a provider is made of, beside what the endpoint itself knows. */
export type RequestFacts = Omit<CredentialsRequest, 'signal'>;

/** Where an attempt goes, and the token to introduce oneself with there. */
export interface Destination {
  address: Address;
  token: string | undefined;
}

/** What a step of resolving ends with: nothing, or a failure. Called once, unless the step was abandoned before. */
export type Settled = (failed: Failure | null) => void;

/**
 * Who a connection is and where it goes: asks the providers, and holds what they gave for as long as it may be used. Tokens
 * stay in here; no event, error or record ever carries one.
 */
export class Endpoint {
  readonly #settings: () => ServiceSettings;
  readonly #now: () => number;
  #credentials: Credentials | undefined;
  #cause: unknown;
  #address: Address | undefined;

  constructor(settings: () => ServiceSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** What the last {@link authorize} and {@link locate} found. The address is given out once. */
  take(): Destination | undefined {
    const address = this.#address;
    this.#address = undefined;
    return address && { address, token: this.token };
  }

  /** The token of the credentials that it has. */
  get token(): string | undefined {
    return tokenOf(this.#credentials);
  }

  /** What a provider threw, when that is why the last step failed: for the application's eyes only. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Asks the credentials provider, unless there are credentials that may be used still. @returns Abandons the question. */
  authorize(facts: RequestFacts, need: CredentialsNeed, settled: Settled): () => void {
    const { credentials } = this.#settings();
    this.#cause = undefined;
    if (need === 'fresh' || !this.#isGood(this.#credentials)) this.#credentials = undefined;
    if (!credentials || this.#credentials !== undefined) {
      settled(null);
      return () => undefined;
    }
    return ask(
      async (signal) => checked(await credentials({ ...facts, signal })),
      (answer) => {
        if (answer.failed) return settled(this.#blame('CREDENTIALS_FAILED', answer.cause));
        const { value: given } = answer;
        if (!given.ok) return settled(failure('CREDENTIALS_FAILED', given.problem));
        this.#credentials = given.credentials;
        settled(null);
      },
    );
  }

  /** Asks the URL provider. @returns Abandons the question. */
  locate(facts: RequestFacts, settled: Settled): () => void {
    const { url, protocols } = this.#settings();
    this.#address = undefined;
    const request = (signal: AbortSignal): AddressRequest => ({
      ...facts,
      signal,
      token: this.token,
      credentials: this.#credentials,
    });
    return ask(
      async (signal) => {
        const parsed = parseUrl(typeof url === 'function' ? await url(request(signal)) : url);
        const offered = typeof protocols === 'function' ? await protocols(request(signal)) : protocols;
        return { parsed, protocols: isProtocols(offered) ? offered : undefined };
      },
      (answer) => {
        if (answer.failed) return settled(this.#blame('URL_FAILED', answer.cause));
        const { parsed, protocols: offered } = answer.value;
        if (!parsed.ok) return settled(failure('INVALID_URL', parsed.problem));
        if (offered === undefined) return settled(failure('INVALID_PROTOCOLS'));
        this.#address = { url: parsed.url, protocols: offered };
        settled(null);
      },
    );
  }

  #isGood(credentials: Credentials | undefined): boolean {
    const expiresAt = typeof credentials === 'object' ? credentials.expiresAt : undefined;
    return credentials !== undefined && (expiresAt === undefined || this.#now() < expiresAt);
  }

  // a provider's own message may quote the token it failed with: only the kind of error goes on record
  #blame(code: 'CREDENTIALS_FAILED' | 'URL_FAILED', cause: unknown): Failure {
    this.#cause = cause;
    return failure(code, kindOf(cause));
  }
}

type Answer<Value> = { failed: false; value: Value } | { failed: true; cause: unknown };

// a provider may throw, reject, or answer after nobody waits any more; whatever it does, `settled` is called at most once. What it gives is read
// in the question: it may be made so that reading it throws
function ask<Value>(
  question: (signal: AbortSignal) => Value | Promise<Value>,
  settled: (answer: Answer<Value>) => void,
): () => void {
  const controller = new AbortController();
  let answered = false;
  const tell = (answer: Answer<Value>): void => {
    if (controller.signal.aborted) return;
    answered = true;
    settled(answer);
  };
  new Promise<Value>((resolve) => {
    resolve(question(controller.signal));
  }).then(
    (value) => {
      tell({ failed: false, value });
    },
    (cause: unknown) => {
      tell({ failed: true, cause });
    },
  );
  return () => {
    // what has answered may go on with what it began
    if (!answered) controller.abort();
  };
}

function tokenOf(credentials: Credentials | undefined): string | undefined {
  return typeof credentials === 'object' ? credentials.token : credentials;
}

type Checked = { ok: true; credentials: Credentials } | { ok: false; problem: string };

function checked(given: unknown): Checked {
  const { token, expiresAt } = Object(typeof given === 'string' ? { token: given } : given) as Record<string, unknown>;
  if (typeof token !== 'string' || token === '')
    return { ok: false, problem: 'neither a token nor an object with one' };
  if (expiresAt !== undefined && !(typeof expiresAt === 'number' && expiresAt >= LEAST_MS))
    return { ok: false, problem: 'expiresAt is no time in milliseconds since 1970' };
  return { ok: true, credentials: given as Credentials };
}
