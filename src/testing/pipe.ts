import type { Chance } from './chance.ts';
import type { SimulatedClock } from './clock.ts';
import type { Data, Parcel } from './parcel.ts';

/** How fast a direction of a connection is. */
export interface Pace {
  /** Ms on the way, drawn anew for each parcel: no parcel overtakes another. */
  least: number;
  most: number;
  /** Bytes that leave in a second. @default Infinity */
  bytesPerSecond?: number;
}

export interface PipeOptions {
  clock: SimulatedClock;
  chance: Chance;
  /** Asked for each parcel. */
  pace: () => Pace;
  deliver: (parcel: Parcel) => void;
}

interface Underway {
  parcel: Parcel;
  bytes: number;
  /** When the last byte has left the sender. */
  leavesAt: number;
  arrivesAt: number;
}

/** One direction of a connection: whatever is sent arrives in order and whole, after a time that varies, until it is cut. */
export class Pipe {
  readonly #options: PipeOptions;
  #underway: Underway[] = [];
  #lastLeftAt = 0;
  #lastArrivalAt = 0;
  #stalledUntil = 0;
  #isClosed = false;
  // of the first that arrives
  #timer: number | undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  /** Bytes that wait at the sender. */
  get bufferedBytes(): number {
    const now = this.#options.clock.now();
    return this.#underway.reduce((sum, { bytes, leavesAt }) => sum + (leavesAt > now ? bytes : 0), 0);
  }

  send(parcel: Parcel): void {
    if (this.#isClosed) return;
    const { clock, chance, pace } = this.#options;
    const { least, most, bytesPerSecond = Infinity } = pace();
    const bytes = parcel.kind === 'data' ? sizeOf(parcel.data) : 0;
    const begins = Math.max(clock.now(), this.#stalledUntil, this.#lastLeftAt);
    this.#lastLeftAt = begins + (bytes * 1_000) / bytesPerSecond;
    this.#lastArrivalAt = Math.max(this.#lastArrivalAt, this.#lastLeftAt + chance.between(least, most));
    this.#underway.push({ parcel, bytes, leavesAt: this.#lastLeftAt, arrivesAt: this.#lastArrivalAt });
    if (this.#underway.length === 1) this.#arm();
  }

  /** Nothing gets through before this time, in epoch ms; `Infinity` for never, 0 for at once again. */
  stallUntil(time: number): void {
    const { clock } = this.#options;
    this.#stalledUntil = time;
    this.#lastArrivalAt = this.#lastLeftAt = Math.max(clock.now(), time);
    for (const parcel of this.#underway) {
      const arrivesAt = Math.max(this.#lastArrivalAt, time === 0 ? 0 : parcel.arrivesAt);
      parcel.leavesAt = Math.max(time, Math.min(parcel.leavesAt, arrivesAt));
      parcel.arrivesAt = this.#lastArrivalAt = arrivesAt;
    }
    this.#arm();
  }

  /** Nothing more can be sent; a part of what is on its way arrives, so much later. */
  cut(arriving: number, lateMs: number): void {
    this.#isClosed = true;
    this.#underway.splice(Math.round(this.#underway.length * arriving));
    for (const parcel of this.#underway) parcel.arrivesAt += lateMs;
    this.#arm();
  }

  /** Nobody is there to receive anything. */
  drop(): void {
    this.#isClosed = true;
    this.#underway = [];
    this.#arm();
  }

  #arm(): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    const [first] = this.#underway;
    // what never arrives needs no timer
    const delayMs = first ? Math.max(0, first.arrivesAt - clock.now()) : Infinity;
    this.#timer = delayMs === Infinity ? undefined : clock.setTimeout(this.#arrived, delayMs);
  }

  readonly #arrived = (): void => {
    const first = this.#underway.shift();
    this.#arm();
    if (first) this.#options.deliver(first.parcel);
  };
}

// of text its characters: what is measured is how long, and not what
function sizeOf(data: Data): number {
  return typeof data === 'string' ? data.length : data.byteLength;
}
