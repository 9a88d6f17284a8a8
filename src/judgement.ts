import { tameText } from './core/redact.ts';
import type { RoundTripSummary } from './core/round-trips.ts';
import type { DiagnosticStep } from './diagnosis.ts';
import type { OutboxLoad } from './fates.ts';
import { SUBPROTOCOL } from './protocol/frames.ts';
import type { ServiceSettings } from './settings.ts';
import type { Arrival } from './visit.ts';

/** What a step of a diagnosis saw. */
export type Seen = Pick<DiagnosticStep, 'verdict' | 'detail'> & { facts?: DiagnosticStep['facts'] };

/** The peer's clock against this side's, as one ping showed it. */
export interface Offset {
  offsetMs: number;
  rttMs: number;
}

// messages that wait for longer on an open connection are held up by something
const OLD_MS = 5_000;
const NEARLY_FULL = 0.8;
const LOCAL = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** There was no time for a step, or it was cut short. */
export const OUT_OF_TIME: Seen = { verdict: 'skipped', detail: 'There was no time left for it.' };

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
  const took = Math.round(durationMs);
  if (isOpen)
    return { verdict: 'passed', detail: `A socket of its own opened within ${took} ms.`, facts: { durationMs: took } };
  if (!end) return { verdict: 'failed', detail: `No answer came within ${timeoutMs} ms.`, facts: { durationMs: took } };
  const { code, status = null, detail } = end;
  const why = status === null ? tameText(detail ?? `it closed with ${code}`) : `the server answered with ${status}`;
  return { verdict: 'failed', detail: `The socket did not open: ${why}.`, facts: { code, status, durationMs: took } };
}

export function reachabilityOf(isAnswered: boolean): Seen {
  if (isAnswered)
    return { verdict: 'passed', detail: 'The host answers by HTTP: its name is known, and it can be reached.' };
  const detail = 'The host does not answer: its name is not known, nothing listens there, or something is in between.';
  return { verdict: 'failed', detail };
}

export function subprotocolOf(seen: {
  choice: ServiceSettings['wire']['choice'];
  protocol: string;
  isGreeted: boolean;
}): Seen {
  const { choice, protocol, isGreeted } = seen;
  const facts = { protocol: tameText(protocol) };
  if (choice === 'plain')
    return { verdict: 'passed', detail: `The server chose ${protocol === '' ? 'none' : facts.protocol}.`, facts };
  if (isGreeted) return { verdict: 'passed', detail: `The server speaks ${SUBPROTOCOL}.`, facts };
  const detail =
    protocol === SUBPROTOCOL
      ? `The server chose ${SUBPROTOCOL}, and does not greet.`
      : `The server does not speak ${SUBPROTOCOL}.`;
  return { verdict: choice === 'required' ? 'failed' : 'warning', detail, facts };
}

/** How pings that went out one by one were answered. */
export function roundTripsOf(
  summary: RoundTripSummary | null,
  { asked, slowMs }: { asked: number; slowMs: number },
): Seen {
  if (!summary) return { verdict: 'failed', detail: 'A ping was not answered in time.', facts: { answered: 0 } };
  const { minMs, p50Ms, maxMs, jitterMs, samples: answered } = summary;
  const isSlow = p50Ms > slowMs;
  const limit = isSlow ? `; up to ${slowMs} ms is fine` : '';
  const detail = `${answered} of ${asked} pings were answered, half of them within ${Math.round(p50Ms)} ms${limit}.`;
  const facts = { answered, minMs, p50Ms, maxMs, jitterMs };
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
  // nothing of nothing is not full
  const fill = Math.max(messages / maxMessages || 0, bytes / maxBytes || 0);
  const oldestMs = oldestAt === null ? 0 : Math.max(0, Math.round(now - oldestAt));
  const facts = { messages, bytes, oldestMs };
  if (fill >= 1) return { verdict: 'failed', detail: 'The queue is full.', facts };
  if (fill >= NEARLY_FULL)
    return { verdict: 'warning', detail: `The queue is ${Math.floor(fill * 100)} % full.`, facts };
  const seconds = Math.round(oldestMs / 1_000);
  if (patient.isUsable && oldestMs > OLD_MS)
    return { verdict: 'warning', detail: `A message has waited for ${seconds} s on an open connection.`, facts };
  return { verdict: 'passed', detail: messages === 1 ? 'One message waits.' : `${messages} messages wait.`, facts };
}

/** Whether the peer's clock goes as this side's does. Each counts from a beginning of its own: what time it is there cannot be known. */
export function clockOf(seen: readonly Offset[]): Seen {
  if (seen.length < 2) return { verdict: 'skipped', detail: 'The peer does not tell its time.' };
  const offsets = seen.map(({ offsetMs }) => offsetMs);
  const spreadMs = Math.round(Math.max(...offsets) - Math.min(...offsets));
  if (!Number.isFinite(spreadMs)) return { verdict: 'warning', detail: 'The peer tells times that cannot be true.' };
  const uncertaintyMs = Math.ceil(Math.max(...seen.map(({ rttMs }) => rttMs)) / 2) + 1;
  const facts = { spreadMs, uncertaintyMs };
  if (spreadMs > 2 * uncertaintyMs)
    return {
      verdict: 'warning',
      detail: `The peer’s clock moved by ${spreadMs} ms against this one meanwhile.`,
      facts,
    };
  return { verdict: 'passed', detail: `The peer’s clock keeps step with this one, ± ${uncertaintyMs} ms.`, facts };
}

function isOpenToAll(url: string): boolean {
  // a path is resolved against the page, whose scheme the platform looks after
  if (!/^(ws|http):/i.test(url)) return false;
  return !LOCAL.test(new URL(url).hostname);
}
