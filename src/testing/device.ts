import type { Clock, Signal, SignalSource } from '../index.ts';
import type { SimulatedClock } from './clock.ts';

interface Due {
  fire: () => void;
  /** Of the clock; `undefined` once it waits for the device to go on. */
  timer: number | undefined;
  isCleared: boolean;
}

/**
 * The machine that a client runs on: hand its `clock` and `signals` to the service. It can be without a network, its page can be hidden or
 * frozen, it can sleep, and somebody can set its clock.
 */
export class SimulatedDevice {
  /** Time on it: it stands still while the device does, and its wall can be set. */
  readonly clock: Clock;
  readonly signals: SignalSource;
  /** Called when its network is gone or back. */
  onNetwork: (isOnline: boolean) => void = () => undefined;
  readonly #clock: SimulatedClock;
  readonly #timers = new Set<Due>();
  readonly #listeners = new Set<(signal: Signal) => void>();
  #isOnline = true;
  #isHidden = false;
  #isFrozen = false;
  #isAsleep = false;
  // what it is told first when it goes on
  readonly #news: Signal[] = [];
  // what is to happen once it goes on
  #held: (() => void)[] | undefined;
  #skewMs = 0;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
    this.clock = {
      now: () => clock.now() + this.#skewMs,
      monotonicNow: () => clock.now(),
      setTimeout: (fire, ms) => this.#set(fire, ms),
      clearTimeout: (due) => {
        this.#clear(due as Due | undefined);
      },
    };
    this.signals = {
      subscribe: (report) => {
        this.#listeners.add(report);
        if (!this.#isOnline) report('network.offline');
        if (this.#isHidden) report('page.hidden');
        return () => {
          this.#listeners.delete(report);
        };
      },
    };
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Whether nothing runs on it. */
  get isStill(): boolean {
    return this.#held !== undefined;
  }

  get isHidden(): boolean {
    return this.#isHidden;
  }

  /** How many timers of its clock have neither fired nor been cleared. */
  get timersLeft(): number {
    return this.#timers.size;
  }

  /** How many listen to its signals. */
  get listenersLeft(): number {
    return this.#listeners.size;
  }

  goOffline(): void {
    if (!this.#isOnline) return;
    this.#isOnline = false;
    this.onNetwork(false);
    this.#report('network.offline');
  }

  goOnline(): void {
    if (this.#isOnline) return;
    this.#isOnline = true;
    this.onNetwork(true);
    this.#report('network.online');
  }

  /** The page goes to the background. */
  hide(): void {
    if (this.#isHidden) return;
    this.#isHidden = true;
    this.#report('page.hidden');
  }

  /** Somebody looks at the page. */
  show(): void {
    if (!this.#isHidden) return;
    this.#isHidden = false;
    this.#report('page.visible');
  }

  /** The browser freezes the page, which is told: from now on nothing runs, until it thaws. */
  freeze(): void {
    if (this.#isFrozen) return;
    this.#isHidden = true;
    // a machine that sleeps tells nobody any more
    if (!this.#isAsleep) this.#report('page.frozen');
    this.#isFrozen = true;
    this.#held ??= [];
  }

  /** The page lives again, in front of somebody. What fell due, and what came meanwhile, comes now; unless the machine sleeps. */
  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = this.#isHidden = false;
    this.#goOn('page.visible');
  }

  /** The machine falls asleep, without a word. */
  sleep(): void {
    this.#isAsleep = true;
    this.#held ??= [];
  }

  /** The machine wakes up; a page that is frozen stays so. */
  wake(): void {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    this.#goOn('system.woke');
  }

  /** Somebody sets the clock of the wall, by so many ms; the one for measuring goes on. */
  setWall(byMs: number): void {
    this.#skewMs += byMs;
  }

  /** Does something on the device: now, or once it goes on. */
  run(deed: () => void): void {
    if (this.#held) this.#held.push(deed);
    else deed();
  }

  #goOn(signal: Signal): void {
    this.#news.push(signal);
    const held = this.#held;
    if (this.#isFrozen || this.#isAsleep || !held) return;
    this.#held = undefined;
    for (const news of this.#news.splice(0)) this.#report(news);
    // one of them may stop it again
    while (held.length > 0 && !this.isStill) held.shift()?.();
    this.#holdFirst(held);
  }

  // what is left came before what is held by now
  #holdFirst(left: readonly (() => void)[]): void {
    this.#held?.unshift(...left);
  }

  #report(signal: Signal): void {
    this.run(() => {
      for (const listener of [...this.#listeners]) listener(signal);
    });
  }

  #set(fire: () => void, ms: number): Due {
    const due: Due = { fire, timer: undefined, isCleared: false };
    due.timer = this.#clock.setTimeout(() => {
      due.timer = undefined;
      this.run(() => {
        this.#timers.delete(due);
        if (!due.isCleared) due.fire();
      });
    }, ms);
    this.#timers.add(due);
    return due;
  }

  #clear(due: Due | undefined): void {
    if (!due) return;
    due.isCleared = true;
    this.#timers.delete(due);
    this.#clock.clearTimeout(due.timer);
  }
}
