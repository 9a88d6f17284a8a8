import type { Urgency } from '../machines/health.ts';
import { MAX_DELAY_MS } from './core/backoff.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';

/** What is known of how long an answer takes. In milliseconds. */
export interface Expectation {
  smoothedMs: number;
  variationMs: number;
}

export interface SilenceOptions {
  clock: Clock;
  /** How many bytes wait for the peer's acknowledgement, or to leave; `null`: it owes nothing. */
  owed: () => number | null;
  expected: () => Expectation;
  /** How often the time is doubled: links before this one were given up for nothing, it may be. */
  patience: () => number;
  /** The peer owes an answer, and has said nothing for longer than that explains. */
  unanswered: (urgency: Urgency) => void;
}

// source: PROTOCOL.md, "Liveness"; the sum of round trip and four variations is that of RFC 6298, section 2
const LEAST_SILENCE_MS = 1_500;
const LEAST_ANSWER_MS = 500;
// how long an acknowledgement may be put off
const ACK_DELAY_MS = 50;
/** A link that is slower than this is not told from one that is dead. */
export const SLOWEST_BYTES_PER_MS = 32;
// a timer that is later than this tells of a machine that slept, not of a peer that is silent
const OVERSLEPT_MS = 2_000;

// after so many doublings a link gets as long as from the heartbeat
const MOST_PATIENCE = 16;

export interface VigilOptions {
  clock: Clock;
  /** `null` before the first round trip of a link. */
  roundTrips: () => Expectation | null;
  unanswered: (urgency: Urgency) => void;
  /** Whether anybody does something about a silence. */
  isWatched: () => boolean;
}

/** How the sockets of one connection are watched for silence, one after the other. */
export class Vigil {
  readonly #options: VigilOptions;
  #patience = 1;
  #introducedAt = 0;
  #introductionMs = 0;
  #silence: Silence | undefined;

  constructor(options: VigilOptions) {
    this.#options = options;
  }

  /** What the server owed when the present silence began; 0 while there is none. */
  get owedBytes(): number {
    return this.#silence?.owedBytes ?? 0;
  }

  /** The hello goes out. */
  introduced(): void {
    this.#introducedAt = this.#now();
  }

  /** The welcome came, and the socket is used from now on, in place of any before. `owed`: see {@link SilenceOptions}. */
  begin(owed: SilenceOptions['owed']): void {
    const { clock, roundTrips, unanswered, isWatched } = this.#options;
    this.#introductionMs = this.#now() - this.#introducedAt;
    this.#silence?.end();
    this.#silence = undefined;
    if (!isWatched()) return;
    this.#silence = new Silence({
      clock,
      owed,
      unanswered,
      // a welcome takes no less than a round trip. Source: RFC 6298, section 2.2
      expected: () => roundTrips() ?? { smoothedMs: this.#introductionMs, variationMs: this.#introductionMs / 2 },
      patience: () => this.#patience,
    });
  }

  /** Something left that the peer has to acknowledge. */
  readonly asked = (): void => {
    this.#silence?.asked();
  };

  /** A frame came. */
  heard(): void {
    this.#silence?.heard();
  }

  /** A ping was answered: this link carries both ways. */
  answered(): void {
    this.#patience = Math.max(1, this.#patience / 2);
  }

  /** The socket is gone. One that was given up in a silence may have been slow, and so may be the next. */
  lost(): void {
    if (this.#silence?.isTold === true) this.#patience = Math.min(MOST_PATIENCE, this.#patience * 2);
    this.#silence?.end();
    this.#silence = undefined;
  }

  #now(): number {
    return monotonicNow(this.#options.clock);
  }
}

/**
 * How long one socket has been silent while its peer owes an acknowledgement. Any frame ends a silence. One timer, which looks again when it
 * fires: none is set or cleared for a message or a frame.
 */
export class Silence {
  readonly #options: SilenceOptions;
  // since when the peer owes something and says nothing, and how many bytes that was then
  #since: number | null = null;
  #owedBytes = 0;
  #timer: unknown;
  #dueAt = 0;
  #isTold = false;

  constructor(options: SilenceOptions) {
    this.#options = options;
  }

  /** What the peer owed when the present silence began; 0 while there is none. */
  get owedBytes(): number {
    return this.#since === null ? 0 : this.#owedBytes;
  }

  /** Whether it was told, and nothing was heard since. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** Something left that the peer has to acknowledge. */
  asked(): void {
    if (this.#since !== null) return;
    this.#begin();
  }

  /** A frame came. */
  heard(): void {
    this.#isTold = false;
    if (this.#since !== null) this.#begin();
  }

  /** The socket is gone. */
  end(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#since = null;
  }

  #begin(): void {
    const owed = this.#options.owed();
    this.#since = owed === null ? null : this.#now();
    this.#owedBytes = owed ?? 0;
    if (owed !== null && !this.#isArmedInTime) this.#arm(this.#limitMs());
  }

  // a timer that was set for something large is too late for what is small; most are not looked at so closely
  get #isArmedInTime(): boolean {
    if (this.#timer === undefined) return false;
    const leftMs = this.#dueAt - this.#now();
    return leftMs <= 2 * LEAST_SILENCE_MS || leftMs <= this.#limitMs();
  }

  #arm(leftMs: number): void {
    const waitMs = Math.min(leftMs, MAX_DELAY_MS);
    this.#options.clock.clearTimeout(this.#timer);
    this.#dueAt = this.#now() + waitMs;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, waitMs);
  }

  #look(): void {
    if (this.#options.owed() === null) this.#since = null;
    if (this.#since === null) return;
    const now = this.#now();
    if (now - this.#dueAt > OVERSLEPT_MS) return this.#begin();
    const leftMs = this.#since + this.#limitMs() - now;
    if (leftMs > 0) return this.#arm(leftMs);
    this.#isTold = true;
    this.#options.unanswered(this.#urgency());
  }

  #limitMs(): number {
    const { smoothedMs, variationMs } = this.#options.expected();
    const usualMs = smoothedMs + 4 * variationMs + ACK_DELAY_MS;
    return Math.ceil(Math.max(LEAST_SILENCE_MS, usualMs) * this.#options.patience() + this.#transferMs());
  }

  #urgency(): Urgency {
    const leastMs = Math.max(LEAST_ANSWER_MS, 2 * this.#options.expected().smoothedMs);
    const timeoutMs = Math.min(MAX_DELAY_MS, Math.ceil(leastMs * this.#options.patience() + this.#transferMs()));
    return { lateMs: Math.floor(timeoutMs / 2), timeoutMs };
  }

  // what is large takes its time; what was sent into the silence does not explain it, and would put its end off for ever
  #transferMs(): number {
    return this.#owedBytes / SLOWEST_BYTES_PER_MS;
  }

  #now(): number {
    return monotonicNow(this.#options.clock);
  }
}
