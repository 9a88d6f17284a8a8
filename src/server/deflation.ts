import type { Deflater } from '../protocol/compression.ts';
import type { StoreClock } from './clock.ts';

export interface DeflationOptions {
  clock: StoreClock;
  /** Loads what compresses; `null` where compression is not wanted. */
  load: (() => Promise<Deflater>) | null;
  /** Hears why it could not be loaded. */
  fault: (cause: unknown) => void;
}

// a client waits 3 s for its greeting
const PATIENCE_MS = 1_000;

/** What compresses the frames of a server, which is loaded by the time that the first client is greeted: what is said then holds for its socket. */
export class Deflation {
  readonly #clock: StoreClock;
  readonly #deadline: unknown;
  #deflater: Deflater | null = null;
  // who waits for it; `null` once nobody does any more
  #waiting: (() => void)[] | null = null;

  constructor({ clock, load, fault }: DeflationOptions) {
    this.#clock = clock;
    if (!load) return;
    this.#waiting = [];
    this.#deadline = clock.setTimeout(() => {
      this.#settle();
    }, PATIENCE_MS);
    load()
      .then((deflater) => {
        this.#deflater = deflater;
      }, fault)
      .finally(() => {
        this.#settle();
      });
  }

  /** `null` when there is none, or not yet. */
  get deflater(): Deflater | null {
    return this.#deflater;
  }

  /** Calls back once it is known whether there is one: at once, or within 1 s. */
  onceKnown(callback: () => void): void {
    if (this.#waiting) this.#waiting.push(callback);
    else callback();
  }

  /** Nobody is called back any more. */
  stop(): void {
    this.#waiting = [];
    this.#settle();
  }

  #settle(): void {
    this.#clock.clearTimeout(this.#deadline);
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const callback of waiting) callback();
  }
}
