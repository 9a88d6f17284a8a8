import { numberOf } from './tokens.ts';

/** What a server answered to the handshake of a client that may not be one. */
export interface Handshake {
  /** 101 lets the client in. */
  status: 101 | 401 | 429;
  /** When, in ms, by the clock of the server. */
  at: number;
  /** Which token the client showed; `null` for none that is valid or was asked for. */
  token: number | null;
  /** What a refusal asked for: a header, in whole seconds. */
  retryAfterS: number;
}

const MS = 1_000;

/** The way into a server: whom it lets in, and whom it refuses. */
export class Gate {
  readonly #key: string | undefined;
  readonly #now: () => number;
  #newestToken = 0;
  #expiredUpTo = 0;
  #limitedUntil = 0;

  /** @param key What the tokens of its clients are signed with; without one it asks for none. */
  constructor(key: string | undefined, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  /** Answers a handshake, by the subprotocols that it offers: one of them may be a token. */
  answer(offered: readonly string[]): Handshake {
    const at = this.#now();
    const key = this.#key;
    const numbers = key === undefined ? [] : offered.map((protocol) => numberOf(protocol, key));
    const token = numbers.find((number) => number !== null) ?? null;
    if (at < this.#limitedUntil)
      return { status: 429, at, token, retryAfterS: Math.ceil((this.#limitedUntil - at) / MS) };
    if (key !== undefined && (token ?? 0) <= this.#expiredUpTo) return { status: 401, at, token, retryAfterS: 0 };
    this.#newestToken = Math.max(this.#newestToken, token ?? 0);
    return { status: 101, at, token, retryAfterS: 0 };
  }

  /** Takes no token any more that it has taken. */
  expire(): void {
    this.#expiredUpTo = this.#newestToken;
  }

  /** Lets nobody in for this time. */
  limit(ms: number): void {
    this.#limitedUntil = this.#now() + ms;
  }
}
