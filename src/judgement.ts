import { NEARLY_FULL, OLD_BACKLOG_MS } from './core/advice.ts';
import { closureErrorCode, ruleFor, type Failure } from './core/recovery.ts';
import type { RoundTripSummary } from './core/round-trips.ts';
import { fillOf } from './core/score.ts';
import type { DiagnosticStep } from './diagnosis.ts';
import { ERRORS, type ConnectionError, type ErrorCategory, type HoldfastError } from './errors.ts';
import type { OutboxLoad } from './fates.ts';
import { SUBPROTOCOL } from './protocol/frames.ts';
import type { ServiceSettings } from './settings.ts';
import type { TransportEnd } from './transport/transport.ts';
import type { Arrival } from './visit.ts';

/** What a step of a diagnosis saw. */
export type Seen = Pick<DiagnosticStep, 'verdict' | 'detail'> & { facts?: DiagnosticStep['facts'] };

/** The peer's clock against this side's, as one ping showed it. */
export interface Offset {
  offsetMs: number;
  rttMs: number;
}

// no clock shows more. Source: ECMA-262, "Time Values and Time Range"
const MAX_TIME_MS = 8.64e15;
// what the platform writes may quote the peer, or the URL: it is read, and not repeated. Source: Node's `errno` names
const ERRNOS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ETIMEDOUT: 'the host does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the host',
  ECONNRESET: 'the connection was cut',
};
const LOCAL = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** There was no time for a step. */
export const OUT_OF_TIME: Seen = { verdict: 'skipped', detail: 'There was no time left for it.' };
/** A step was cut short: what it has not seen may be what is wrong. */
export const CUT_SHORT: Seen = { verdict: 'warning', detail: 'Time ran out before it was over.' };
/** What was looked at went away. */
export const LOST: Seen = { verdict: 'warning', detail: 'The connection was lost meanwhile.' };
/** There is nothing that could be looked at. */
export const NO_SOCKET: Seen = { verdict: 'skipped', detail: 'No socket is open.' };

/** What can be said of options without trying them. */
export function configurationOf({ settings, WebSocket }: { settings: ServiceSettings; WebSocket: unknown }): Seen {
  if (!WebSocket)
    return { verdict: 'failed', detail: 'There is no WebSocket here, and the option `WebSocket` names none.' };
  const doubts: string[] = [];
  if (typeof settings.url !== 'function' && isOpenToAll(String(settings.url)))
    doubts.push('The URL is not encrypted (ws:), and leads to another host.');
  if (!settings.policy.heartbeat) doubts.push('There is no heartbeat: a dead link is noticed only by the platform.');
  if (settings.policy.maxRetries === 0) doubts.push('Nothing is retried.');
  return doubts.length > 0
    ? { verdict: 'warning', detail: doubts.join(' ') }
    : { verdict: 'passed', detail: 'The options are complete.' };
}

/** How a socket opened, or why it did not. */
export function handshakeOf({ isOpen, durationMs, end }: Arrival, timeoutMs: number): Seen {
  const took = figureOf(durationMs);
  if (isOpen)
    return { verdict: 'passed', detail: `A socket of its own opened within ${took} ms.`, facts: { durationMs: took } };
  if (!end) return { verdict: 'failed', detail: `No answer came within ${timeoutMs} ms.`, facts: { durationMs: took } };
  const { code, status = null } = end;
  const { why, reason } = whyOf(end);
  const facts = { code, status, reason, durationMs: took };
  return { verdict: 'failed', detail: `The socket did not open: ${why}.`, facts };
}

function whyOf({ code, status, detail }: TransportEnd): { why: string; reason: string | null } {
  const text = detail ?? '';
  const reason = Object.keys(ERRNOS).find((errno) => text.includes(errno)) ?? null;
  if (status !== undefined) return { why: `the server answered with ${status}`, reason };
  if (reason !== null) return { why: `${ERRNOS[reason]} (${reason})`, reason };
  if (/certificate/i.test(text)) return { why: 'the certificate of the host is not accepted', reason };
  const isChoosy = /subprotocol/i.test(text);
  return {
    why: isChoosy ? 'the server takes none of the subprotocols that are offered' : `it closed with ${code}`,
    reason,
  };
}

/** What an attempt says of who may come in, by how its socket ended. `undefined`: nothing. */
export function refusalOf(
  end: TransportEnd,
  { hasOpened, settings }: { hasOpened: boolean; settings: ServiceSettings },
): Seen | undefined {
  const { code, status = null, initiator, wasClean } = end;
  const closure = { code, reason: '', wasClean, initiator, ...(status !== null && { status }) };
  const wire = settings.wire.choice === 'plain' ? 'plain' : null;
  const facts = { code: closureErrorCode(closure, hasOpened), closure, wire } as const;
  if (!isRefusal(ruleFor(facts, settings.policy.rules).category)) return undefined;
  const how = status === null ? `closed the socket with ${code}` : `answered with ${status}`;
  return { verdict: 'failed', detail: `The server refuses: it ${how}.`, facts: { code, status } };
}

/** A socket that opened, and was closed before anything was asked on it. */
export function closedOf({ code }: TransportEnd): Seen {
  return { verdict: 'failed', detail: `The socket opened, and was closed again with ${code}.`, facts: { code } };
}

/** What is known of who may come in, where no socket of this diagnosis was refused: how the last attempt ended, and what the provider gave. */
export function authenticationOf(credentials: Seen, lastError: HoldfastError | null | undefined): Seen {
  if (credentials.verdict === 'failed') return credentials;
  if (lastError && isRefusal(lastError.category)) {
    const { code, closeCode = null, httpStatus: status = null } = lastError as Partial<ConnectionError> & HoldfastError;
    const answer = status === null ? closeCode !== null && ` (close code ${closeCode})` : ` (status ${status})`;
    const detail = `The last attempt was refused: ${code}${answer || ''}.`;
    return { verdict: 'failed', detail, facts: { error: code, code: closeCode, status } };
  }
  if (credentials.verdict !== 'passed') return credentials;
  const detail = `${credentials.detail} Whether the server takes them is known once a connection is open.`;
  return { ...credentials, verdict: 'warning', detail };
}

/** What the credentials provider gave. `durationMs`: how long it took; `null` where it was not asked. */
export function credentialsOf(
  { credentials }: Pick<ServiceSettings, 'credentials'>,
  asked: { refused: Failure | null; durationMs: number } | null,
): Seen {
  if (!credentials) return { verdict: 'skipped', detail: 'There is no credentials provider.' };
  if (!asked) return { verdict: 'skipped', detail: 'The credentials provider was not asked.' };
  if (asked.refused) return failedWith(asked.refused);
  const durationMs = figureOf(asked.durationMs);
  return { verdict: 'passed', detail: `The provider gave credentials after ${durationMs} ms.`, facts: { durationMs } };
}

/** What failed, in the words of its code. */
export function failedWith({ code }: Failure): Seen {
  return { verdict: 'failed', detail: ERRORS[code][2], facts: { error: code } };
}

function isRefusal(category: ErrorCategory): boolean {
  return category === 'authentication_failed' || category === 'permission_denied';
}

/** Whether a host answers at all. */
export function reachabilityOf(isAnswered: boolean): Seen {
  if (isAnswered)
    return { verdict: 'passed', detail: 'The host answers by HTTP: its name is known, and it can be reached.' };
  const detail = 'The host does not answer: its name is not known, nothing listens there, or something is in between.';
  return { verdict: 'failed', detail };
}

/** What the server chose to speak, and whether it proved that it can. */
export function subprotocolOf(seen: {
  choice: ServiceSettings['wire']['choice'];
  /** `undefined` where the platform does not say. */
  protocol: string | undefined;
  /** What the options offer; `undefined` where a provider does. */
  offered: readonly string[] | undefined;
  isGreeted: boolean;
}): Seen {
  const { choice, protocol, offered, isGreeted } = seen;
  // what a provider gave may be a token, and what nobody offered the peer's own words
  const isKnown =
    protocol === '' || protocol === SUBPROTOCOL || (protocol !== undefined && offered?.includes(protocol));
  const facts = { protocol: isKnown ? protocol : null };
  if (isGreeted) return { verdict: 'passed', detail: `The server speaks ${SUBPROTOCOL}.`, facts };
  if (choice !== 'plain') {
    const detail =
      protocol === SUBPROTOCOL
        ? `The server chose ${SUBPROTOCOL}, and does not greet.`
        : `The server does not speak ${SUBPROTOCOL}.`;
    return { verdict: choice === 'required' ? 'failed' : 'warning', detail, facts };
  }
  if (protocol === undefined)
    return { verdict: 'skipped', detail: 'The platform does not say which subprotocol the server chose.', facts };
  const name = protocol === '' ? 'no subprotocol' : (facts.protocol ?? 'a subprotocol');
  return { verdict: 'passed', detail: `The server chose ${name}.`, facts };
}

/** How pings that went out one by one were answered. */
export function roundTripsOf(
  summary: RoundTripSummary | null,
  { asked, slowMs }: { asked: number; slowMs: number },
): Seen {
  if (!summary) return { verdict: 'failed', detail: 'No ping was answered.', facts: { asked, answered: 0 } };
  const { minMs, p50Ms, maxMs, jitterMs, samples: answered } = summary;
  const isSlow = p50Ms > slowMs;
  const limit = isSlow ? `; up to ${slowMs} ms is fine` : '';
  const detail = `${answered} of ${asked} pings were answered, half of them within ${Math.ceil(p50Ms)} ms${limit}.`;
  const facts = { asked, answered, minMs, p50Ms, maxMs, jitterMs };
  return { verdict: isSlow || answered < asked ? 'warning' : 'passed', detail, facts };
}

/** How pings that went out at once were answered. */
export function burstOf(facts: { sent: number; answered: number; durationMs: number }): Seen {
  const { sent, answered, durationMs } = facts;
  if (answered < sent)
    return { verdict: 'failed', detail: `${answered} of ${sent} pings at once were answered.`, facts };
  return { verdict: 'passed', detail: `${sent} pings at once were answered within ${durationMs} ms.`, facts };
}

/** How full a queue is, and whether something is stuck in it. `now` is of the clock that messages are dated by. */
export function queueOf(
  { settings, patient }: { settings: ServiceSettings; patient: { load(): OutboxLoad; isUsable: boolean } | undefined },
  now: number,
): Seen {
  if (!patient) return { verdict: 'skipped', detail: 'There is no connection.' };
  const { waiting: messages, waitingBytes: bytes, oldestAt } = patient.load();
  const { maxMessages, maxBytes } = settings.queue;
  const oldestMs = oldestAt === null ? 0 : figureOf(now - oldestAt);
  const fill = fillOf({ messages, bytes, maxMessages, maxBytes, oldestMs });
  const facts = { messages, bytes, oldestMs };
  if (fill >= 1) return { verdict: 'failed', detail: 'The queue is full.', facts };
  if (fill >= NEARLY_FULL)
    return { verdict: 'warning', detail: `The queue is ${Math.floor(fill * 100)} % full.`, facts };
  const seconds = Math.round(oldestMs / 1_000);
  if (patient.isUsable && oldestMs > OLD_BACKLOG_MS)
    return { verdict: 'warning', detail: `A message has waited for ${seconds} s on an open connection.`, facts };
  const some = messages === 1 ? 'One message waits.' : `${messages} messages wait.`;
  return { verdict: 'passed', detail: messages === 0 ? 'No message waits.' : some, facts };
}

/** Whether the peer's clock goes as this side's does. Each counts from a beginning of its own: what time it is there cannot be known. */
export function clockOf(seen: readonly Offset[]): Seen {
  if (seen.length < 2) return { verdict: 'skipped', detail: 'The peer does not tell its time.' };
  const offsets = seen.map(({ offsetMs }) => offsetMs);
  const rttMs = Math.max(...seen.map((each) => each.rttMs));
  if (![...offsets, rttMs].every((ms) => Math.abs(ms) <= MAX_TIME_MS))
    return { verdict: 'warning', detail: 'The peer tells times that cannot be true.' };
  const spreadMs = Math.round(Math.max(...offsets) - Math.min(...offsets));
  const uncertaintyMs = Math.ceil(figureOf(rttMs) / 2) + 1;
  const facts = { spreadMs, uncertaintyMs };
  if (spreadMs > 2 * uncertaintyMs)
    return {
      verdict: 'warning',
      detail: `The peer’s clock moved by ${spreadMs} ms against this one meanwhile.`,
      facts,
    };
  return { verdict: 'passed', detail: `The peer’s clock keeps step with this one, ± ${uncertaintyMs} ms.`, facts };
}

/** A measure in ms as it may be shown: a clock that was changed, or is none, makes no negative of it and nothing endless. */
export function figureOf(ms: number): number {
  return ms > 0 && ms <= MAX_TIME_MS ? Math.round(ms) : 0;
}

function isOpenToAll(url: string): boolean {
  // a path is resolved against the page, whose scheme the platform looks after
  if (!/^(ws|http):/i.test(url)) return false;
  return !LOCAL.test(new URL(url).hostname);
}
