import type { ServerFrame } from '../protocol/frames.ts';

/** Why a message was refused; the fields of `nack`. */
export interface Refusal {
  code: string;
  message: string;
  temporary: boolean;
  /** `rejected`: it was not acted on. `unknown`: it may have been. */
  outcome: 'rejected' | 'unknown';
}

export interface RefusalsOptions {
  /** Sends a frame to the client, when there is a socket to send it by. @returns Whether there was. */
  say: (frame: ServerFrame) => boolean;
  now: () => number;
  /** The client knows that the message at this position was refused. */
  known: (position: number) => void;
}

/**
 * Refusals that the client may not know of. An acknowledgement outlives its socket, for every welcome repeats it; a `nack` does not. So a
 * ping goes after it, and only its pong lets the position count as accepted; until then every new socket is told again.
 * Source: PROTOCOL.md, "Refusals and errors".
 */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #pending = new Map<number, Refusal>();
  // the ping that is out, and the positions whose nacks went before it
  #asked: { ping: number; positions: readonly number[] } | undefined;
  #pings = 0;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  has(position: number): boolean {
    return this.#pending.has(position);
  }

  /** Tells the client, now or on its next socket. */
  refuse(position: number, refusal: Refusal): void {
    this.#pending.set(position, refusal);
    if (this.#tell(position, refusal) && !this.#asked) this.#ask();
  }

  /** A new socket: nobody knows what came of the last one. */
  attached(): void {
    this.#asked = undefined;
    for (const [position, refusal] of this.#pending) this.#tell(position, refusal);
    if (this.#pending.size > 0) this.#ask();
  }

  /** The client has answered a ping: it has everything that went before it. */
  ponged(ping: number): void {
    if (ping !== this.#asked?.ping) return;
    const { positions } = this.#asked;
    this.#asked = undefined;
    for (const position of positions) {
      this.#pending.delete(position);
      this.#options.known(position);
    }
    // those that came meanwhile; one ping at a time is enough
    if (this.#pending.size > 0) this.#ask();
  }

  #tell(position: number, { code, message, temporary, outcome }: Refusal): boolean {
    return this.#options.say({
      t: 'nack',
      s: position,
      e: position,
      c: code,
      m: message,
      temp: temporary,
      out: outcome,
    });
  }

  #ask(): void {
    this.#pings += 1;
    this.#asked = { ping: this.#pings, positions: [...this.#pending.keys()] };
    this.#options.say({ t: 'ping', i: this.#pings, ts: this.#options.now() });
  }
}
