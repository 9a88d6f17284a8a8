import type { Socket } from 'node:net';
import type { Chance } from '../../src/testing/chance.ts';

/** What one way of a link does to what travels on it. Times in ms. */
export interface WayShape {
  /** How long everything takes. Default: 0. */
  delayMs?: number;
  /** By how much that varies, evenly to either side. What was sent later arrives later all the same. Default: 0. */
  jitterMs?: number;
  /** Default: `Infinity`. */
  bytesPerSecond?: number;
  /** With which probability a chunk, and with it all that follows on its connection, waits for so long: a loss, as TCP shows it. Default: none. */
  stalls?: { probability: number; ms: number };
}

/** Times of chunks as small as probes, from their arrival at the proxy to their departure. */
export interface WayTruth {
  count: number;
  meanMs: number;
  minMs: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
}

/** A ping or a pong, with its frame, and anything else that waits for nothing of its own length. */
const PROBE_BYTES = 256;
/** What one Ethernet frame carries: a slow link hands over so much at a time. */
const PACKET_BYTES = 1_460;
/** More than that under way, and the proxy stops reading, as a window that is full stops a sender. */
const MAX_BYTES = 1_048_576;
/** Node's timers count whole milliseconds; what is due within this is not worth another one. */
const TIMER_GRAIN_MS = 0.5;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One way of all connections of a proxy: what it does now, and what it has done. */
export class Way {
  #shape: WayShape = {};
  /** Whether bytes get lost from now on. */
  isDropping = false;
  /** Nothing enters it before, in ms of `performance.now()`. */
  stalledUntil = 0;
  #delays: number[] = [];

  get shape(): WayShape {
    return this.#shape;
  }

  /** Takes a shape, and counts anew. */
  take(shape: WayShape): void {
    this.#shape = shape;
    this.#delays = [];
  }

  heal(): void {
    this.isDropping = false;
    this.stalledUntil = 0;
  }

  note(bytes: number, delayMs: number): void {
    if (bytes <= PROBE_BYTES) this.#delays.push(delayMs);
  }

  /** `null` when nothing as small as a probe has passed. */
  get truth(): WayTruth | null {
    const sorted = this.#delays.toSorted((a, b) => a - b);
    const count = sorted.length;
    if (count === 0) return null;
    const rank = (share: number): number => sorted[Math.ceil(share * count) - 1] ?? 0;
    const meanMs = sorted.reduce((sum, delay) => sum + delay, 0) / count;
    return { count, meanMs, minMs: rank(1 / count), p50Ms: rank(0.5), p95Ms: rank(0.95), maxMs: rank(1) };
  }
}

/** How the sender's side ended: with a FIN, or with a RST. */
type Ending = 'end' | 'reset';

interface Packet {
  what: Buffer | Ending;
  arrivedAt: number;
  dueAt: number;
}

export interface LaneEnds {
  from: Socket;
  to: Socket;
}

/** One way of one connection: a queue with a clock. Nothing overtakes: what is due waits for what came before it. */
export class Lane {
  readonly #ends: LaneEnds;
  readonly #way: Way;
  readonly #chance: Chance;
  readonly #queue: Packet[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the last byte that entered had entered wholly, and before which nothing else can. */
  #entered = 0;
  /** A stream with a hole in it is one that no network hands over: what has lost a byte carries nothing any more. */
  #isDark = false;

  constructor(ends: LaneEnds, way: Way, chance: Chance) {
    this.#ends = ends;
    this.#way = way;
    this.#chance = chance;
    const { from, to } = ends;
    from.on('data', (data: Buffer) => {
      this.#accept(data);
    });
    from.on('end', () => {
      this.#accept('end');
    });
    from.on('error', () => undefined);
    from.on('close', (hadError) => {
      if (hadError) this.#accept('reset');
    });
    to.on('drain', () => {
      this.#deliver();
    });
  }

  /** Carries nothing any more, not even an end. What is under way is lost. */
  darken(): void {
    this.#isDark = true;
    this.#queue.length = 0;
    clearTimeout(this.#timer);
    this.#ends.from.resume();
  }

  #accept(what: Buffer | Ending): void {
    this.#isDark ||= this.#way.isDropping;
    if (this.#isDark) return;
    const arrivedAt = performance.now();
    const { bytesPerSecond = Infinity, delayMs = 0, jitterMs = 0, stalls } = this.#way.shape;
    const stallMs = stalls && this.#chance.happens(stalls.probability) ? stalls.ms : 0;
    const tripMs = Math.max(0, delayMs + this.#chance.between(-jitterMs, jitterMs));
    this.#entered = Math.max(this.#entered, arrivedAt, this.#way.stalledUntil) + stallMs;
    for (const piece of bytesPerSecond === Infinity ? [what] : packetsOf(what)) {
      this.#entered += (lengthOf(piece) / bytesPerSecond) * 1_000;
      this.#queue.push({ what: piece, arrivedAt, dueAt: this.#entered + tripMs });
    }
    this.#bytes += lengthOf(what);
    if (this.#bytes > MAX_BYTES) this.#ends.from.pause();
    this.#deliver();
  }

  #deliver(): void {
    const { from, to } = this.#ends;
    clearTimeout(this.#timer);
    for (let next = this.#queue[0]; next && !to.writableNeedDrain; next = this.#queue[0]) {
      const now = performance.now();
      if (next.dueAt > now + TIMER_GRAIN_MS) {
        this.#wake(next.dueAt - now);
        break;
      }
      this.#queue.shift();
      this.#bytes -= lengthOf(next.what);
      this.#way.note(lengthOf(next.what), now - next.arrivedAt);
      hand(to, next.what);
    }
    if (this.#bytes <= MAX_BYTES && from.isPaused()) from.resume();
  }

  #wake(inMs: number): void {
    this.#timer = setTimeout(
      () => {
        this.#deliver();
      },
      Math.min(inMs, MAX_TIMER_MS),
    );
  }
}

function hand(to: Socket, what: Buffer | Ending): void {
  if (to.destroyed) return;
  if (what === 'end') to.end();
  else if (what === 'reset') to.resetAndDestroy();
  else to.write(what);
}

function lengthOf(what: Buffer | Ending): number {
  return typeof what === 'string' ? 0 : what.length;
}

function packetsOf(what: Buffer | Ending): (Buffer | Ending)[] {
  if (typeof what === 'string') return [what];
  const count = Math.ceil(what.length / PACKET_BYTES);
  return Array.from({ length: count }, (_, index) => what.subarray(index * PACKET_BYTES, (index + 1) * PACKET_BYTES));
}
