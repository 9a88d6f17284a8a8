import { CONTROL, tameText } from '../core/redact.ts';
import { ERRORS } from '../errors.ts';
import type { FailureAccount, Wait } from './explanation.ts';

const MOST_NAME = 100;

// source: RFC 6455 section 7.4, the IANA registry of close codes, and PROTOCOL.md
const CLOSE_NAMES: ReadonlyMap<number, string> = new Map([
  [1000, 'normal closure'],
  [1001, 'going away'],
  [1002, 'protocol error'],
  [1003, 'unsupported data'],
  [1005, 'no code'],
  [1006, 'no close frame'],
  [1007, 'invalid payload'],
  [1008, 'policy violation'],
  [1009, 'message too big'],
  [1010, 'extension missing'],
  [1011, 'internal error'],
  [1012, 'service restart'],
  [1013, 'try again later'],
  [1014, 'bad gateway'],
  [1015, 'TLS handshake'],
  [3000, 'unauthorized'],
  [3003, 'forbidden'],
  [3008, 'timeout'],
  [4000, 'bye'],
  [4001, 'protocol violation'],
  [4002, 'no common version'],
  [4003, 'forbidden'],
  [4004, 'replaced'],
  [4005, 'credentials rejected'],
  [4006, 'frame too big'],
  [4007, 'quota exceeded'],
  [4100, 'overloaded'],
  [4101, 'rate limited'],
  [4102, 'slow consumer'],
  [4103, 'server fault'],
  [4200, 'draining'],
  [4201, 'gap'],
  [4202, 'ping timeout'],
  [4203, 'rebalanced'],
  [4204, 'hello timeout'],
  [4300, 'credentials expired'],
  [4301, 'session lost'],
]);

/** A sentence as it may be printed, whatever is in it. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, ' ');
}

/** A name from a log as it may be printed in a sentence. */
export function nameText(name: string): string {
  const tame = tameText(name);
  return oneLine(tame.length > MOST_NAME ? `${tame.slice(0, MOST_NAME)}…` : tame);
}

/** A time in ms since 1970. */
export function timeText(at: number | null): string {
  return at === null ? 'a time that is not known' : new Date(at).toISOString();
}

/** A duration in ms, such as `157 ms`, `5.2 s`, `1 min 8 s` or `2 h 5 min`: what is longer is told less exactly. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 10) / 100).toString()} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return parts([Math.floor(seconds / 60), 'min'], [seconds % 60, 's']);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return parts([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min']);
  const hours = Math.floor(minutes / 60);
  return parts([Math.floor(hours / 24), 'd'], [hours % 24, 'h']);
}

/** A share from 0 to 1. */
export function shareText(share: number): string {
  const percent = Math.round(share * 10_000) / 100;
  return percent === 0 && share > 0 ? 'less than 0.01 %' : `${percent} %`;
}

/** A number and what there are so many of. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What went wrong, as a clause. */
export function failureText(failure: FailureAccount | null, event: string | null = null): string {
  if (!failure) return event === 'successor.welcomed' ? MOVED : 'why is not known';
  const { code, closure, httpStatus } = failure;
  const closeCode = closure?.code ?? null;
  const closedWith = closeCode === null ? '' : ` with ${closeText(closeCode)}`;
  switch (code) {
    case 'CLOSED_BY_PEER':
      return `the peer closed it${closedWith}${closure?.wasClean === false ? ', without the closing handshake' : ''}`;
    case 'CLOSED_LOCALLY':
      return `the application closed it${closedWith}`;
    case 'CONNECTION_LOST':
      return 'the connection broke without a close frame';
    case 'HANDSHAKE_FAILED':
      if (httpStatus !== null) return `the server refused the handshake with HTTP ${httpStatus}`;
      return `the socket closed before it was open${closedWith && `,${closedWith}`}`;
    default:
      return `${known(code)}${closedWith && ` (it closed${closedWith})`}`;
  }
}

/** The names of what went wrong, and what is done about it. */
export function codesText({ code, category, strategy }: FailureAccount): string {
  return nameText([code, category, strategy && `strategy ${strategy}`].filter(Boolean).join(', '));
}

/** How long is waited, and why so long, as a clause. */
export function waitText({ ms, hold, retry, floorMs, event, isPrompt }: Wait): string {
  const time =
    ms === null ? (hold === 'page' ? 'until the page lives again' : 'a time that is not known') : durationText(ms);
  const reason = CAUSES.get(event ?? '') ?? holdText(hold, isPrompt);
  const floor = floorMs > 0 && `at least ${durationText(floorMs)} for the server or the rules`;
  const why = [reason, floor].filter(Boolean).join(', ');
  return `${time}${retry === null || retry === 0 ? '' : ` for retry ${retry}`}${why && `: ${why}`}`;
}

const MOVED = 'it moved to another socket, where its session was not known';

const CAUSES: ReadonlyMap<string, string> = new Map([
  ['network.online', 'the network is back'],
  ['page.visible', 'the page is looked at again'],
  ['system.woke', 'the system has slept'],
]);

function holdText(hold: Wait['hold'], isPrompt: boolean): string {
  switch (hold) {
    case 'delay':
      return isPrompt ? 'tried at once, the first time' : 'backoff';
    case 'server':
      return 'asked by the server';
    case 'network':
      return 'no network is reported';
    case 'visibility':
      return 'the page is hidden';
    case 'page':
      return 'the page is frozen';
    case null:
      return '';
  }
}

function closeText(code: number): string {
  const name = CLOSE_NAMES.get(code);
  return name === undefined ? String(code) : `${code} (${name})`;
}

function known(code: string): string {
  if (!Object.hasOwn(ERRORS, code)) return `of ${nameText(code)}`;
  const text = ERRORS[code as keyof typeof ERRORS][2].replace(/\.$/, '');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function parts(...pairs: [number, string][]): string {
  return pairs.flatMap(([count, unit], index) => (index > 0 && count === 0 ? [] : [`${count} ${unit}`])).join(' ');
}
