import type { RawData, WebSocket } from 'ws';

import { readGreeting, type Closing, type Ending, type Heartbeat, type RoundTrips, type Said } from './conduct.ts';
import type { Tame } from './secrecy.ts';
import { waitFor, type Patience } from './waiting.ts';

/** How long a pong, or the answer to a close, is waited for. */
export const ANSWER_MS = 2_000;

const PAUSE_MS = 50;
// what a greeting may be long; it is the only message that is read
const MAX_GREETING_BYTES = 65_536;
const GOING_MS = 1_000;

/** A connection that is watched, from before it opens: what its server says, does and answers. Nothing is said to it but pings and a close. */
export class Visit {
  first: Said | null = null;
  ending: Ending | null = null;
  /** Whether a ping was answered so far. */
  isAnswering = false;
  readonly #socket: WebSocket;
  readonly #tame: Tame;
  #openedAt = performance.now();
  #pings = 0;
  #firstPingAt = 0;
  #lastPingAt = 0;

  constructor(socket: WebSocket, tame: Tame) {
    this.#socket = socket;
    this.#tame = tame;
    socket.on('open', () => {
      this.#openedAt = performance.now();
    });
    socket.on('message', (data: RawData, isBinary: boolean) => {
      this.first ??= this.#said(data as Buffer, isBinary);
    });
    socket.on('ping', () => {
      this.#lastPingAt = performance.now();
      if (this.#pings === 0) this.#firstPingAt = this.#lastPingAt;
      this.#pings += 1;
    });
    socket.on('error', ({ message }) => {
      this.ending ??= { code: 1006, reason: '', problem: tame(message) };
    });
    socket.on('close', (code, reason) => {
      this.ending ??= { code, reason: tame(reason.toString()), problem: null };
    });
  }

  /** Waits for the first message. Resolves with how long that took, from the opening on. */
  async listen(patience: Patience): Promise<number> {
    if (!this.first && !this.ending)
      await this.#next<true>((report) => this.#on('message', () => report(true)), patience);
    return performance.now() - this.#openedAt;
  }

  /** Sends so many pings, each after the pong of the one before, until one is not answered. */
  async ping(count: number, signal: AbortSignal): Promise<RoundTrips> {
    const samplesMs: number[] = [];
    let sent = 0;
    while (sent < count && !this.ending && !signal.aborted) {
      if (sent > 0) await this.wait(PAUSE_MS, signal);
      if (this.#isOver()) break;
      const ms = await this.#roundTrip(`${++sent}`, signal);
      if (ms === null) break;
      this.isAnswering = true;
      samplesMs.push(ms);
    }
    return { sent, samplesMs };
  }

  /** Lets time pass, or less of it if the connection ends. Resolves with how long that was. */
  async wait(ms: number, signal: AbortSignal): Promise<number> {
    const startedAt = performance.now();
    if (!this.ending) await this.#next(() => () => undefined, { ms, signal });
    return performance.now() - startedAt;
  }

  heartbeat(): Heartbeat {
    const pings = this.#pings;
    const watchedMs = performance.now() - this.#openedAt;
    return { pings, watchedMs, intervalMs: pings > 1 ? (this.#lastPingAt - this.#firstPingAt) / (pings - 1) : null };
  }

  /** Closes with 1000, and waits for the answer and for the end of the connection; then ends it. */
  async close(signal: AbortSignal): Promise<Closing> {
    const startedAt = performance.now();
    this.#socket.close(1000);
    await this.wait(ANSWER_MS, signal);
    const durationMs = performance.now() - startedAt;
    const isLeftOpen = !this.#isOver();
    await this.leave();
    return { code: this.ending?.code ?? 1006, durationMs, isLeftOpen };
  }

  /** Ends the connection, whatever it does, and resolves when it is gone. */
  async leave(): Promise<void> {
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    const never = new AbortController();
    await waitFor<true>(
      (report) => {
        const stop = this.#on('close', () => report(true));
        this.#socket.terminate();
        return stop;
      },
      { ms: GOING_MS, signal: never.signal },
    );
  }

  async #roundTrip(name: string, signal: AbortSignal): Promise<number | null> {
    const sentAt = performance.now();
    const isAnswered = await this.#next<true>(
      (report) => {
        const stop = this.#on('pong', (data: Buffer) => {
          if (data.toString() === name) report(true);
        });
        this.#socket.ping(name);
        return stop;
      },
      { ms: ANSWER_MS, signal },
    );
    return isAnswered ? performance.now() - sentAt : null;
  }

  // an end is as good as time that is up
  #next<Value>(listen: (report: (value: Value) => void) => () => void, patience: Patience): Promise<Value | null> {
    return waitFor<Value | null>((report) => {
      const ended = (): void => {
        report(null);
      };
      this.#socket.on('close', ended).on('error', ended);
      const stop = listen(report);
      return () => {
        this.#socket.off('close', ended).off('error', ended);
        stop();
      };
    }, patience);
  }

  #isOver(): boolean {
    return this.ending !== null;
  }

  #on(event: 'message' | 'pong' | 'close', listener: (data: Buffer) => void): () => void {
    this.#socket.on(event as 'pong', listener);
    return () => this.#socket.off(event as 'pong', listener);
  }

  #said(data: Buffer, isBinary: boolean): Said {
    const bytes = data.length;
    const isReadable = !isBinary && bytes <= MAX_GREETING_BYTES;
    const greeting = isReadable ? readGreeting(data.toString(), this.#tame) : null;
    return { isBinary, bytes, afterMs: performance.now() - this.#openedAt, greeting };
  }
}
