import { tameText } from './core/redact.ts';
import { clampRetryAfter, type Failure } from './core/recovery.ts';
import type { ServerFrame } from './protocol/frames.ts';

type ServerError = Extract<ServerFrame, { t: 'err' }>;

// PROTOCOL.md, "Refusals and errors": what is older explains no end
const EXPLAINS_MS = 5_000;

/** What a server said last of trouble on one socket, for as long as that may be why the socket ends. */
export class Warning {
  readonly #now: () => number;
  #last: { error: ServerError; at: number } | undefined;

  /** `now`: in ms, on a clock that never runs backwards. */
  constructor(now: () => number) {
    this.#now = now;
  }

  heard(error: ServerError): void {
    this.#last = { error, at: this.#now() };
  }

  /** Adds to the failure of the socket what the server said before: why, and when to come back. */
  explained(failed: Failure): Failure {
    if (!this.#last) return failed;
    const { error, at } = this.#last;
    if (error.fatal !== true && this.#now() - at > EXPLAINS_MS) return failed;
    const detail = [failed.detail, `${error.c}: ${tameText(error.m)}`].filter(Boolean).join('; ');
    return { ...failed, detail, retryAfterMs: Math.max(failed.retryAfterMs, clampRetryAfter(error.ra)) };
  }
}
