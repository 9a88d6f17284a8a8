import { failure, type Failure } from './core/recovery.ts';
import { within, type Deadline } from './deadline.ts';
import { Endpoint, type RequestFacts, type Settled } from './endpoint.ts';
import type { ServiceSettings } from './settings.ts';
import type { Clock } from './transport/clock.ts';
import type { Address } from './transport/transport.ts';

export interface InquiryOptions {
  settings: ServiceSettings;
  facts: RequestFacts;
  clock: Clock;
  /** Aborted when there is no more time for it. */
  signal: AbortSignal;
}

/** What the providers said. */
export interface Inquiry {
  /** Where a socket would go. */
  found: Address | Failure;
  /** Why there are no credentials; `null` where there are, or none are needed. */
  refused: Failure | null;
}

/** Marks the URL of a socket that is there for a diagnosis only; for the server's log, and for whoever counts its clients. */
const MARK = 'holdfast-diagnostics=1';

/** Asks the providers where a socket would go, as for any attempt, and tells them what for. */
export async function inquire(options: InquiryOptions): Promise<Inquiry> {
  const { settings, facts, clock } = options;
  const { credentialsTimeoutMs, urlTimeoutMs } = settings.policy;
  const endpoint = new Endpoint(
    () => settings,
    () => clock.now(),
  );
  const refused = await settled(options, { timeoutMs: credentialsTimeoutMs, code: 'CREDENTIALS_TIMEOUT' }, (tell) =>
    endpoint.authorize(facts, 'fresh', tell),
  );
  if (refused) return { found: refused, refused };
  const failed = await settled(options, { timeoutMs: urlTimeoutMs, code: 'URL_TIMEOUT' }, (tell) =>
    endpoint.locate(facts, tell),
  );
  const { address } = endpoint.take() ?? {};
  if (failed || !address) return { found: failed ?? failure('INVALID_URL'), refused };
  // a provider knows what it is asked for
  return { found: typeof settings.url === 'function' ? address : marked(address), refused };
}

// a provider that never answers is not waited for longer than in any attempt, nor beyond the end of the diagnosis
function settled(
  { clock, signal }: InquiryOptions,
  { timeoutMs, code }: Pick<Deadline, 'timeoutMs' | 'code'>,
  step: (tell: Settled) => () => void,
): Promise<Failure | null> {
  if (signal.aborted) return Promise.resolve(failure(code));
  return new Promise((resolve) => {
    const done: Settled = (failed) => {
      signal.removeEventListener('abort', cut);
      resolve(failed);
    };
    const cut = (): void => {
      abandon();
      done(failure(code));
    };
    signal.addEventListener('abort', cut);
    const abandon = within({ clock, timeoutMs, code }, step, done);
  });
}

// what the query says already stays as it is: it may be signed
function marked({ url, protocols }: Address): Address {
  return { url: `${url}${url.includes('?') ? '&' : '?'}${MARK}`, protocols };
}
