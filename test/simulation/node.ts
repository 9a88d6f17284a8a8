import { createHoldfastServer, type HoldfastServer } from '../../src/server/server.ts';
import { LiveSession } from '../../src/server/live-session.ts';
import type { InboundMessage, MessageOptions, SessionReceipt } from '../../src/server/message.ts';
import type { HandshakeRequest, ServerSocket, SocketEvents } from '../../src/server/socket.ts';
import type { Session } from '../../src/server/surface.ts';
import type { MessageError } from '../../src/errors.ts';
import type { SimulatedClock } from '../support/clock.ts';
import type { Chance } from './chance.ts';
import type { Host } from './network.ts';
import type { SharedStore, StorePort } from './shared-store.ts';
import { FORMS, payloadOf, tagOf } from './tags.ts';
import { short, type Truth } from './truth.ts';

export interface NodeOptions {
  name: string;
  clock: SimulatedClock;
  chance: Chance;
  truth: Truth;
  store: SharedStore;
  /** How many messages either side may have under way. */
  windowMessages: number;
  ttlMs: number;
  acknowledge: 'received' | 'processed';
  /** Gives a tag that was never given before. */
  nextTag: () => string;
}

/** A message to a client, as its sender knows it. */
export interface Dispatched {
  tag: string;
  sid: string;
  isRequest: boolean;
  outcome: 'settled' | 'not_sent' | 'unknown' | 'rejected' | undefined;
}

/** Time for one life of a node. */
class Lifetime {
  readonly #clock: SimulatedClock;
  readonly #timers = new Set<number>();
  #isOver = false;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimeout(fire: () => void, ms: number): unknown {
    if (this.#isOver) return undefined;
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      fire();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
    this.#clock.clearTimeout(timer as number | undefined);
  }

  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
  }
}

/** One life of a server: from its start to its crash, or to the end of its drain. */
class Life {
  readonly server: HoldfastServer;
  readonly clock: Lifetime;
  readonly port: StorePort;
  readonly sessions = new Set<LiveSession>();
  isOver = false;
  readonly #options: NodeOptions;

  constructor(options: NodeOptions, dispatched: Dispatched[]) {
    const { name, clock, chance, store, windowMessages, ttlMs, truth } = options;
    this.#options = options;
    this.clock = new Lifetime(clock);
    this.port = store.port(name);
    this.server = createHoldfastServer({
      authenticate: async ({ auth }) => {
        await this.pause(chance.happens(0.3) ? 3 : 0);
        return auth === undefined ? null : { principal: auth };
      },
      onSession: (session) => {
        if (session instanceof LiveSession) this.#host(session, dispatched);
      },
      onError: (error) => {
        // a handler that fails on purpose is told of as well
        if (!this.isOver) truth.history.fail(`${name} reports ${error.code}: ${String(error.cause)}`);
      },
      limits: { windowMessages, helloMs: 3_000 },
      ping: { intervalMs: 2_000, timeoutMs: 1_000 },
      ttlMs,
      store: this.port,
      node: name,
      clock: this.clock,
      random: chance.fill,
    });
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (ms === 0) resolve();
      else this.clock.setTimeout(resolve, ms);
    });
  }

  #host(session: LiveSession, dispatched: Dispatched[]): void {
    const { truth, name, acknowledge, chance } = this.#options;
    const { history } = truth;
    const gen = session.ownership.gen;
    const known = truth.session(session.id);
    // what it was told when it got the session
    const base = known?.rxByGen.get(gen) ?? 0;
    let last = base;
    if (session.isInherited) truth.moves += 1;
    history.note(`${name} has session ${short(session.id)} gen ${gen} from ${base} on`);
    this.sessions.add(session);
    const take = (message: InboundMessage): void => {
      if (this.isOver) return;
      truth.handovers += 1;
      const tag = tagOf(message.data);
      history.note(`${name} gets ${tag} at ${String(message.position)}`);
      if (message.position === null) {
        history.require(!truth.flitted.has(tag), () => `volatile ${tag} came twice`);
        truth.flitted.add(tag);
        return;
      }
      const { position, key } = message;
      const sent = known?.up[position - 1];
      history.require(sent?.tag === tag, () => `${tag} came at ${position}, where ${String(sent?.tag)} was sent`);
      history.require(position > last, () => `${name} gets position ${position} after ${last}`);
      for (let missing = last + 1; missing < position; missing++) {
        const seen = known?.up[missing - 1];
        const isFine = seen && (seen.isReply || (seen.key !== undefined && truth.upCounts.has(seen.tag)));
        history.require(isFine === true, () => `${name} gets ${position} after ${last}: ${missing} is missing`);
      }
      last = position;
      if (key !== undefined) truth.handedWithKey(name, `${session.principal} ${key}`);
      truth.upCounts.set(tag, (truth.upCounts.get(tag) ?? 0) + 1);
      known?.upHad.add(position);
    };
    session.onMessage(
      async (message) => {
        take(message);
        if (acknowledge === 'processed') await this.pause(chance.happens(0.5) ? chance.between(0, 40) : 0);
      },
      { acknowledge },
    );
    session.onRequest(
      async (request) => {
        take(request);
        await this.pause(chance.happens(0.5) ? chance.between(0, 40) : 0);
        return `re:${tagOf(request.data)}`;
      },
      { acknowledge },
    );
    session.on('ended', ({ why }) => {
      this.sessions.delete(session);
      // what it has not told the store yet comes again, to another or to the next session
      truth.moves += 1;
      if (!this.isOver) history.note(`${name} lets go of ${short(session.id)}: ${why}`);
    });
    if (chance.happens(0.3)) dispatched.push(this.send(session));
  }

  /** Sends something of any form. */
  send(session: Session): Dispatched {
    const { chance, nextTag, truth, name } = this.#options;
    const tag = `s${nextTag()}`;
    const options: MessageOptions = {
      ...(chance.happens(0.2) && { type: 'note' }),
      ...(chance.happens(0.1) && { headers: { lang: 'en' } }),
      ...(chance.happens(0.1) && { key: tag }),
    };
    truth.history.note(`${name} sends ${tag} to ${short(session.id)}`);
    return this.follow(
      { tag, sid: session.id, isRequest: false, outcome: undefined },
      session.send(payloadOf(tag, chance.pick(FORMS)), options),
    );
  }

  follow(dispatched: Dispatched, { settled }: Pick<SessionReceipt, 'settled'>): Dispatched {
    const { truth, name } = this.#options;
    settled.then(
      () => {
        if (this.isOver) return;
        dispatched.outcome = 'settled';
        const { tag, sid } = dispatched;
        const at = truth.downByTag.get(tag)?.find((place) => place.sid === sid);
        const had = truth.session(sid)?.downHad ?? 0;
        truth.history.require(
          at !== undefined && at.position <= had,
          () => `${name} is told that ${tag} is settled, and the client has up to ${had}`,
        );
      },
      (error: unknown) => {
        if (this.isOver) return;
        const { outcome, code } = error as MessageError;
        dispatched.outcome = outcome;
        truth.history.note(`${name} is told of ${dispatched.tag}: ${code}`);
      },
    );
    return dispatched;
  }
}

/** A server node: a host that lives, dies and lives again, and the application on it. */
export class Node implements Host {
  readonly name: string;
  /** Everything that its applications ever sent. */
  readonly dispatched: Dispatched[] = [];
  isDraining = false;
  readonly #options: NodeOptions;
  #life: Life | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.name = options.name;
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  get sessions(): LiveSession[] {
    return [...(this.#life?.sessions ?? [])];
  }

  start(): void {
    this.#options.truth.history.note(`${this.name} starts`);
    this.isDraining = false;
    this.#life ??= new Life(this.#options, this.dispatched);
  }

  accept(socket: ServerSocket, request: HandshakeRequest): SocketEvents {
    if (!this.#life) throw new Error(`${this.name} is down.`);
    return this.#life.server.accept(socket, request);
  }

  /** Everything in its memory is gone. */
  crash(): void {
    this.#options.truth.history.note(`${this.name} crashes`);
    this.#bury();
  }

  /** Leaves as a node does that is updated. */
  async leave(): Promise<void> {
    const life = this.#life;
    if (!life || this.isDraining) return;
    this.#options.truth.history.note(`${this.name} drains`);
    this.isDraining = true;
    const { chance } = this.#options;
    await life.server.drain({ spreadMs: chance.pick([0, 300]), deadlineMs: chance.pick([0, 200, 1_000]) });
    await life.server.close();
    if (this.#life !== life) return;
    this.#options.truth.history.note(`${this.name} is gone`);
    this.#bury();
  }

  send(session: LiveSession): void {
    const sent = this.#life?.send(session);
    if (sent) this.dispatched.push(sent);
  }

  broadcast(): void {
    const { nextTag, truth } = this.#options;
    const tag = `b${nextTag()}`;
    truth.history.note(`${this.name} broadcasts ${tag}`);
    this.#life?.server.broadcast(tag, { to: (session) => session.state !== 'ended' });
  }

  flit(session: LiveSession): void {
    session.sendVolatile(`v${this.#options.nextTag()}`);
  }

  ask(session: LiveSession): void {
    const life = this.#life;
    if (!life) return;
    const { nextTag, truth, chance } = this.#options;
    const tag = `q${nextTag()}`;
    truth.history.note(`${this.name} asks ${tag} of ${short(session.id)}`);
    const asked: Dispatched = { tag, sid: session.id, isRequest: true, outcome: undefined };
    this.dispatched.push(asked);
    session.request(payloadOf(tag, chance.pick(FORMS)), { timeoutMs: 5_000 }).then(
      (reply) => {
        if (life.isOver) return;
        asked.outcome = 'settled';
        truth.history.require(tagOf(reply) === `re:${tag}`, () => `${tag} was answered with ${tagOf(reply)}`);
      },
      (error: unknown) => {
        if (!life.isOver) asked.outcome = (error as MessageError).outcome;
      },
    );
  }

  /** What must hold when everything is at rest. */
  checkFates(): void {
    const { truth } = this.#options;
    for (const { tag, sid, outcome } of this.dispatched) {
      if (outcome !== 'not_sent') continue;
      const place = truth.downByTag.get(tag)?.find((at) => at.sid === sid);
      const wasHad = place !== undefined && place.position <= (truth.session(sid)?.downHad ?? 0);
      truth.history.require(!wasHad, () => `${this.name} was told that ${tag} was not sent, and the client had it`);
    }
  }

  async close(): Promise<void> {
    await this.#life?.server.close();
    this.#bury();
  }

  #bury(): void {
    const life = this.#life;
    if (!life) return;
    life.isOver = true;
    life.clock.end();
    life.port.kill();
    this.#life = undefined;
    this.isDraining = false;
    // what it was still to hear of, nobody will
    for (const sent of this.dispatched) sent.outcome ??= 'unknown';
  }
}
