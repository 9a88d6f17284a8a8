import { DEFLATE_RAW, DEFLATE_WINDOW, type Compression, type MakeCompression } from '../protocol/compression.ts';
import type { StoreClock } from './clock.ts';

export interface DeflationOptions {
  clock: StoreClock;
  /** Loads what compresses; `null` where compression is not wanted. */
  load: (() => Promise<MakeCompression>) | null;
  /** How many sockets may have a window at a time. */
  windows: number;
  /** Hears why it could not be loaded. */
  fault: (cause: unknown) => void;
}

/** What was agreed on with one client. */
export interface Agreement {
  caps: string[];
  compression: Compression | null;
  /** Its socket is closed, or about to be: somebody else may have its window. */
  end: () => void;
}

// a client waits 3 s for its greeting
const PATIENCE_MS = 1_000;

/** What compresses the frames of a server, which is loaded by the time that the first client is greeted: what is said then holds for its socket. */
export class Deflation {
  readonly #clock: StoreClock;
  readonly #deadline: unknown;
  readonly #windows: number;
  // how many of them sockets have
  #taken = 0;
  #make: MakeCompression | null = null;
  // who waits for it; `null` once nobody does any more
  #waiting: (() => void)[] | null = null;

  constructor({ clock, load, windows, fault }: DeflationOptions) {
    this.#clock = clock;
    this.#windows = windows;
    if (!load) return;
    this.#waiting = [];
    this.#deadline = clock.setTimeout(() => {
      this.#settle();
    }, PATIENCE_MS);
    load()
      .then((make) => {
        this.#make = make;
      }, fault)
      .finally(() => {
        this.#settle();
      });
  }

  /** What a client is offered: nothing, as long as it is not loaded. Whether there is a window left is known once it is welcomed. */
  get caps(): string[] {
    if (!this.#make) return [];
    return this.#windows > 0 ? [DEFLATE_RAW, DEFLATE_WINDOW] : [DEFLATE_RAW];
  }

  /** Agrees with a client on what it was offered and wants. */
  agree(offered: readonly string[], wanted: readonly string[]): Agreement {
    const common = this.caps.filter((cap) => offered.includes(cap) && wanted.includes(cap));
    if (!this.#make || !common.includes(DEFLATE_RAW)) return { caps: [], compression: null, end: () => undefined };
    const hasWindow = common.includes(DEFLATE_WINDOW) && this.#taken < this.#windows;
    let isTaken = hasWindow;
    if (isTaken) this.#taken += 1;
    return {
      caps: hasWindow ? common : [DEFLATE_RAW],
      compression: this.#make({ hasWindow }),
      end: () => {
        if (isTaken) this.#taken -= 1;
        isTaken = false;
      },
    };
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
