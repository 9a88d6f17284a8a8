import { isolated } from './core/isolation.ts';
import { classified, clampRetryAfter, closureErrorCode, failure, STRATEGIES, type Failure } from './core/recovery.ts';
import { tameText } from './core/redact.ts';
import { kindOf } from './failures.ts';
import type { WireName } from '../machines/facts.ts';
import type { Settled } from './endpoint.ts';
import type { ProtocolViolation } from './protocol/violation.ts';
import type { ServiceSettings } from './settings.ts';
import type { TransportEnd } from './transport/transport.ts';

/** What failures lead to: as the table says, unless the application decides otherwise. */
export class Verdicts {
  readonly #settings: () => ServiceSettings;
  readonly #report: (cause: unknown) => void;

  /** `report` hears what the application's code throws. */
  constructor(settings: () => ServiceSettings, report: (cause: unknown) => void) {
    this.#settings = settings;
    this.#report = report;
  }

  /** The failure that a socket's end amounts to. */
  failureOf(end: TransportEnd, { wasOpen, wire }: { wasOpen: boolean; wire: WireName | null }): Failure {
    const { code, reason, wasClean, initiator, detail, status, retryAfterMs = 0 } = end;
    const closure = { code, reason: tameText(reason), wasClean, initiator, ...(status !== undefined && { status }) };
    return classified({ code: closureErrorCode(closure, wasOpen), closure, wire }, this.#settings().policy.rules, {
      detail: detail === null ? null : tameText(detail),
      retryAfterMs,
    });
  }

  /** The failure of a step before the socket, by the application's own rules too. */
  ruled(failed: Failure): Failure {
    return classified({ code: failed.code }, this.#settings().policy.rules, { detail: failed.detail });
  }

  /** The application has the last word, unless its code throws or gives nothing that can be done. */
  decide(failed: Failure): Failure {
    const { decide } = this.#settings();
    if (!decide) return failed;
    let decided: Failure = failed;
    const ask = (): unknown => {
      const decision: unknown = decide({ ...failed });
      const after = decision === undefined ? failed : decidedBy(decision, failed, this.#report);
      if (after) decided = after;
      else this.#report(new TypeError('The option `decide` gave neither a strategy nor an object with one.'));
      // of a promise only the rejection is heard
      return decision;
    };
    isolated(ask, [], this.#report);
    return decided;
  }

  /** The same for whoever waits for a step to end. */
  decided(settled: Settled): Settled {
    return (failed) => {
      settled(failed && this.decide(this.ruled(failed)));
    };
  }
}

// undefined for what cannot be done
function decidedBy(decision: unknown, failed: Failure, report: (cause: unknown) => void): Failure | undefined {
  const { strategy, retryAfterMs } = Object(typeof decision === 'string' ? { strategy: decision } : decision) as {
    strategy?: unknown;
    retryAfterMs?: unknown;
  };
  const known = STRATEGIES.find((name) => name === strategy);
  if (!known) return undefined;
  // what is no time at all says nothing about the wait
  const isTime = typeof retryAfterMs === 'number' && retryAfterMs >= 0;
  if (!isTime && retryAfterMs !== undefined)
    report(new TypeError('The option `decide` gave a `retryAfterMs` that is no number of milliseconds.'));
  return { ...failed, strategy: known, ...(isTime && { retryAfterMs: clampRetryAfter(retryAfterMs) }) };
}

/**
 * What a constructor that threw amounts to.
 *
 * Source: WHATWG WebSockets standard: the constructor throws a SyntaxError for a URL or subprotocol that can never work. A TypeError
 * says that it is no constructor, or has a bug: that does not pass either.
 */
export function constructorFailure(cause: unknown): Failure {
  // only its name is kept: the platform's message quotes the URL, and with it whatever token is in there
  const kind = kindOf(cause);
  if (kind === 'SyntaxError') return failure('INVALID_URL', kind);
  const failed = failure('WEBSOCKET_FAILED', kind);
  return cause instanceof TypeError ? { ...failed, strategy: 'manual' } : failed;
}

/** A breach of the protocol as the failure of its socket. */
export function failureOfViolation({ closeCode, message }: ProtocolViolation): Failure {
  const closure = { code: closeCode, reason: '', wasClean: false, initiator: 'local' } as const;
  return classified({ code: 'PROTOCOL_VIOLATION', closure }, [], { detail: message });
}
