/** This many flushes within one millisecond, with nothing received in between, are a one-way flood. */
const FLOOD_FLUSHES = 8;
const GATHER_MS = 1;
/** So many questions of one turn leave together. */
const PORTION = 25;
const NOW = Promise.resolve();

/** As much of a clock as it needs. */
interface Timers {
  now(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface FlushClockOptions {
  clock: Timers;
  /** A fixed wait before each flush, in ms; 0 for none. */
  lingerMs: () => number;
  /** Flushes. @returns Whether there was anything to flush. */
  flush: () => boolean;
}

/**
 * When to flush: at the end of the microtask turn, so that what one turn sends leaves together and nobody waits; only under a
 * one-way flood once a millisecond, until a window passes with nothing to send. Request and reply never get there, for
 * something is received in between. Of many questions that are asked in one turn some leave before its end: the peer works on the first of them
 * while the last are written.
 */
export class FlushClock {
  readonly #options: FlushClockOptions;
  // what the next flush waits for
  #pending: 'turn' | 'timer' | null = null;
  #timer: unknown;
  // questions that were put since the last flush
  #asked = 0;
  #gathering = false;
  // flushes since #windowAt, the millisecond they all fell into
  #flushes = 0;
  #windowAt = 0;

  constructor(options: FlushClockOptions) {
    this.#options = options;
  }

  /** Something waits to be flushed. */
  request(): void {
    if (this.#pending) return;
    const waitMs = this.#gathering ? GATHER_MS : this.#options.lingerMs();
    if (waitMs > 0) return this.defer(waitMs);
    this.#pending = 'turn';
    // not queueMicrotask(), which enters an async scope of its own in Node: that takes as long as many a flush
    void NOW.then(this.#turned);
  }

  /** A question is about to be put with what waits: somebody waits for the peer's answer. What was put before it leaves now, if there are as many as leave together. */
  asking(): void {
    if (this.#asked >= PORTION) {
      this.#asked = 0;
      // a timer is waited for, whoever asks
      if (this.#pending === 'turn') this.#options.flush();
    }
    this.#asked += 1;
  }

  /** Puts the next flush off by a time, in ms; whatever is asked for meanwhile waits for it. */
  defer(waitMs: number): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#pending = 'timer';
    this.#timer = this.#options.clock.setTimeout(this.#run, waitMs);
  }

  /** Something was received: this is a conversation, not a flood. */
  received(): void {
    this.#flushes = 0;
  }

  /** Forgets the pending flush. */
  cancel(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#pending = null;
    this.#gathering = false;
    this.#flushes = this.#asked = 0;
  }

  // whatever was put off since waits for its timer
  readonly #turned = (): void => {
    if (this.#pending === 'turn') this.#run();
  };

  readonly #run = (): void => {
    // cancelled since it was asked for
    if (!this.#pending) return;
    this.#pending = null;
    this.#asked = 0;
    const flushed = this.#options.flush();
    if (this.#gathering) {
      this.#gathering = flushed;
      // a window of its own follows, so that an empty one can be seen
      if (flushed) this.request();
      return;
    }
    const now = this.#options.clock.now();
    if (now !== this.#windowAt) this.#flushes = 0;
    this.#windowAt = now;
    this.#flushes += 1;
    this.#gathering = this.#flushes >= FLOOD_FLUSHES;
  };
}
