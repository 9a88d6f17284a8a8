import { MemoryStore } from '../../src/server/memory-store.ts';
import type { SessionStore, StoreEvents, WriteRefusal } from '../../src/server/store.ts';
import type { SimulatedClock } from '../../src/testing/clock.ts';
import type { Chance } from '../../src/testing/chance.ts';
import { timersOf } from '../../src/testing/store.ts';
import { seenOf, short } from './session-truth.ts';
import type { Truth } from './truth.ts';

/** Ways for a store to break its promises. */
export interface StoreFlaws {
  /** Answers before anything is kept. */
  early?: 'accept' | 'append';
  /** Takes writes of owners that are no longer. */
  isUnfenced?: boolean;
  /** Forgets one message more than was acknowledged. */
  overTrims?: boolean;
  /** Keeps a session only from its first loss on. */
  keepsLate?: boolean;
  /** Loses history and goes on in the same epoch. */
  keepsEpoch?: boolean;
  /** Takes each token once. */
  takesTokenOnce?: boolean;
  /** Opens a session for every hello. */
  ignoresNonce?: boolean;
  /** Never knows an idempotency key. */
  forgetsKeys?: boolean;
}

export interface SharedStoreOptions {
  clock: SimulatedClock;
  chance: Chance;
  truth: Truth;
  flaws: StoreFlaws;
  /** Messages kept for one session. */
  maxMessages: number;
}

/** The store that all nodes share: its calls take time, and their effects come at some moment of it. */
export class SharedStore {
  readonly options: SharedStoreOptions;
  /** The longest half of a call, in ms. */
  paceMs = 2;
  inner: MemoryStore;
  readonly #ports = new Set<StorePort>();
  #openings = 0;

  constructor(options: SharedStoreOptions) {
    this.options = options;
    this.inner = this.#fresh();
  }

  /** The store as one node sees it, for as long as that lives. */
  port(node: string): StorePort {
    const port = new StorePort(this, node);
    this.#ports.add(port);
    return port;
  }

  /** Tells every node that still listens, some time later. */
  tell<Type extends keyof StoreEvents>(type: Type, event: Parameters<StoreEvents[Type]>[0]): void {
    for (const port of this.#ports) port.tell(type, event);
  }

  leave(port: StorePort): void {
    this.#ports.delete(port);
  }

  /** A name that no other opening has. */
  nextOpening(): number {
    return ++this.#openings;
  }

  /** Everything is lost but an older copy. No node may live. */
  async restore(): Promise<void> {
    const { truth, chance, flaws } = this.options;
    await this.inner.close();
    this.inner = this.#fresh();
    truth.keyedBy.clear();
    truth.moves += 1;
    for (const session of truth.sessions.values()) {
      if (!session.isKept) continue;
      const { wish, tokenHash } = session;
      const ep = flaws.keepsEpoch ? session.ep : `${session.ep.slice(0, 16)}${chance.below(1e6)}`;
      await this.inner.open({ ...wish, ep, tokenHash });
      const rx = chance.below(session.rx + 1);
      await this.inner.accept(wish.sid, 1, { upTo: rx, keys: [] });
      const copied = session.kept.slice(0, chance.below(session.kept.length + 1));
      const kept = copied.length > 0 ? await this.inner.append(wish.sid, 1, copied) : null;
      const top = typeof kept === 'string' ? 0 : (kept?.last ?? 0);
      await this.inner.ack(wish.sid, 1, Math.min(top, session.downTold));
      await this.inner.detach(wish.sid, 1);
      // an older copy knows older tokens
      for (const why of ['epoch', 'forbidden']) session.excuses.add(why);
      session.gen = 1;
      if (!flaws.keepsEpoch) truth.restored(session, { ep, rx, top });
    }
  }

  #fresh(): MemoryStore {
    const { clock, maxMessages, truth } = this.options;
    const store = new MemoryStore({ clock: timersOf(clock), maxMessages, keyTtlMs: 3_600_000 });
    store.subscribe({
      wake: (event) => {
        this.tell('wake', event);
      },
      takeover: (event) => {
        this.tell('takeover', event);
      },
      expire: (event) => {
        truth.expired(event.sid);
        truth.history.note(`store forgets ${short(event.sid)}`);
        this.tell('expire', event);
      },
    });
    return store;
  }
}

/** One node's way to the store. */
export class StorePort implements SessionStore {
  readonly #shared: SharedStore;
  readonly #node: string;
  readonly #subscribers = new Set<Partial<StoreEvents>>();
  // timers of calls that have had no effect yet
  readonly #underway = new Set<number>();
  // sessions that this node has and has not let go of
  readonly #held = new Set<string>();
  #isDead = false;
  #toldAt = 0;

  constructor(shared: SharedStore, node: string) {
    this.#shared = shared;
    this.#node = node;
  }

  /** The node is no more: what it asked for may still have its effect, and nobody hears of it. */
  kill(): void {
    this.#isDead = true;
    const { chance, clock, flaws, truth } = this.#shared.options;
    for (const timer of [...this.#underway]) {
      if (chance.happens(0.5)) continue;
      clock.clearTimeout(timer);
      this.#underway.delete(timer);
    }
    this.#shared.leave(this);
    if (!flaws.keepsLate) return;
    for (const sid of this.#held) {
      truth.isDestroying = true;
      void this.#shared.inner.destroy(sid, null);
      truth.isDestroying = false;
    }
  }

  tell<Type extends keyof StoreEvents>(type: Type, event: Parameters<StoreEvents[Type]>[0]): void {
    const { clock, chance } = this.#shared.options;
    this.#toldAt = Math.max(this.#toldAt, clock.now() + chance.between(0, this.#shared.paceMs));
    clock.setTimeout(() => {
      if (this.#isDead) return;
      for (const subscriber of [...this.#subscribers])
        (subscriber[type] as ((told: typeof event) => void) | undefined)?.(event);
    }, this.#toldAt - clock.now());
  }

  readonly open: SessionStore['open'] = (wish) =>
    this.#call(async ({ inner, options: { truth, flaws } }) => {
      const nonce = flaws.ignoresNonce ? `${wish.nonce}/${this.#shared.nextOpening()}` : wish.nonce;
      const owned = await inner.open({ ...wish, nonce });
      truth.history.note(`store ${this.#node} opens ${short(owned.sid)} gen ${owned.gen} for ${wish.nonce}`);
      this.#held.add(owned.sid);
      truth.opened(wish, owned);
      return owned;
    });

  readonly attach: SessionStore['attach'] = (claim) =>
    this.#call(async ({ inner, options: { truth, flaws } }) => {
      const answer = await inner.attach(claim);
      const what = answer.ok ? `gen ${answer.session.gen} rx ${answer.session.rx}` : answer.why;
      truth.history.note(`store ${this.#node} attaches ${short(claim.sid)}: ${what}`);
      if (!answer.ok) return answer;
      this.#held.add(claim.sid);
      truth.attached(claim, answer.session);
      if (flaws.takesTokenOnce) await inner.confirm(claim.sid, answer.session.gen);
      return answer;
    });

  readonly confirm: SessionStore['confirm'] = (sid, gen) =>
    this.#write(sid, gen, (inner, own) => inner.confirm(sid, own ?? gen));

  readonly append: SessionStore['append'] = (sid, gen, messages) => {
    const { truth, flaws } = this.#shared.options;
    const first = (truth.session(sid)?.down.length ?? 0) + 1;
    for (const { data, meta } of messages) truth.holds.kept(`${this.#node} ${sid}`, seenOf(data, meta).tag, meta?.c);
    const call = this.#write(sid, gen, async (inner, own) => {
      const answer = await inner.append(sid, own, messages);
      if (typeof answer === 'object')
        truth.appended(sid, answer.first, messages.slice(0, answer.last - answer.first + 1));
      else if (answer === 'overflow' && !(await this.#isKeptWhole(sid))) truth.session(sid)?.excuses.add('overflow');
      const tags = messages.map(({ data, meta }) => seenOf(data, meta).tag).join(' ');
      truth.history.note(`store ${this.#node} appends ${tags}: ${JSON.stringify(answer)}`);
      return answer;
    });
    return flaws.early === 'append' ? Promise.resolve({ first, last: first + messages.length - 1 }) : call;
  };

  readonly read: SessionStore['read'] = (sid, after, most) =>
    this.#call(async ({ inner, options: { truth } }) => {
      const page = await inner.read(sid, after, most);
      page.forEach(({ data, meta }, index) => {
        const { tag } = seenOf(data, meta);
        const kept = truth.session(sid)?.down[after + index];
        truth.history.require(kept?.tag === tag, () => `a read after ${after} has a gap: ${tag} (I4)`);
      });
      return page;
    });

  readonly ack: SessionStore['ack'] = (sid, gen, upTo) =>
    this.#write(sid, gen, async (inner, own) => {
      const forget = (last: number): ReturnType<typeof inner.ack> => inner.ack(sid, own ?? gen, last);
      const isMore = this.#shared.options.flaws.overTrims === true && (await forget(upTo + 1)) === null;
      const trimmed = isMore ? upTo + 1 : upTo;
      const answer = await forget(trimmed);
      if (answer === null) this.#shared.options.truth.trimmed(sid, trimmed);
      return answer;
    });

  readonly accept: SessionStore['accept'] = (sid, gen, accepted) => {
    const { truth, flaws } = this.#shared.options;
    const call = this.#write(sid, gen, async (inner, own) => {
      const answer = await inner.accept(sid, own ?? gen, accepted);
      if (answer === null) truth.accepted(sid, accepted.upTo, accepted.keys);
      truth.history.note(`store ${this.#node} accepts ${accepted.upTo} of ${short(sid)}: ${String(answer)}`);
      return answer;
    });
    return flaws.early === 'accept' ? Promise.resolve(null) : call;
  };

  readonly known: SessionStore['known'] = (principal, keys) =>
    this.#call(({ inner, options: { truth, flaws } }) => {
      for (const key of keys) truth.askedForKey(this.#node, `${principal} ${key}`);
      return inner.known(principal, flaws.forgetsKeys ? [] : keys);
    });

  readonly touch: SessionStore['touch'] = (sid, gen) =>
    this.#write(sid, gen, (inner, own) => inner.touch(sid, own ?? gen));

  readonly detach: SessionStore['detach'] = (sid, gen) =>
    this.#write(sid, gen, async (inner, own) => {
      const answer = await inner.detach(sid, own ?? gen);
      if (answer === null) this.#held.delete(sid);
      return answer;
    });

  readonly destroy: SessionStore['destroy'] = (sid, gen) =>
    this.#write(sid, gen, (inner, own) => {
      const { truth } = this.#shared.options;
      // what a server ends needs another excuse than its age
      truth.isDestroying = true;
      const answer = inner.destroy(sid, own);
      truth.isDestroying = false;
      return answer;
    });

  subscribe(events: Partial<StoreEvents>): () => void {
    this.#subscribers.add(events);
    return () => {
      this.#subscribers.delete(events);
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** A write of an owner, which changes nothing once there is a newer one: I5. */
  #write<Answer>(
    sid: string,
    gen: number | null,
    write: (inner: MemoryStore, gen: number | null) => Promise<Answer | WriteRefusal>,
  ): Promise<Answer | WriteRefusal> {
    return this.#call(async ({ inner, options: { truth, flaws } }) => {
      const current = truth.session(sid)?.gen ?? 0;
      const answer = await write(inner, flaws.isUnfenced && gen !== null ? current : gen);
      if (gen !== null && gen < current) {
        const isRefused = answer === 'fenced' || answer === 'gone';
        truth.history.require(isRefused, () => `a write of generation ${gen} counts under ${current} (I5)`);
      }
      return answer;
    });
  }

  #call<Answer>(effect: (shared: SharedStore) => Promise<Answer>): Promise<Answer> {
    const { clock, chance } = this.#shared.options;
    const { paceMs, inner } = this.#shared;
    return new Promise((resolve, reject) => {
      if (this.#isDead) return;
      const timer = clock.setTimeout(
        () => {
          this.#underway.delete(timer);
          // what was asked of a store that is lost is lost with it
          if (inner !== this.#shared.inner) return;
          effect(this.#shared).then((answer) => {
            clock.setTimeout(
              () => {
                if (!this.#isDead) resolve(answer);
              },
              chance.between(0, paceMs),
            );
          }, reject);
        },
        chance.between(0, paceMs),
      );
      this.#underway.add(timer);
    });
  }

  // a session that has no owner and no room is given up by its store
  async #isKeptWhole(sid: string): Promise<boolean> {
    const { inner, options } = this.#shared;
    const answer = await inner.touch(sid, options.truth.session(sid)?.gen ?? 0);
    return typeof answer === 'object' && answer.top > 0;
  }
}
