import type { Tame } from './secrecy.ts';
import { counted, durationText, type Finding } from './step.ts';

/** The first message of a server, without its content. */
export interface Said {
  isBinary: boolean;
  bytes: number;
  afterMs: number;
  greeting: Greeting | null;
}

/** What a server that speaks `holdfast.v1` says first. */
export interface Greeting {
  versions: readonly number[];
  node: string;
  capabilities: readonly string[];
  pingIntervalMs: number | null;
}

/** How a connection ended; a problem is what broke it, if something did. The texts are tame. */
export interface Ending {
  code: number;
  reason: string;
  problem: string | null;
}

/** What is known when a server's first message is judged, or its silence for so many ms. */
export interface Expectation {
  /** Whether it selected `holdfast.v1`. */
  isSelected: boolean;
  /** Whether the user asked for that. */
  isWanted: boolean;
  waitedMs: number;
}

/** What became of pings: how long each pong took, in ms, in order. */
export interface RoundTrips {
  sent: number;
  samplesMs: readonly number[];
}

/** What a server did while it was watched. */
export interface Heartbeat {
  pings: number;
  watchedMs: number;
  /** Between two of them, on the average. */
  intervalMs: number | null;
}

/** What became of our close. */
export interface Closing {
  /** Of the answer; 1006: there was none. */
  code: number;
  durationMs: number;
  /** The answer came, but the connection stayed open. */
  isLeftOpen: boolean;
}

export const WIRE = 'holdfast.v1';
const VERSION = 1;

const ABNORMAL = 1006;
const NO_CODE = 1005;
const NORMAL = 1000;
const BARS = '▁▂▃▄▅▆▇█';
const MAX_BARS = 20;
const REASONS: Readonly<Record<number, string>> = {
  1001: 'it leaves',
  1008: 'it does not allow this: credentials, most likely',
  1009: 'a message was too big',
  1011: 'it has a fault',
  1012: 'it restarts',
  1013: 'try again later',
  3000: 'credentials are missing or wrong',
  3003: 'forbidden',
  4401: 'credentials are missing or wrong',
  4403: 'forbidden',
  4429: 'too many requests',
};

/** Reads a greeting of `holdfast.v1`; null: it is none. */
export function readGreeting(text: string, tame: Tame): Greeting | null {
  const value = parse(text);
  if (value?.['t'] !== 'srv' || !Array.isArray(value['v'])) return null;
  const { v, node, caps, ping } = value;
  const interval = (ping as { iv?: unknown } | null | undefined)?.iv;
  return {
    versions: (v as unknown[]).filter((version) => Number.isSafeInteger(version)) as number[],
    node: typeof node === 'string' ? tame(node) : 'unnamed',
    capabilities: Array.isArray(caps) ? caps.filter((name) => typeof name === 'string').map((name) => tame(name)) : [],
    pingIntervalMs: typeof interval === 'number' ? interval : null,
  };
}

/** Judges which wire a server speaks, by what it said first. */
export function judgeWire(first: Said | null, { isSelected, isWanted, waitedMs }: Expectation): Finding {
  if (first?.greeting && isSelected) return judgeGreeting(first.greeting);
  const facts = { wire: 'plain', ...(first && { first: { isBinary: first.isBinary, bytes: first.bytes } }) };
  const said = first
    ? `${first.isBinary ? 'binary' : 'text'} of ${counted(first.bytes, 'byte')} after ${durationText(first.afterMs)}`
    : `nothing said unasked within ${durationText(waitedMs)}`;
  if (!isSelected) return { verdict: 'passed', detail: `plain; ${said}`, facts };
  return {
    verdict: isWanted ? 'warning' : 'passed',
    detail: `plain, though it selected ${WIRE}; ${said}`,
    facts,
    advice: `The server echoes names of subprotocols that it does not know. For Holdfast clients: wire: 'plain' saves them the wait.`,
  };
}

function judgeGreeting({ versions, node, capabilities, pingIntervalMs }: Greeting): Finding {
  const facts = { wire: WIRE, versions, node, capabilities, pingIntervalMs };
  const beat = pingIntervalMs === null ? '' : `, wants a ping every ${durationText(pingIntervalMs)}`;
  const can = capabilities.length === 0 ? '' : `, can ${capabilities.join(', ')}`;
  const detail = `${WIRE}: node ${node}${beat}${can}`;
  if (versions.includes(VERSION)) return { verdict: 'passed', detail, facts };
  return {
    verdict: 'warning',
    detail: `${detail}; versions ${versions.join(', ') || 'none'}, not ${VERSION}`,
    facts,
    advice: 'Bring client and server to a version that both speak.',
  };
}

/** Judges how fast pings were answered. */
export function judgeRoundTrips({ sent, samplesMs }: RoundTrips): Finding {
  const answered = samplesMs.length;
  const sorted = samplesMs.toSorted((one, other) => one - other);
  const [minMs, maxMs] = [sorted[0], sorted.at(-1)];
  const facts = { sent, answered, samplesMs: samplesMs.map(rounded) };
  const advice = 'Clients cannot tell a dead path from a quiet one by protocol pings: let messages of your own do it.';
  if (minMs === undefined || maxMs === undefined) {
    return { verdict: 'warning', detail: 'pings are not answered', facts, advice };
  }
  const [medianMs, jitterMs] = [medianOf(sorted), jitterOf(samplesMs)];
  const detail = `min ${durationText(minMs)}, median ${durationText(medianMs)}, max ${durationText(maxMs)}, jitter ${durationText(jitterMs)} ${sparkline(samplesMs)}`;
  const figures = { minMs, medianMs, maxMs, jitterMs };
  const known = { ...facts, ...Object.fromEntries(Object.entries(figures).map(([name, ms]) => [name, rounded(ms)])) };
  if (answered === sent) return { verdict: 'passed', detail, facts: known };
  return { verdict: 'warning', detail: `${detail}; ${sent - answered} of ${sent} not answered`, facts: known, advice };
}

/** Judges what a silent connection lived through. */
export function judgeIdle(idleMs: number, ending: Ending | null, afterMs: number): Finding {
  const facts = { idleMs, survived: ending === null };
  if (!ending) return { verdict: 'passed', detail: `open after ${durationText(idleMs)} of silence`, facts };
  const advice = 'Something in between, or the server, ends silent connections: let clients ping more often than that.';
  return { verdict: 'warning', detail: `ended after ${durationText(afterMs)}: ${endingText(ending)}`, facts, advice };
}

/** Tells whether a server pings by itself. */
export function judgeHeartbeat({ pings, watchedMs, intervalMs }: Heartbeat): Finding {
  const facts = {
    pings,
    watchedMs: Math.round(watchedMs),
    intervalMs: intervalMs === null ? null : Math.round(intervalMs),
  };
  const every = intervalMs === null ? '' : `, one every ${durationText(intervalMs)}`;
  const detail = `${pings === 0 ? 'no ping' : counted(pings, 'ping')} of its own in ${durationText(watchedMs)}${every}`;
  return { verdict: 'passed', detail, facts };
}

/** Judges how a server answered our close. */
export function judgeClosing({ code, durationMs, isLeftOpen }: Closing): Finding {
  const isAnswered = code !== ABNORMAL;
  const facts = { answered: isAnswered, code: isAnswered && code !== NO_CODE ? code : null, isLeftOpen };
  if (!isAnswered) {
    const advice =
      'Such a server keeps clients waiting that close as they should: let the library of the server answer close frames.';
    return { verdict: 'warning', detail: `not answered within ${durationText(durationMs)}`, facts, advice };
  }
  const how = code === NO_CODE ? 'without a code' : `with ${code}`;
  if (isLeftOpen) {
    const advice = 'After the close frames it is the server that ends the connection first (RFC 6455, section 7.1.1).';
    return { verdict: 'warning', detail: `answered ${how}, but the connection stayed open`, facts, advice };
  }
  return { verdict: 'passed', detail: `${NORMAL} answered ${how}`, facts };
}

/** Judges an end that came before it was asked for. */
export function judgeEnding(ending: Ending): Finding {
  const { code, reason, problem } = ending;
  return {
    verdict: 'failed',
    detail: `ended by the server: ${endingText(ending)}`,
    facts: { code, reason, problem },
    ...(REASONS[code] !== undefined && { advice: `Close code ${code} means: ${REASONS[code]}.` }),
  };
}

/** Numbers as a row of bars, the lowest and the highest as such. */
export function sparkline(samples: readonly number[]): string {
  const shown = samples.slice(-MAX_BARS);
  const low = Math.min(...shown);
  const range = Math.max(...shown) - low;
  return shown
    .map((sample) => BARS[range === 0 ? 0 : Math.round(((sample - low) / range) * (BARS.length - 1))])
    .join('');
}

function endingText({ code, reason, problem }: Ending): string {
  if (problem !== null) return problem;
  if (code === ABNORMAL) return 'the connection broke';
  return `close${code === NO_CODE ? ' without a code' : ` ${code}`}${reason === '' ? '' : ` (${reason})`}`;
}

function medianOf(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

// how much one differs from the one before, on the average
function jitterOf(samples: readonly number[]): number {
  if (samples.length < 2) return 0;
  const steps = samples.slice(1).map((sample, index) => Math.abs(sample - (samples[index] ?? sample)));
  return steps.reduce((sum, step) => sum + step, 0) / steps.length;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
