import { shownName, shownUrl, type Tame } from './secrecy.ts';
import { counted, durationText, type Finding } from './step.ts';

/** What a server answered to the request for a WebSocket. */
export interface Answer {
  /** `open`: it is one; `refused`: another status; `broken`: no valid answer; `silent`: none in time. */
  outcome: 'open' | 'refused' | 'broken' | 'silent';
  status: number | null;
  /** By names in lower case. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** What was wrong with it. */
  problem: string | null;
  durationMs: number;
  /** In ms since 1970, in the middle between request and answer. */
  askedAt: number;
}

/** What is known besides, when an answer is judged. */
export interface Request {
  url: URL;
  /** Subprotocols that were offered. */
  offered: readonly string[];
  /** Those of them that the user asked for. */
  wanted: readonly string[];
  tame: Tame;
}

/** What a port that speaks TLS answers to a request in the clear. */
export const TLS_ANSWER = 'the server speaks TLS at this port';

const MAX_CLOCK_OFFSET_MS = 60_000;
const INTERESTING = ['server', 'date', 'via', 'retry-after'] as const;
const CREDENTIALS =
  "Give credentials as the server wants them: --header 'Authorization: …', or in the URL; --origin for a page's.";
const REASONS: Readonly<Record<number, readonly [detail: string, advice: string]>> = {
  401: ['credentials are missing or wrong', CREDENTIALS],
  403: ['not allowed', CREDENTIALS],
  404: ['nothing at this path', 'Look at the path of the URL, and at the routes of proxies in front of the server.'],
  405: ['this path takes no such request', 'Look at the path of the URL.'],
  407: ['a proxy wants credentials', 'A proxy in between must let the request pass.'],
  426: [
    'it wants another protocol',
    'A proxy in front may drop the Upgrade header, or the server wants another version of WebSocket.',
  ],
  429: ['too many requests', 'Wait for as long as it says.'],
  502: ['a proxy did not reach the server', 'See that the server behind the proxy runs.'],
  503: ['not available now', 'Wait, or see that the server behind runs.'],
  504: ['a proxy got no answer from the server', 'See that the server behind the proxy runs.'],
};
const NOT_VALID = 'The server does not do as RFC 6455 says.';
const NOT_HTTP = 'What listens at this port does not speak HTTP: look at the port of the URL.';
const SUCCESS = 'A proxy in front may drop the Upgrade header, or this path serves pages and no WebSocket.';

/** Whether a refusal says nothing of its reason: then it may be a subprotocol that the server does not know. */
export function isUnexplained({ outcome, status }: Answer): boolean {
  return outcome === 'refused' && status !== null && status >= 400 && !(status in REASONS);
}

/** Judges the answer to a handshake. */
export function judgeAnswer(answer: Answer, request: Request): Finding {
  const { outcome, status, problem } = answer;
  const headers = interesting(answer, request.tame);
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const facts = { status, headers, ...(problem !== null && { problem: request.tame(problem) }) };
  if (outcome === 'open') return { verdict: 'passed', detail: ['101', ...shown].join('; '), facts };
  if (outcome === 'silent') {
    const advice = 'The port is open, but what listens there does not speak HTTP, or hangs.';
    return { verdict: 'failed', detail: 'no answer to the request', facts, advice };
  }
  if (outcome === 'broken') return { verdict: 'failed', facts, ...explainBroken(answer, request) };
  const { why, advice, location } = explainRefusal(answer, request);
  return {
    verdict: 'failed',
    detail: [`${status ?? 'refused'}: ${why}`, ...shown].join('; '),
    facts: { ...facts, ...(location !== null && { location }) },
    advice,
  };
}

/** Judges which subprotocol was selected. */
export function judgeSubprotocol(answer: Answer, { offered, wanted, tame }: Request): Finding {
  const selected = headerOf(answer, 'sec-websocket-protocol');
  const shown = selected === null ? null : shownName(selected, tame);
  const names = offered.map((name) => shownName(name, tame));
  const facts = { offered: names, selected: shown };
  if (selected !== null && !offered.includes(selected)) {
    const detail = `selected ${shown ?? ''}, which was not offered`;
    return {
      verdict: 'failed',
      detail,
      facts,
      advice: 'Clients end such a connection: the server must select an offered name, or none.',
    };
  }
  if (selected !== null) return { verdict: 'passed', detail: `selected ${shown ?? ''} of ${names.join(', ')}`, facts };
  const detail = offered.length === 0 ? 'none offered, none selected' : `none selected of ${names.join(', ')}`;
  if (wanted.length === 0) return { verdict: 'passed', detail, facts };
  const advice = 'Browsers end a connection whose server selects none of the names that were offered.';
  return { verdict: 'warning', detail, facts, advice };
}

/** Judges whether messages are compressed. */
export function judgeCompression(answer: Answer, tame: Tame): Finding {
  const extensions = headerOf(answer, 'sec-websocket-extensions');
  const facts = { offered: 'permessage-deflate', accepted: extensions === null ? null : tame(extensions) };
  const detail = extensions === null ? 'permessage-deflate not accepted' : `${tame(extensions)} accepted`;
  return { verdict: 'passed', detail, facts };
}

/** Judges how far the server's clock is from this machine's, by the date of its answer. */
export function judgeClock(answer: Answer): Finding {
  const date = Date.parse(headerOf(answer, 'date') ?? '');
  if (Number.isNaN(date)) return { verdict: 'skipped', detail: 'the answer has no date' };
  // the date is cut to a second
  const offsetMs = Math.round(date + 500 - answer.askedAt);
  const uncertaintyMs = Math.round(1_000 + answer.durationMs / 2);
  const facts = { offsetMs, uncertaintyMs };
  const range = `± ${durationText(uncertaintyMs)}`;
  if (Math.abs(offsetMs) <= uncertaintyMs) return { verdict: 'passed', detail: `the same as here, ${range}`, facts };
  const amount =
    Math.abs(offsetMs) < 100_000
      ? durationText(Math.abs(offsetMs))
      : counted(Math.round(Math.abs(offsetMs) / 60_000), 'minute');
  const detail = `${amount} ${offsetMs > 0 ? 'ahead of' : 'behind'} this machine's, ${range}`;
  if (Math.abs(offsetMs) <= MAX_CLOCK_OFFSET_MS) return { verdict: 'passed', detail, facts };
  const advice = 'Set the clocks: tokens and certificates are valid too early or too late.';
  return { verdict: 'warning', detail, facts, advice };
}

/** A header of an answer; several are one, as HTTP has it. */
export function headerOf({ headers }: Answer, name: string): string | null {
  const value = headers[name];
  if (value === undefined) return null;
  return typeof value === 'string' ? value : value.join(', ');
}

function interesting(answer: Answer, tame: Tame): Record<string, string> {
  return Object.fromEntries(
    INTERESTING.flatMap((name) => {
      const value = headerOf(answer, name);
      return value === null ? [] : [[name, tame(value)]];
    }),
  );
}

function explainRefusal(answer: Answer, request: Request): { why: string; advice: string; location: string | null } {
  const status = answer.status ?? 0;
  const location = locationOf(answer, request);
  if (location !== null && status >= 300 && status < 400) {
    const advice = 'Use that address, if you trust it: browsers do not follow redirections of a WebSocket.';
    return { why: `go to ${location}`, advice, location };
  }
  const [why, advice] = REASONS[status] ?? [];
  if (why !== undefined && advice !== undefined) return { why, advice, location };
  if (status >= 200 && status < 300) return { why: 'an answer, but no WebSocket', advice: SUCCESS, location };
  const hint = `See the log of the server for the reason: headers, subprotocol, origin.${secureHint(request.url)}`;
  return { why: 'refused', advice: hint, location };
}

function locationOf(answer: Answer, { url, tame }: Request): string | null {
  const location = headerOf(answer, 'location');
  if (location === null) return null;
  try {
    return shownUrl(new URL(location, url), tame);
  } catch {
    return null;
  }
}

function explainBroken({ problem, status }: Answer, { url, tame }: Request): Pick<Finding, 'detail' | 'advice'> {
  const text = tame(problem ?? '');
  if (status !== null) return { detail: `${status}, but no valid handshake: ${text}`, advice: NOT_VALID };
  if (text === TLS_ANSWER) return { detail: text, advice: 'Use wss: for this port.' };
  if (/hang up|ECONNRESET|EPIPE/.test(text)) {
    const advice = `See the log of the server, or of a proxy in front of it.${secureHint(url)}`;
    return { detail: 'the connection was ended without an answer', advice };
  }
  return { detail: `no HTTP: ${text}`, advice: NOT_HTTP };
}

function secureHint({ protocol }: URL): string {
  return protocol === 'ws:' ? ' The port may want TLS: then wss: is right.' : '';
}
