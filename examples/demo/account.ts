import { styleText } from 'node:util';
import { ConnectionError, type ConnectionState, type EnhancedWebSocketService, type HoldfastError } from 'holdfast';

import { duration } from './table.ts';

type Colour = Extract<Parameters<typeof styleText>[0], string>;

const STATE_COLOURS: Record<ConnectionState, Colour> = {
  idle: 'gray',
  connecting: 'cyan',
  open: 'green',
  degraded: 'yellow',
  backoff: 'magenta',
  closing: 'gray',
  closed: 'gray',
  failed: 'red',
};

// nobody should wonder for longer than this whether it is still going
const SILENCE_MS = 1_500;
const LOOK_EVERY_MS = 250;

export interface AccountOptions {
  colour: boolean;
}

/** The live account: one line for each thing that happens, with the time since the start. */
export class Account {
  readonly #write: (text: string) => void;
  readonly #colour: boolean;
  readonly #startedAt = performance.now();
  #lastAt = this.#startedAt;
  readonly #muted = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (text: string) => void, { colour }: AccountOptions) {
    this.#write = write;
    this.#colour = colour;
  }

  /** Colours a text, where colours are wanted. */
  paint(colour: Colour, text: string): string {
    return this.#colour ? styleText(colour, text, { validateStream: false }) : text;
  }

  /** Text as it is. */
  print(text: string): void {
    this.#write(`${text}\n`);
  }

  /** Something that is about to be done. */
  announce(text: string): void {
    this.print(`\n${this.paint('bold', `── ${text} ──`)}`);
  }

  /** Something that happened to a service, or to all of them. */
  tell(name: string, text: string): void {
    const now = performance.now();
    this.#lastAt = now;
    const time = `${((now - this.#startedAt) / 1_000).toFixed(2)}s`;
    this.print(`${this.paint('gray', time.padStart(7))}  ${name.padEnd(8)}  ${text}`);
  }

  /** Tells every change of state, every retry and every lost session of a service's connections from now on. */
  follow(service: EnhancedWebSocketService): void {
    service.on('status', ({ serviceType, previous, current }) => {
      if (this.#muted.has(serviceType)) return;
      this.tell(serviceType, `${previous} → ${this.paint(STATE_COLOURS[current], current)}`);
    });
    service.on('opened', ({ serviceType, isResumed }) => {
      if (isResumed && !this.#muted.has(serviceType)) this.tell(serviceType, 'its session goes on');
    });
    service.on('discontinuity', ({ serviceType, why, inDoubt }) => {
      const text = `another session begins (${why}), ${inDoubt} messages are in doubt`;
      this.tell(serviceType, this.paint('yellow', text));
    });
    service.on('retrying', ({ serviceType, attempt, delayMs, error }) => {
      if (this.#muted.has(serviceType)) return;
      this.tell(serviceType, `retry ${attempt} in ${delayMs} ms: ${reasonText(error)}`);
    });
  }

  /** Tells nothing of how a service comes and goes. */
  mute(name: string): void {
    this.#muted.add(name);
  }

  unmute(name: string): void {
    this.#muted.delete(name);
  }

  /** Says where things stand whenever nothing else has been told for a while, until {@link Account.rest}. */
  breakSilences(standing: () => string): void {
    this.#timer = setInterval(() => {
      if (performance.now() - this.#lastAt >= SILENCE_MS) this.tell('', this.paint('gray', standing()));
    }, LOOK_EVERY_MS);
  }

  rest(): void {
    clearInterval(this.#timer);
  }
}

/** Why something ended, with the number that the peer gave. */
export function reasonText(error: HoldfastError | null | undefined): string {
  if (!(error instanceof ConnectionError)) return error?.code ?? 'no error';
  const { code, httpStatus, retryAfterMs, initiator, closeCode } = error;
  const number = httpStatus ?? (initiator === 'peer' ? closeCode : undefined);
  if (number === undefined) return code;
  return retryAfterMs === undefined
    ? `${code} (${number})`
    : `${code} (${number}, asked for ${duration(retryAfterMs)})`;
}
