import type { OpenWish, OwnedSession, ResumeClaim, StoredMessage } from '../../src/server/store.ts';
import type { History } from '../../src/testing/history.ts';
import { Holds } from './holds.ts';
import { HOLLOW, seenOf, SessionTruth, short, type Seen } from './session-truth.ts';

/** What every part of a run is checked against: which message is where, and what was promised of it. */
export class Truth {
  readonly history: History;
  readonly holds: Holds;
  readonly sessions = new Map<string, SessionTruth>();
  /** Where each message to a client is kept, by its tag; a broadcast is kept once for each session. */
  readonly downByTag = new Map<string, { sid: string; position: number }[]>();
  /** How often a server's application had each message of a client. */
  readonly upCounts = new Map<string, number>();
  /** Tags of a client's messages that some application has accepted, and of those that some application has refused. */
  readonly upAccepted = new Set<string>();
  readonly upRefused = new Set<string>();
  /** When the client heard last that a server has ended a channel, by what it was opened for, in ms of the run. */
  readonly dismissedAt = new Map<string, number>();
  /** Messages that were told to be in doubt with the last loss of a session, by whose it was, and how many have been since. */
  readonly doubts = new Map<string, { at: number; told: number; seen: number }>();
  /** Tags of volatile messages that arrived. */
  readonly flitted = new Set<string>();
  /** Which session an idempotency key was accepted in first; by principal and key. */
  readonly keyedBy = new Map<string, string>();
  /** Nodes that had a session which another had before, or after a crash. */
  moves = 0;
  /** How often a message was handed to an application of a server. */
  handovers = 0;
  /** Somebody ends a session on purpose just now. */
  isDestroying = false;
  readonly #byNonce = new Map<string, string>();
  // whether the store knew a key when a node asked for it last; by node, principal and key
  readonly #answers = new Map<string, boolean>();

  constructor(history: History) {
    this.history = history;
    this.holds = new Holds(history);
  }

  session(sid: string | undefined): SessionTruth | undefined {
    return sid === undefined ? undefined : this.sessions.get(sid);
  }

  // ---- what the store did

  opened(wish: OpenWish, owned: OwnedSession): void {
    const { history } = this;
    const name = `${wish.principal} ${wish.nonce}`;
    const known = this.session(this.#byNonce.get(name));
    history.require(
      !known?.isKept || known.excuses.has('overflow') || known.wish.sid === owned.sid,
      () => `a second session was opened for the nonce ${wish.nonce}`,
    );
    this.#byNonce.set(name, owned.sid);
    if (!this.sessions.has(owned.sid)) this.sessions.set(owned.sid, new SessionTruth({ ...wish, sid: owned.sid }));
    this.#owned(owned, wish.tokenHash);
  }

  attached({ nextTokenHash, rx }: ResumeClaim, owned: OwnedSession): void {
    const session = this.session(owned.sid);
    if (!session) return;
    this.history.require(owned.ep === session.ep, () => `epoch ${owned.ep} was resumed, and it is ${session.ep}`);
    this.#trimmed(session, rx);
    this.#owned(owned, nextTokenHash);
  }

  appended(sid: string, first: number, messages: readonly StoredMessage[]): void {
    const session = this.session(sid);
    if (!session) return;
    this.history.require(
      first === session.down.length + 1,
      () => `position ${first} of ${short(sid)} was given again in its epoch: there are ${session.down.length}`,
    );
    messages.forEach((message, index) => {
      const seen = seenOf(message.data, message.meta);
      const places = this.downByTag.get(seen.tag) ?? [];
      this.history.require(
        // a request that came twice has two replies
        seen.isReply || places.every((place) => place.sid !== sid),
        () => `${seen.tag} was kept a second time`,
      );
      this.downByTag.set(seen.tag, [...places, { sid, position: first + index }]);
      session.down.push(seen);
      session.kept.push(message);
    });
  }

  accepted(sid: string, upTo: number, keys: readonly string[]): void {
    const session = this.session(sid);
    if (!session) return;
    session.rx = Math.max(session.rx, upTo);
    for (const key of keys) {
      const name = `${session.wish.principal} ${key}`;
      if (!this.keyedBy.has(name)) this.keyedBy.set(name, sid);
    }
  }

  /** A node asked whether a key was accepted before. */
  askedForKey(node: string, key: string): void {
    this.#answers.set(`${node} ${key}`, this.keyedBy.has(key));
  }

  /** A message with a key was handed over. */
  handedWithKey(node: string, key: string): void {
    const wasKnown = this.#answers.get(`${node} ${key}`);
    this.history.require(wasKnown === false, () => `${node} hands over ${key}, which was accepted before`);
  }

  /** I3 */
  trimmed(sid: string, upTo: number): void {
    const session = this.session(sid);
    if (session) this.#trimmed(session, upTo);
  }

  expired(sid: string): void {
    const session = this.session(sid);
    if (!session) return;
    session.isKept = false;
    if (this.isDestroying && session.excuses.size === 0) return;
    for (const why of ['unknown', 'expired', 'lost']) session.excuses.add(why);
  }

  /** The store lost all of it but an older copy. What the client has is of the epoch before. */
  restored(session: SessionTruth, copy: { ep: string; rx: number; top: number }): void {
    session.ep = copy.ep;
    session.copy = copy;
  }

  // ---- what travelled

  /** The client sent a message with a position. */
  sentUp(sid: string, position: number, seen: Seen): void {
    const session = this.session(sid);
    if (!session) return this.history.fail(`a message was sent in ${short(sid)}, which nobody opened`);
    const before = session.up[position - 1];
    if (!before) {
      this.history.require(
        position === session.up.length + 1,
        () => `the client gives position ${position} after ${session.up.length}`,
      );
      session.up[position - 1] = seen;
    } else {
      const isHollow = seen.tag === HOLLOW && before.channel !== undefined && session.shut.has(before.channel);
      this.history.require(
        before.channel === seen.channel && (isHollow || before.tag === seen.tag),
        () => `position ${position} of the client was ${before.tag} and is ${seen.tag} now`,
      );
    }
  }

  /** The client opened a channel. */
  openedChannel(sid: string, name: string, service: string): void {
    this.session(sid)?.channels.set(name, service);
  }

  /** One of the two has ended a channel. */
  shutChannel(sid: string, name: string): void {
    this.session(sid)?.shut.add(name);
  }

  /** A client heard that its channel has been ended, or refused. */
  dismissed(sid: string | undefined, name: string): void {
    const service = this.session(sid)?.channels.get(name);
    if (service !== undefined) this.dismissedAt.set(service, this.history.at);
  }

  /** The server said that it refuses messages. */
  refusedUp(sid: string, from: number, to: number): void {
    for (let position = from; position <= to; position++) this.session(sid)?.upRefused.add(position);
  }

  /** The server sent a message with a position: I1, and what it is. */
  sentDown(sid: string, position: number, seen: Seen): void {
    const kept = this.session(sid)?.down[position - 1];
    if (!kept) return this.history.fail(`position ${position} of the server was sent before the store kept it (I1)`);
    this.history.require(
      kept.tag === seen.tag,
      () => `position ${position} of the server is ${kept.tag}, and was sent as ${seen.tag}`,
    );
  }

  /** The server acknowledged: I2. */
  ackedDown(sid: string, upTo: number): void {
    const session = this.session(sid);
    if (!session) return;
    this.history.require(
      upTo <= session.rx,
      () => `the server acknowledges ${upTo}, and the store has accepted ${session.rx} (I2)`,
    );
    for (let position = session.upSure + 1; position <= upTo; position++) {
      const seen = session.up[position - 1];
      // a channel accepts a message when it is in its queue: see `unread`
      const isFine = seen?.channel !== undefined || this.isSpent(session, position);
      this.history.require(
        isFine,
        () => `position ${position} is acknowledged, and no application had ${String(seen?.tag)}`,
      );
    }
    session.upSure = Math.max(session.upSure, upTo);
  }

  /** Whether nobody will be handed a client's message at a position any more. */
  isSpent(session: SessionTruth, position: number): boolean {
    const { up, upHad, upRefused, upBuried } = session;
    const seen = up[position - 1];
    // a reply is for whoever asked
    if (seen?.isReply || upHad.has(position) || upRefused.has(position) || upBuried.has(position)) return true;
    return seen !== undefined && this.#isRepetition(session, seen);
  }

  /** A message of a channel that was acknowledged, and that nobody was ever handed, though its queue lives. */
  get unread(): string | null {
    for (const session of this.sessions.values())
      for (let position = 1; position <= session.rx; position++) {
        const seen = session.up[position - 1];
        if (seen?.channel !== undefined && !this.isSpent(session, position))
          return `${seen.tag} of channel ${seen.channel} in ${short(session.wish.sid)}`;
      }
    return null;
  }

  /** Whether a message of the client's may have been accepted by a channel whose queue is gone. */
  isBuried(tag: string): boolean {
    return [...this.sessions.values()].some(({ up, upBuried }) =>
      [...upBuried].some((position) => up[position - 1]?.tag === tag),
    );
  }

  /** The client acknowledged. */
  ackedUp(sid: string, upTo: number): void {
    const session = this.session(sid);
    if (!session) return;
    this.history.require(
      upTo <= session.downReach,
      () => `the client acknowledges ${upTo}, and its application had ${session.downHad}`,
    );
    session.downTold = Math.max(session.downTold, upTo);
  }

  // some application had the first, or its channel accepted it
  #isRepetition({ wish }: SessionTruth, { key, tag }: Seen): boolean {
    if (key === undefined) return false;
    const first = this.keyedBy.get(`${wish.principal} ${key}`);
    return this.upCounts.has(tag) || (first !== undefined && first !== wish.sid);
  }

  #owned({ sid, gen, rx, top, ep }: OwnedSession, tokenHash: string): void {
    const session = this.session(sid);
    if (!session) return;
    const { history } = this;
    if (session.copy) this.#replace(session, session.copy);
    history.require(gen > session.gen, () => `generation ${gen} of ${short(sid)} follows ${session.gen}`);
    history.require(
      ep !== session.ep || (rx === session.rx && top === session.down.length),
      () => `the store says rx ${rx} and top ${top} of ${short(sid)}: ${session.rx} and ${session.down.length}`,
    );
    session.gen = gen;
    session.tokenHash = tokenHash;
    session.rxByGen.set(gen, rx);
  }

  // an older copy is taken over: its positions begin where it ends
  #replace(session: SessionTruth, { rx, top }: { rx: number; top: number }): void {
    for (const { tag } of session.down.splice(top)) {
      const places = this.downByTag.get(tag) ?? [];
      this.downByTag.set(
        tag,
        places.filter(({ sid }) => sid !== session.wish.sid),
      );
    }
    session.kept.splice(top);
    session.up.splice(rx);
    session.rx = rx;
    session.copy = undefined;
  }

  #trimmed(session: SessionTruth, upTo: number): void {
    this.history.require(
      upTo <= session.downTold,
      () => `the store forgets up to ${upTo}, and the client has acknowledged ${session.downTold} (I3)`,
    );
  }
}
