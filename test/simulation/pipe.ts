import type { SimulatedClock } from '../support/clock.ts';
import type { Chance } from './chance.ts';
import type { Parcel } from './network.ts';

export interface PipeOptions {
  clock: SimulatedClock;
  chance: Chance;
  /** Ms on the way. */
  pace: { least: number; most: number };
  deliver: (parcel: Parcel) => void;
}

interface Underway {
  parcel: Parcel;
  arrivesAt: number;
  timer: number;
}

/** One direction of a connection: whatever is sent arrives in order, after a time that varies. */
export class Pipe {
  readonly #options: PipeOptions;
  #underway: Underway[] = [];
  #lastArrivalAt = 0;
  #stalledUntil = 0;
  #isClosed = false;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  /** What waits at the sender because nothing gets through. */
  get bufferedBytes(): number {
    if (this.#options.clock.now() >= this.#stalledUntil) return 0;
    return this.#underway.reduce((sum, { parcel }) => sum + (parcel.kind === 'data' ? parcel.data.length : 0), 0);
  }

  send(parcel: Parcel): void {
    if (this.#isClosed) return;
    const { clock, chance, pace } = this.#options;
    const soonest = Math.max(clock.now(), this.#stalledUntil) + chance.between(pace.least, pace.most);
    this.#lastArrivalAt = Math.max(this.#lastArrivalAt, soonest);
    this.#underway.push(this.#arriving(parcel, this.#lastArrivalAt));
  }

  /** Nothing gets through before this time, in epoch ms. */
  stallUntil(time: number): void {
    this.#stalledUntil = time;
    const { clock } = this.#options;
    this.#lastArrivalAt = Math.max(clock.now(), time);
    this.#retime((arrivesAt) => Math.max(this.#lastArrivalAt, time === 0 ? 0 : arrivesAt));
  }

  /** Nothing more can be sent; a part of what is on its way arrives, so much later. */
  cut(arriving: number, lateMs: number): void {
    this.#isClosed = true;
    const kept = Math.round(this.#underway.length * arriving);
    for (const { timer } of this.#underway.splice(kept)) this.#options.clock.clearTimeout(timer);
    if (lateMs > 0) this.#retime((arrivesAt) => arrivesAt + lateMs);
  }

  /** Nobody is there to receive anything. */
  drop(): void {
    this.#isClosed = true;
    for (const { timer } of this.#underway.splice(0)) this.#options.clock.clearTimeout(timer);
  }

  #retime(timeOf: (arrivesAt: number) => number): void {
    const before = this.#underway;
    this.#underway = [];
    for (const { parcel, arrivesAt, timer } of before) {
      this.#options.clock.clearTimeout(timer);
      this.#lastArrivalAt = Math.max(this.#lastArrivalAt, timeOf(arrivesAt));
      this.#underway.push(this.#arriving(parcel, this.#lastArrivalAt));
    }
  }

  #arriving(parcel: Parcel, arrivesAt: number): Underway {
    const { clock, deliver } = this.#options;
    const timer = clock.setTimeout(
      () => {
        // timers of one moment fire in the order in which they were set: the first is the one that arrives
        this.#underway.shift();
        deliver(parcel);
      },
      Math.max(0, arrivesAt - clock.now()),
    );
    return { parcel, arrivesAt, timer };
  }
}
