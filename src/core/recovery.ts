import type { CloseInitiator, ErrorCategory, ErrorCode } from '../errors.ts';
import type { RecoveryRule, RecoveryStrategy } from '../protocol/recovery-rule.ts';
import { DEFAULT_RULES } from './recovery-table.ts';

export type { RecoveryRule, RecoveryStrategy } from '../protocol/recovery-rule.ts';

/** Every strategy, by name. */
export const STRATEGIES = [
  'reconnect',
  'wait',
  'reauthenticate',
  'renegotiate',
  'new_session',
  'manual',
] as const satisfies readonly RecoveryStrategy[];

/** A failure as plain data: what the machine decides on, and what an audit record can hold. No secrets, no live objects. */
export interface Failure {
  code: ErrorCode;
  category: ErrorCategory;
  strategy: RecoveryStrategy;
  /** The shortest wait before a retry, in ms; 0 for none. */
  retryAfterMs: number;
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
  /** The HTTP status of a handshake that was refused, where the platform shows it: `ws` does, browsers never. Source: RFC 9110, section 15. */
  status?: number;
}

/** What an application decides on a failure: a strategy, or one with a wait. */
export type Decision = RecoveryStrategy | { strategy: RecoveryStrategy; retryAfterMs?: number };

/** What a failure is classified by. */
export interface FailureFacts {
  code: ErrorCode;
  closure?: Closure | null;
  /** `null` until it is known which one the socket speaks: then it may be `holdfast.v1`. */
  wire?: 'plain' | 'holdfast.v1' | null;
}

/** What of a failure may be known better than the table knows it. */
export interface FailureDetails {
  detail?: string | null;
  strategy?: RecoveryStrategy;
  retryAfterMs?: number;
}

/** The longest time that anybody may ask a connection to stay away, in ms: one hour. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** A wait that somebody asked for, made one that can be kept: nonsense is none, and too much is {@link MAX_RETRY_AFTER_MS}. */
export function clampRetryAfter(ms: unknown): number {
  return typeof ms === 'number' && ms > 0 ? Math.min(Math.ceil(ms), MAX_RETRY_AFTER_MS) : 0;
}

/** The rule for a failure: the first that covers it, of the application's own and then of {@link DEFAULT_RULES}. */
export function ruleFor(facts: FailureFacts, own: readonly RecoveryRule[] = []): RecoveryRule {
  const covers = (rule: RecoveryRule): boolean => doesCover(rule, facts);
  return own.find(covers) ?? DEFAULT_RULES.find(covers) ?? UNLISTED;
}

/** A failure, classified by the table. */
export function classified(
  facts: FailureFacts,
  own: readonly RecoveryRule[] = [],
  known: FailureDetails = {},
): Failure {
  const rule = ruleFor(facts, own);
  const { category, strategy } = rule;
  const [ruledMs, askedMs] = [clampRetryAfter(rule.retryAfterMs), clampRetryAfter(known.retryAfterMs)];
  return {
    code: facts.code,
    category,
    strategy: known.strategy ?? strategy,
    // what the defaults assume holds where the peer says nothing, what the application asks for holds always
    retryAfterMs: own.includes(rule) ? Math.max(ruledMs, askedMs) : askedMs || ruledMs,
    detail: known.detail ?? null,
    closure: facts.closure ?? null,
  };
}

/** A failure that no socket's end explains: a provider, a deadline, a constructor. */
export function failure(code: ErrorCode, detail: string | null = null): Failure {
  return classified({ code }, [], { detail });
}

/** The code of what a socket's end amounts to. `wasOpen` tells a refused handshake from a lost connection. */
export function closureErrorCode({ initiator }: Closure, wasOpen: boolean): ErrorCode {
  if (!wasOpen) return 'HANDSHAKE_FAILED';
  if (initiator === 'local') return 'CLOSED_LOCALLY';
  return initiator === 'peer' ? 'CLOSED_BY_PEER' : 'CONNECTION_LOST';
}

/** The end of a socket that this side did not wait for the peer to confirm. */
export function ownClosure({ code, reason }: { code: number; reason: string }): Failure {
  return classified({ code: 'CLOSED_LOCALLY', closure: { code, reason, wasClean: false, initiator: 'local' } });
}

const UNLISTED: RecoveryRule = { category: 'connection_failed', strategy: 'reconnect' };

function doesCover(rule: RecoveryRule, { code, closure, wire }: FailureFacts): boolean {
  if (rule.failure !== undefined && ![rule.failure].flat().includes(code)) return false;
  if (rule.codes !== undefined && !isWithin(rule.codes, closure?.code)) return false;
  if (rule.status !== undefined && !isWithin(rule.status, closure?.status)) return false;
  if (rule.initiator !== undefined && rule.initiator !== closure?.initiator) return false;
  return rule.wire === undefined || rule.wire === (wire === 'plain' ? 'plain' : 'holdfast.v1');
}

function isWithin(wanted: number | readonly [first: number, last: number], code: number | undefined): boolean {
  if (code === undefined) return false;
  return typeof wanted === 'number' ? code === wanted : code >= wanted[0] && code <= wanted[1];
}
