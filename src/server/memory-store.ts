import { Outgoing } from '../core/ledger.ts';
import { check } from '../core/rules.ts';
import { platformClock, type StoreClock } from './clock.ts';
import { RecentKeys } from './recent-keys.ts';
import { memoryRule } from './schema.ts';
import type {
  OpenWish,
  OwnedSession,
  ResumeAnswer,
  ResumeClaim,
  ResumeRefusal,
  SessionStore,
  StoredMessage,
  StoreEvents,
  WriteRefusal,
} from './store.ts';

export interface MemoryStoreOptions {
  /** @default the platform's */
  clock?: StoreClock;
  /** Messages kept for one session. @default 10_000 */
  maxMessages?: number;
  /** Bytes of them, with what travels beside their payloads. @default 8 MiB */
  maxBytes?: number;
  /** Sessions in all; beyond it the one that has waited longest for an owner is forgotten. @default 100_000 */
  maxSessions?: number;
  /** How long an accepted idempotency key is known, in ms. @default 120_000 */
  keyTtlMs?: number;
  /** Keys of one principal at one time; beyond it the oldest are forgotten before their time. @default 100_000 */
  maxKeys?: number;
}

interface Session {
  readonly wish: OpenWish;
  gen: number;
  node: string;
  /** The token that the client is known to have, then those of the welcomes since: any of them may have come. */
  tokenHashes: string[];
  rx: number;
  readonly outgoing: Outgoing<StoredMessage>;
  /** It had to forget what it should have kept: nobody can resume it. */
  hasOverflowed: boolean;
  /** When it is forgotten; `null` while it has an owner. */
  expiresAt: number | null;
}

const SWEEP_MS = 1_000;
// of one session; whoever loses more welcomes in a row still has the first
const MAX_TOKENS = 8;

/** Keeps sessions in the memory of one process, with the same promises as any other store. One timer for all of them. */
export class MemoryStore implements SessionStore {
  readonly #options: Required<MemoryStoreOptions>;
  readonly #sessions = new Map<string, Session>();
  // by principal and nonce
  readonly #byNonce = new Map<string, Session>();
  // sessions without an owner, the longest so first
  readonly #detached = new Set<Session>();
  readonly #keys: RecentKeys;
  readonly #subscribers = new Set<Partial<StoreEvents>>();
  #timer: unknown;
  // nothing is over before this
  #nextEnd = Infinity;
  #prunedAt = 0;

  /** @throws {ConfigurationError} `INVALID_OPTIONS` */
  constructor(options: MemoryStoreOptions = {}) {
    check(memoryRule, options);
    this.#options = {
      clock: platformClock,
      maxMessages: 10_000,
      maxBytes: 8_388_608,
      maxSessions: 100_000,
      keyTtlMs: 120_000,
      maxKeys: 100_000,
      ...options,
    };
    this.#keys = new RecentKeys({ ttlMs: this.#options.keyTtlMs, mostEach: this.#options.maxKeys });
  }

  /** How many sessions are kept. */
  get size(): number {
    return this.#sessions.size;
  }

  open(wish: OpenWish): Promise<OwnedSession> {
    this.#sweep();
    const known = this.#byNonce.get(nonceOf(wish));
    if (known && !known.hasOverflowed) return Promise.resolve(this.#own(known, wish));
    const session: Session = {
      wish: { ...wish },
      gen: 0,
      node: '',
      tokenHashes: [],
      rx: 0,
      outgoing: new Outgoing(),
      hasOverflowed: false,
      expiresAt: null,
    };
    this.#sessions.set(wish.sid, session);
    this.#byNonce.set(nonceOf(wish), session);
    this.#makeRoom();
    return Promise.resolve(this.#own(session, wish));
  }

  attach(claim: ResumeClaim): Promise<ResumeAnswer> {
    this.#sweep();
    const session = this.#sessions.get(claim.sid);
    if (!session) return Promise.resolve({ ok: false, why: 'unknown' });
    const why = refusalOf(claim, session);
    if (why) return Promise.resolve({ ok: false, why });
    // what the client says that it has, it has
    session.outgoing.acknowledge(claim.rx);
    session.tokenHashes.splice(0, session.tokenHashes.indexOf(claim.tokenHash));
    return Promise.resolve({
      ok: true,
      session: this.#own(session, { node: claim.node, tokenHash: claim.nextTokenHash }),
    });
  }

  confirm(sid: string, gen: number): Promise<WriteRefusal | null> {
    return this.#write(sid, gen, (session) => {
      session.tokenHashes.splice(0, session.tokenHashes.length - 1);
      return null;
    });
  }

  append(
    sid: string,
    gen: number | null,
    messages: readonly StoredMessage[],
  ): Promise<{ first: number; last: number } | WriteRefusal> {
    return this.#write(sid, gen, (session) => {
      const { outgoing } = session;
      if (session.hasOverflowed) return 'overflow';
      const first = outgoing.next;
      for (const message of messages) if (!this.#keep(outgoing, message)) break;
      const last = outgoing.next - 1;
      // an owner slows its client down; without one, nobody would, and what cannot be kept whole is not kept
      if (session.expiresAt !== null && last - first + 1 < messages.length) {
        session.hasOverflowed = true;
        outgoing.restart();
        return 'overflow';
      }
      if (last < first) return 'overflow';
      if (gen === null) this.#tell('wake', { sid, top: last, node: session.node });
      return { first, last };
    });
  }

  read(sid: string, after: number, most: { messages: number; bytes: number }): Promise<StoredMessage[]> {
    const outgoing = this.#sessions.get(sid)?.outgoing;
    // what was acknowledged is gone: reading from before it would leave a gap
    if (!outgoing || after < outgoing.acknowledged) return Promise.resolve([]);
    const page: StoredMessage[] = [];
    let bytes = 0;
    for (let position = after + 1; position < outgoing.next; position++) {
      const message = outgoing.at(position);
      if (!message) break;
      const size = bytesOf(message);
      if (page.length >= most.messages || (page.length > 0 && bytes + size > most.bytes)) break;
      page.push(message);
      bytes += size;
    }
    return Promise.resolve(page);
  }

  ack(sid: string, gen: number, upTo: number): Promise<WriteRefusal | 'ahead' | null> {
    return this.#write(sid, gen, ({ outgoing, hasOverflowed }) => {
      if (hasOverflowed) return 'overflow';
      return outgoing.acknowledge(upTo) === null ? 'ahead' : null;
    });
  }

  accept(
    sid: string,
    gen: number,
    { upTo, keys }: { upTo: number; keys: readonly string[] },
  ): Promise<WriteRefusal | null> {
    return this.#write(sid, gen, (session) => {
      session.rx = Math.max(session.rx, upTo);
      this.#keys.add(session.wish.principal, keys, this.#options.clock.now());
      return null;
    });
  }

  known(principal: string, keys: readonly string[]): Promise<string[]> {
    this.#sweep();
    return Promise.resolve(keys.filter((key) => this.#keys.has(principal, key, this.#options.clock.now())));
  }

  touch(sid: string, gen: number): Promise<{ top: number } | WriteRefusal> {
    return this.#write(sid, gen, ({ outgoing }) => ({ top: outgoing.next - 1 }));
  }

  detach(sid: string, gen: number): Promise<WriteRefusal | null> {
    return this.#write(sid, gen, (session) => {
      session.expiresAt = this.#options.clock.now() + session.wish.ttlMs;
      this.#nextEnd = Math.min(this.#nextEnd, session.expiresAt);
      this.#detached.delete(session);
      this.#detached.add(session);
      this.#arm();
      return null;
    });
  }

  destroy(sid: string, gen: number | null): Promise<WriteRefusal | null> {
    return this.#write(sid, gen, (session) => {
      this.#forget(session);
      return null;
    });
  }

  subscribe(events: Partial<StoreEvents>): () => void {
    const own = { ...events };
    this.#subscribers.add(own);
    return () => {
      this.#subscribers.delete(own);
    };
  }

  close(): Promise<void> {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const kept of [this.#sessions, this.#byNonce, this.#detached, this.#keys, this.#subscribers]) kept.clear();
    return Promise.resolve();
  }

  // a write of the present owner, or of nobody in particular
  #write<Answer>(
    sid: string,
    gen: number | null,
    write: (session: Session) => Answer | WriteRefusal,
  ): Promise<Answer | WriteRefusal> {
    this.#sweep();
    const session = this.#sessions.get(sid);
    if (!session) return Promise.resolve('gone');
    if (gen !== null && gen !== session.gen) return Promise.resolve('fenced');
    return Promise.resolve(write(session));
  }

  #keep(outgoing: Outgoing<StoredMessage>, message: StoredMessage): boolean {
    const bytes = bytesOf(message);
    if (outgoing.size >= this.#options.maxMessages || outgoing.bytes + bytes > this.#options.maxBytes) return false;
    outgoing.record(message, bytes);
    return true;
  }

  #own(session: Session, { node, tokenHash }: Pick<OpenWish, 'node' | 'tokenHash'>): OwnedSession {
    const previousNode = session.gen === 0 ? null : session.node;
    session.gen += 1;
    session.node = node;
    // the welcome that brings the new token may be lost: until the client is heard, the old ones are good as well
    session.tokenHashes.push(tokenHash);
    if (session.tokenHashes.length > MAX_TOKENS) session.tokenHashes.splice(1, 1);
    session.expiresAt = null;
    this.#detached.delete(session);
    const { wish, gen, rx, outgoing } = session;
    if (previousNode !== null) this.#tell('takeover', { sid: wish.sid, gen, node: previousNode });
    const { acknowledged } = outgoing;
    return { sid: wish.sid, ep: wish.ep, gen, rx, top: outgoing.next - 1, acked: acknowledged, previousNode };
  }

  #makeRoom(): void {
    for (const session of this.#detached) {
      if (this.#sessions.size <= this.#options.maxSessions) return;
      this.#forget(session);
    }
  }

  #forget(session: Session): void {
    const { sid, principal } = session.wish;
    this.#sessions.delete(sid);
    // one that overflowed may have been followed by another of its name
    if (this.#byNonce.get(nonceOf(session.wish)) === session) this.#byNonce.delete(nonceOf(session.wish));
    this.#detached.delete(session);
    this.#tell('expire', { sid, principal });
  }

  // what is over is over when anybody asks, whether the timer was late or not
  #sweep(): void {
    const now = this.#options.clock.now();
    if (now - this.#prunedAt >= SWEEP_MS) {
      this.#prunedAt = now;
      this.#keys.prune(now);
    }
    if (now < this.#nextEnd) return;
    this.#nextEnd = Infinity;
    for (const session of [...this.#detached]) {
      const end = session.expiresAt ?? Infinity;
      if (end <= now) this.#forget(session);
      else this.#nextEnd = Math.min(this.#nextEnd, end);
    }
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#sweep();
      if (this.#detached.size > 0) this.#arm();
    }, SWEEP_MS);
  }

  #tell<Type extends keyof StoreEvents>(type: Type, event: Parameters<StoreEvents[Type]>[0]): void {
    for (const subscriber of [...this.#subscribers])
      (subscriber[type] as ((told: typeof event) => void) | undefined)?.(event);
  }
}

function refusalOf(claim: ResumeClaim, session: Session): ResumeRefusal | null {
  const { wish, tokenHashes, outgoing, rx, hasOverflowed } = session;
  // who has no right to the session learns nothing else of it
  if (!tokenHashes.includes(claim.tokenHash) || claim.principal !== wish.principal) return 'forbidden';
  if (claim.ep !== wish.ep) return 'epoch';
  if (hasOverflowed) return 'overflow';
  // the client has what was never sent, or has forgotten what it acknowledged
  if (claim.rx >= outgoing.next) return 'ahead';
  if (claim.rx < outgoing.acknowledged) return 'gap';
  // the same of its own messages: it no longer has what is missing here, or never sent what is here
  if (claim.lo > rx + 1) return 'gap';
  return claim.hi < rx ? 'ahead' : null;
}

function bytesOf({ data, meta, metaText = meta && JSON.stringify(meta) }: StoredMessage): number {
  return data.length + (metaText?.length ?? 0);
}

function nonceOf({ principal, nonce }: Pick<OpenWish, 'principal' | 'nonce'>): string {
  return JSON.stringify([principal, nonce]);
}
