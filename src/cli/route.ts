import type { LookupAddress } from 'node:dns';

import { tameText } from './secrecy.ts';
import { counted, durationText, type Finding } from './step.ts';

/** What became of a name. */
export type Lookup = { addresses: readonly LookupAddress[] } | { problem: string };

/** One address that was connected to. */
export interface Attempt {
  address: string;
  family: number;
  durationMs: number;
  /** The code of what went wrong. */
  problem: string | null;
}

/** What a server showed of itself before anything was asked. */
export interface Security {
  protocol: string;
  cipher: string;
  certificate: Certificate;
  /** The code of what is wrong with it. */
  problem: string | null;
}

export interface Certificate {
  subject: string;
  issuer: string;
  /** In ms since 1970. */
  validFrom: number;
  validTo: number;
}

/** The code of an answer that did not come. */
export const NO_ANSWER = 'ETIMEDOUT';

// more are not connected to
const MAX_ADDRESSES = 6;
const MIN_DAYS_LEFT = 14;

const DAY_MS = 86_400_000;
const PROBLEMS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such name',
  EAI_AGAIN: 'no name server answers',
  ECONNREFUSED: 'refused: nothing listens there',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EADDRNOTAVAIL: 'no route to the address',
  [NO_ANSWER]: 'no answer',
};
const BAD_CERTIFICATES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'it is signed by an authority that this machine does not know',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'it is signed by an authority that this machine does not know',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the server does not send the certificates in between, or its authority is unknown',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another host',
};

/** Judges what a name leads to. */
export function judgeLookup(hostname: string, lookup: Lookup): Finding {
  if ('problem' in lookup) {
    const { problem } = lookup;
    return {
      verdict: 'failed',
      detail: `${tameText(hostname)}: ${explain(problem)}`,
      facts: { problem },
      advice:
        problem === 'ENOTFOUND'
          ? 'Look for a misspelt name, or for a record that is missing in the DNS.'
          : 'Look at the name servers of this machine.',
    };
  }
  const { addresses } = lookup;
  const shown = addresses.slice(0, MAX_ADDRESSES).map(({ address }) => address);
  const more = addresses.length - shown.length;
  const detail = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return { verdict: 'passed', detail, facts: { addresses: addresses.map(({ address }) => address) } };
}

/** Which addresses of a host are connected to. */
export function chosen(addresses: readonly LookupAddress[]): readonly LookupAddress[] {
  return addresses.slice(0, MAX_ADDRESSES);
}

/** Judges the connections to the addresses of a host; the first that answered is the one that is used. */
export function judgeAttempts(attempts: readonly Attempt[], port: number): Finding {
  const used = attempts.find(({ problem }) => problem === null);
  const told = attempts.map((attempt) => {
    const how = attempt.problem === null ? `in ${durationText(attempt.durationMs)}` : explain(attempt.problem);
    return `${endpoint(attempt, port)} ${attempt.problem === null ? how : `(${how})`}`;
  });
  const facts = { used: used?.address ?? null, port, attempts: attempts.map(rounded) };
  const detail = told.join(', ');
  const silent = attempts.filter(({ problem }) => problem === NO_ANSWER);
  if (!used) {
    const advice = silent.length > 0 ? 'Look for a firewall on the way, and whether the host is up.' : REFUSED;
    return { verdict: 'failed', detail, facts, advice };
  }
  if (silent.length === 0) return { verdict: 'passed', detail, facts };
  const advice = `Clients that try ${silent.map(({ address }) => address).join(', ')} first lose time: repair it, or take it out of the DNS.`;
  return { verdict: 'warning', detail, facts, advice };
}

/** Judges a server's certificate at a time in ms since 1970. */
export function judgeSecurity(
  { protocol, cipher, certificate, problem }: Security,
  { now, isInsecure }: { now: number; isInsecure: boolean },
): Finding {
  const { subject, issuer, validFrom, validTo } = certificate;
  const daysLeft = Math.floor((validTo - now) / DAY_MS);
  const shown = { subject: tameText(subject), issuer: tameText(issuer) };
  const facts = { protocol, cipher, ...shown, validFrom: iso(validFrom), validTo: iso(validTo), daysLeft, problem };
  const detail = `${protocol}, ${cipher}, for ${shown.subject} by ${shown.issuer}, ${lifetime(certificate, now)}`;
  if (problem !== null) {
    const why = BAD_CERTIFICATES[problem] ?? tameText(problem);
    const advice = isInsecure
      ? 'Clients without --insecure refuse this certificate.'
      : 'Clients refuse this certificate. --insecure examines the rest all the same; NODE_EXTRA_CA_CERTS names an authority of your own.';
    return {
      verdict: isInsecure ? 'warning' : 'failed',
      detail: `certificate not valid: ${why}. ${detail}`,
      facts,
      advice,
    };
  }
  if (daysLeft >= MIN_DAYS_LEFT) return { verdict: 'passed', detail, facts };
  return {
    verdict: 'warning',
    detail,
    facts,
    advice: 'Renew the certificate, and see why that was not done by itself.',
  };
}

/** Judges a handshake for TLS that did not succeed; null: no answer came. */
export function judgeInsecurity(error: Error | null): Finding {
  if (error === null)
    return { verdict: 'failed', detail: 'no answer to the TLS handshake', facts: { problem: NO_ANSWER } };
  const problem = codeOf(error);
  const facts = { problem };
  if (/WRONG_VERSION_NUMBER|EPROTO|PACKET_LENGTH/.test(`${problem} ${error.message}`)) {
    const advice = 'Use ws: for this port, or the port where the server speaks TLS.';
    return { verdict: 'failed', detail: 'the server does not speak TLS at this port', facts, advice };
  }
  return { verdict: 'failed', detail: `no TLS: ${PROBLEMS[problem] ?? tameText(error.message)}`, facts };
}

/** The code of an error, or its name. */
export function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code ?? error.name;
}

const REFUSED = 'See that the server runs, and listens at this address and port.';

function explain(problem: string): string {
  return PROBLEMS[problem] ?? problem;
}

function endpoint({ address, family }: Attempt, port: number): string {
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

function rounded({ address, family, durationMs, problem }: Attempt): Attempt {
  return { address, family, durationMs: Math.round(durationMs * 10) / 10, problem };
}

function lifetime({ validFrom, validTo }: Certificate, now: number): string {
  if (now < validFrom) return `valid in ${counted(Math.ceil((validFrom - now) / DAY_MS), 'day')}`;
  if (now > validTo) return `expired ${counted(Math.floor((now - validTo) / DAY_MS), 'day')} ago`;
  return `${counted(Math.floor((validTo - now) / DAY_MS), 'day')} left`;
}

function iso(ms: number): string | null {
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
