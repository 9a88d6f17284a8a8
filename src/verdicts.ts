import { isolated } from './core/isolation.ts';
import { tameText } from './core/redact.ts';
import { failure, failureOfClosure, WIRE_CLOSE_RULES, type CloseRule, type Failure } from './core/recovery.ts';
import type { WireName } from '../machines/facts.ts';
import type { Settled } from './endpoint.ts';
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
    const { code, reason, wasClean, initiator, detail } = end;
    return failureOfClosure(
      { code, reason: tameText(reason), wasClean, initiator },
      { wasOpen, rules: this.rules(wire), detail: detail === null ? null : tameText(detail) },
    );
  }

  /** What close codes mean on a wire, before what they mean everywhere. `null`: holdfast.v1 was offered, and may be spoken. */
  rules(wire: WireName | null): readonly CloseRule[] {
    const { closeRules } = this.#settings();
    return wire === 'plain' ? closeRules : [...closeRules, ...WIRE_CLOSE_RULES];
  }

  /** The application has the last word, unless its code throws or gives no verdict. */
  decide(failed: Failure): Failure {
    const { decide } = this.#settings();
    let verdict = failed.verdict;
    if (decide) {
      isolated(
        () => {
          const decided = decide({ ...failed });
          if (decided === 'retry' || decided === 'stop') verdict = decided;
          return decided;
        },
        [],
        this.#report,
      );
    }
    return { ...failed, verdict };
  }

  /** The same for whoever waits for a step to end. */
  decided(settled: Settled): Settled {
    return (failed) => {
      settled(failed && this.decide(failed));
    };
  }
}

/**
 * What a constructor that threw amounts to.
 *
 * Source: WHATWG WebSockets standard: the constructor throws a SyntaxError for a URL or subprotocol that can never work. A TypeError
 * says that it is no constructor, or has a bug: that does not pass either.
 */
export function constructorFailure(cause: unknown): Failure {
  const { name } = Object(cause) as { name?: unknown };
  // only its name is kept: the platform's message quotes the URL, and with it whatever token is in there
  const detail = typeof name === 'string' ? name : null;
  if (name === 'SyntaxError') return failure('INVALID_URL', 'stop', detail);
  return failure('WEBSOCKET_FAILED', cause instanceof TypeError ? 'stop' : 'retry', detail);
}
