import { lookup, type LookupAddress } from 'node:dns';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';

import { codeOf, NO_ANSWER, type Attempt, type Lookup, type Security } from './route.ts';
import { waitFor } from './waiting.ts';

/** A connection, and where it leads. */
export interface Reached {
  socket: Socket;
  address: LookupAddress;
}

const CONNECT_MS = 5_000;
// how long the other addresses of a host have, once one has answered
const OTHERS_MS = 1_000;

/** Asks the system for the addresses of a name. It cannot be told to stop: what comes later is not heard. */
export async function lookUp(hostname: string, signal: AbortSignal): Promise<Lookup> {
  const found = await waitFor<Lookup>(
    (report) => {
      lookup(hostname, { all: true, verbatim: true }, (error, addresses) => {
        report(error ? { problem: codeOf(error) } : { addresses });
      });
      return () => undefined;
    },
    { signal },
  );
  return found ?? { problem: NO_ANSWER };
}

/** Connects to all of these addresses at the same time, and keeps the first of them, in their order, that answers. */
export async function reach(
  addresses: readonly LookupAddress[],
  port: number,
  signal: AbortSignal,
): Promise<{ attempts: readonly Attempt[]; reached: Reached | null }> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tries = await Promise.all(
    addresses.map(async (address) => {
      const startedAt = performance.now();
      const result = await open(address.address, port, AbortSignal.any([signal, late.signal]));
      if (typeof result !== 'string') timer ??= setTimeout(() => late.abort(), OTHERS_MS);
      const durationMs = performance.now() - startedAt;
      return { attempt: { ...address, durationMs, problem: asProblem(result) }, result, address };
    }),
  );
  clearTimeout(timer);
  const [reached = null, ...others] = tries.flatMap(({ result, address }) =>
    typeof result === 'string' ? [] : [{ socket: result, address }],
  );
  for (const { socket } of others) socket.destroy();
  return { attempts: tries.map(({ attempt }) => attempt), reached };
}

/** Shakes hands for TLS, whatever the certificate is worth: that is told. */
export async function secure(
  socket: Socket,
  hostname: string,
  signal: AbortSignal,
): Promise<(Security & { stream: TLSSocket }) | { failed: Error | null }> {
  const stream = connectTls({
    socket,
    host: hostname,
    // no address may stand there. Source: RFC 6066, section 3
    ...(isIP(hostname) === 0 && { servername: hostname }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
  });
  stream.on('error', ignore);
  const ended = await waitFor<Error | 'secure'>(
    (report) => {
      const secured = (): void => {
        report('secure');
      };
      const closed = (): void => {
        report(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
      };
      stream.on('secureConnect', secured).on('error', report).on('close', closed);
      return () => stream.off('secureConnect', secured).off('error', report).off('close', closed);
    },
    { signal },
  );
  if (ended === 'secure') return { stream, ...securityOf(stream) };
  stream.destroy();
  socket.destroy();
  return { failed: ended };
}

async function open(address: string, port: number, signal: AbortSignal): Promise<Socket | string> {
  const socket = connectTcp({ host: address, port, noDelay: true });
  // also when nobody waits for it
  socket.on('error', ignore);
  const result = await waitFor<Error | 'connected'>(
    (report) => {
      const connected = (): void => {
        report('connected');
      };
      socket.on('connect', connected).on('error', report);
      return () => socket.off('connect', connected).off('error', report);
    },
    { ms: CONNECT_MS, signal },
  );
  if (result === 'connected') return socket;
  socket.destroy();
  return result ? codeOf(result) : NO_ANSWER;
}

function asProblem(result: Socket | string): string | null {
  return typeof result === 'string' ? result : null;
}

function securityOf(stream: TLSSocket): Security {
  const certificate = stream.getPeerCertificate();
  return {
    protocol: stream.getProtocol() ?? 'unknown',
    cipher: stream.getCipher().standardName,
    certificate: {
      subject: nameOf(certificate.subject),
      issuer: nameOf(certificate.issuer),
      validFrom: Date.parse(certificate.valid_from),
      validTo: Date.parse(certificate.valid_to),
    },
    problem: stream.authorized ? null : authorizationProblem(stream),
  };
}

// an error, by its type; the code of one, in fact
function authorizationProblem({ authorizationError }: TLSSocket): string {
  const problem: unknown = authorizationError;
  return problem instanceof Error ? codeOf(problem) : String(problem);
}

function nameOf(name: Partial<PeerCertificate['subject']> | undefined): string {
  const known = [name?.CN, name?.O].flat().filter((part) => typeof part === 'string');
  return known[0] ?? 'unnamed';
}

function ignore(): void {}
