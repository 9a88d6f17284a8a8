import type { CloseInitiator, ErrorCategory, ErrorCode } from '../errors.ts';

/** What is done after a failure: try again, or give up until the application says `connect`. */
export type Verdict = 'retry' | 'stop';

/** A failure as plain data: what the machine decides on, and what an audit record can hold. No secrets, no live objects. */
export interface Failure {
  code: ErrorCode;
  verdict: Verdict;
  /** The shortest wait before a retry, in ms; 0 for none. */
  floorMs: number;
  /** Says more than the code's own message, for example the platform's reason. */
  detail: string | null;
  /** Set when a socket ended: how, and by whom. */
  closure: Closure | null;
}

/** How a socket ended. */
export interface Closure {
  /** Source: RFC 6455, section 7.4. 1005 and 1006 never travel: they say that no code did. */
  code: number;
  /** The peer's text, already without control characters. */
  reason: string;
  /** Whether both close frames were exchanged. */
  wasClean: boolean;
  initiator: CloseInitiator;
}

/** One line of the table: what a close code, or every code of a band, leads to. */
export interface CloseRule {
  /** A code, or the first and last of a band. */
  codes: number | readonly [first: number, last: number];
  verdict: Verdict;
  category: ErrorCategory;
  /** The shortest wait before the retry, in ms. Default: 0. */
  floorMs?: number;
}

/**
 * What each close code leads to, first match wins; a code without a line is retried. An application's own lines are
 * asked before these. A peer's 1000 and 1001 are retried: only the application that owns the connection can end it.
 * 44xx mirrors HTTP's 4xx and 45xx its 5xx, as many servers use them.
 */
export const CLOSE_RULES: readonly CloseRule[] = [
  { codes: [1000, 1001], verdict: 'retry', category: 'connection_failed' },
  { codes: [1002, 1003], verdict: 'stop', category: 'protocol_error' },
  { codes: [1005, 1006], verdict: 'retry', category: 'network_error' },
  { codes: 1007, verdict: 'stop', category: 'invalid_message' },
  { codes: 1008, verdict: 'stop', category: 'permission_denied' },
  { codes: [1009, 1010], verdict: 'stop', category: 'protocol_error' },
  { codes: 1011, verdict: 'retry', category: 'service_unavailable' },
  { codes: 1012, verdict: 'retry', category: 'service_unavailable', floorMs: 1_000 },
  { codes: 1013, verdict: 'retry', category: 'rate_limited', floorMs: 5_000 },
  { codes: 1014, verdict: 'retry', category: 'service_unavailable' },
  { codes: 1015, verdict: 'retry', category: 'connection_failed' },
  { codes: [4000, 4099], verdict: 'stop', category: 'permission_denied' },
  { codes: 4401, verdict: 'stop', category: 'authentication_failed' },
  { codes: 4403, verdict: 'stop', category: 'permission_denied' },
  { codes: 4404, verdict: 'stop', category: 'resource_not_found' },
  { codes: 4408, verdict: 'retry', category: 'timeout' },
  { codes: 4425, verdict: 'retry', category: 'rate_limited' },
  { codes: 4429, verdict: 'retry', category: 'rate_limited', floorMs: 5_000 },
  { codes: [4400, 4499], verdict: 'stop', category: 'protocol_error' },
  { codes: [4500, 4599], verdict: 'retry', category: 'service_unavailable' },
];

/**
 * What the close codes of `holdfast.v1` lead to, on a socket that speaks it; asked after an application's own lines and before
 * {@link CLOSE_RULES}. Source: PROTOCOL.md, "Close codes".
 */
export const WIRE_CLOSE_RULES: readonly CloseRule[] = [
  { codes: 4000, verdict: 'stop', category: 'connection_failed' },
  { codes: [4001, 4002], verdict: 'stop', category: 'protocol_error' },
  { codes: 4003, verdict: 'stop', category: 'permission_denied' },
  { codes: 4004, verdict: 'stop', category: 'connection_failed' },
  { codes: 4005, verdict: 'stop', category: 'authentication_failed' },
  { codes: 4006, verdict: 'stop', category: 'protocol_error' },
  { codes: 4007, verdict: 'stop', category: 'rate_limited' },
  { codes: 4101, verdict: 'retry', category: 'rate_limited' },
  { codes: [4100, 4103], verdict: 'retry', category: 'service_unavailable' },
  { codes: 4201, verdict: 'retry', category: 'protocol_error' },
  { codes: 4202, verdict: 'retry', category: 'timeout' },
  { codes: 4204, verdict: 'retry', category: 'timeout' },
  { codes: [4200, 4203], verdict: 'retry', category: 'service_unavailable' },
  { codes: 4300, verdict: 'retry', category: 'authentication_failed' },
  { codes: 4301, verdict: 'retry', category: 'resource_not_found' },
];

const UNLISTED: CloseRule = { codes: [0, 65_535], verdict: 'retry', category: 'connection_failed' };

/** The rule for a close code: the application's own first, then the defaults. */
export function closeRule(code: number, own: readonly CloseRule[] = []): CloseRule {
  const covers = ({ codes }: CloseRule): boolean =>
    typeof codes === 'number' ? codes === code : code >= codes[0] && code <= codes[1];
  return own.find(covers) ?? CLOSE_RULES.find(covers) ?? UNLISTED;
}

/** The failure that a socket's end amounts to. `wasOpen` tells a refused handshake from a lost connection. */
export function failureOfClosure(
  closure: Closure,
  { wasOpen, rules, detail = null }: { wasOpen: boolean; rules?: readonly CloseRule[]; detail?: string | null },
): Failure {
  const rule = closeRule(closure.code, rules);
  const code = closureErrorCode(closure, wasOpen);
  return { code, verdict: rule.verdict, floorMs: rule.floorMs ?? 0, detail, closure };
}

/** A failure that no close code explains: a provider, a deadline, a constructor. */
export function failure(code: ErrorCode, verdict: Verdict, detail: string | null = null): Failure {
  return { code, verdict, floorMs: 0, detail, closure: null };
}

function closureErrorCode(closure: Closure, wasOpen: boolean): ErrorCode {
  if (!wasOpen) return 'HANDSHAKE_FAILED';
  if (closure.initiator === 'local') return 'CLOSED_LOCALLY';
  return closure.initiator === 'peer' ? 'CLOSED_BY_PEER' : 'CONNECTION_LOST';
}

/** The end of a socket that this side did not wait for the peer to confirm. */
export function ownClosure({ code, reason }: { code: number; reason: string }): Failure {
  return {
    ...failure('CLOSED_LOCALLY', 'stop'),
    closure: { code, reason, wasClean: false, initiator: 'local' },
  };
}
