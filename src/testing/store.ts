import { MemoryStore, type SessionStore, type StoreClock, type StoreEvents } from '../server/index.ts';
import { Chance } from './chance.ts';
import type { SimulatedClock } from './clock.ts';

export interface SimulatedStoreOptions {
  clock: SimulatedClock;
  /** @default one of the seed 1 */
  chance?: Chance;
}

/** A session store that several servers share, and that outlives each of them. */
export class SimulatedStore {
  /** The longest half of a call, in ms: an effect comes at some moment of it. */
  paceMs = 2;
  readonly options: Required<SimulatedStoreOptions>;
  readonly #accesses = new Set<StoreAccess>();
  #inner: MemoryStore;

  constructor(options: SimulatedStoreOptions) {
    this.options = { chance: new Chance(1), ...options };
    this.#inner = this.#fresh();
  }

  /** What is in it, as it is. */
  get inner(): MemoryStore {
    return this.#inner;
  }

  /** One server's way to it, for as long as that lives. */
  access(): StoreAccess {
    const access = new StoreAccess(this);
    this.#accesses.add(access);
    return access;
  }

  /** Everything in it is lost. No server may live that has a session of it. */
  async lose(): Promise<void> {
    const before = this.#inner;
    this.#inner = this.#fresh();
    await before.close();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** A server is dead: nothing is told to it any more. */
  leave(access: StoreAccess): void {
    this.#accesses.delete(access);
  }

  #fresh(): MemoryStore {
    const store = new MemoryStore({ clock: timersOf(this.options.clock) });
    const tell =
      <Type extends keyof StoreEvents>(type: Type) =>
      (event: Parameters<StoreEvents[Type]>[0]) => {
        for (const access of this.#accesses) access.tell(type, event);
      };
    store.subscribe({ wake: tell('wake'), takeover: tell('takeover'), expire: tell('expire') });
    return store;
  }
}

/** One server's way to a store that others use as well: each call takes time, and none is answered once the server is dead. */
export class StoreAccess implements SessionStore {
  readonly #store: SimulatedStore;
  readonly #subscribers = new Set<Partial<StoreEvents>>();
  // timers of calls that have had no effect yet
  readonly #underway = new Set<number>();
  #isDead = false;
  #toldAt = 0;

  constructor(store: SimulatedStore) {
    this.#store = store;
  }

  readonly open: SessionStore['open'] = (wish) => this.#call((store) => store.open(wish));
  readonly attach: SessionStore['attach'] = (claim) => this.#call((store) => store.attach(claim));
  readonly confirm: SessionStore['confirm'] = (sid, gen) => this.#call((store) => store.confirm(sid, gen));
  readonly append: SessionStore['append'] = (sid, gen, messages) =>
    this.#call((store) => store.append(sid, gen, messages));
  readonly read: SessionStore['read'] = (sid, after, most) => this.#call((store) => store.read(sid, after, most));
  readonly ack: SessionStore['ack'] = (sid, gen, upTo) => this.#call((store) => store.ack(sid, gen, upTo));
  readonly accept: SessionStore['accept'] = (sid, gen, accepted) =>
    this.#call((store) => store.accept(sid, gen, accepted));
  readonly known: SessionStore['known'] = (principal, keys) => this.#call((store) => store.known(principal, keys));
  readonly touch: SessionStore['touch'] = (sid, gen) => this.#call((store) => store.touch(sid, gen));
  readonly detach: SessionStore['detach'] = (sid, gen) => this.#call((store) => store.detach(sid, gen));
  readonly destroy: SessionStore['destroy'] = (sid, gen) => this.#call((store) => store.destroy(sid, gen));

  subscribe(events: Partial<StoreEvents>): () => void {
    this.#subscribers.add(events);
    return () => {
      this.#subscribers.delete(events);
    };
  }

  /** The server is closed; the store is not. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The server is no more: some of what it asked for still has its effect, and nobody hears of it. */
  kill(): void {
    this.#isDead = true;
    const { chance, clock } = this.#store.options;
    for (const timer of [...this.#underway]) {
      if (chance.happens(0.5)) continue;
      clock.clearTimeout(timer);
      this.#underway.delete(timer);
    }
    this.#store.leave(this);
  }

  /** Something happened that its server is to hear of, some time later. */
  tell<Type extends keyof StoreEvents>(type: Type, event: Parameters<StoreEvents[Type]>[0]): void {
    const { clock, chance } = this.#store.options;
    // what is told keeps its order
    this.#toldAt = Math.max(this.#toldAt, clock.now() + chance.between(0, this.#store.paceMs));
    clock.setTimeout(() => {
      if (this.#isDead) return;
      for (const subscriber of [...this.#subscribers])
        (subscriber[type] as ((told: typeof event) => void) | undefined)?.(event);
    }, this.#toldAt - clock.now());
  }

  #call<Answer>(effect: (store: MemoryStore) => Promise<Answer>): Promise<Answer> {
    const { options, paceMs, inner } = this.#store;
    const { clock, chance } = options;
    return new Promise((resolve, reject) => {
      if (this.#isDead) return;
      const answered = (answer: Answer): void => {
        clock.setTimeout(
          () => {
            if (!this.#isDead) resolve(answer);
          },
          chance.between(0, paceMs),
        );
      };
      const timer = clock.setTimeout(
        () => {
          this.#underway.delete(timer);
          // what was asked of a store that is lost is lost with it
          if (inner === this.#store.inner) effect(inner).then(answered, reject);
        },
        chance.between(0, paceMs),
      );
      this.#underway.add(timer);
    });
  }
}

/** Time for what lives on the same clock, and takes any handle. */
export function timersOf(clock: SimulatedClock): StoreClock {
  return {
    now: () => clock.now(),
    setTimeout: (fire, ms) => clock.setTimeout(fire, ms),
    clearTimeout: (timer) => {
      clock.clearTimeout(timer as number | undefined);
    },
  };
}
