import { createHoldfastServer, type HoldfastServer } from '../../src/server/server.ts';
import { LiveSession } from '../../src/server/live-session.ts';
import type { MessageOptions, SessionReceipt } from '../../src/server/message.ts';
import type { HandshakeRequest, ServerSocket, SocketEvents } from '../../src/server/socket.ts';
import type { MessageError } from '../../src/errors.ts';
import type { SimulatedClock } from '../../src/testing/clock.ts';
import { Application, Unwilling } from './application.ts';
import type { Chance } from '../../src/testing/chance.ts';
import { Lifetime } from '../../src/testing/lifetime.ts';
import type { Host } from '../../src/testing/line.ts';
import { short } from './session-truth.ts';
import type { SharedStore, StorePort } from './shared-store.ts';
import { FORMS, payloadOf, tagOf } from './tags.ts';
import type { Truth } from './truth.ts';

/** The connection that carries the pool of a run, and who it is to a server. */
export const CARRIER = 'pool:p';

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
  /** Whether the applications read channels slowly, and refuse messages. */
  readsSlowly: boolean;
  refuses: boolean;
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

/** One life of a server: from its start to its crash, or to the end of its drain. */
class Life {
  readonly server: HoldfastServer;
  readonly clock: Lifetime;
  readonly port: StorePort;
  readonly sessions = new Map<LiveSession, Application>();
  readonly #options: NodeOptions;
  // those of sessions that are over here as well
  readonly #applications: Application[] = [];

  constructor(options: NodeOptions, dispatched: Dispatched[]) {
    const { name, clock, chance, store, windowMessages, ttlMs, truth } = options;
    this.#options = options;
    this.clock = new Lifetime(clock);
    this.port = store.port(name);
    this.server = createHoldfastServer({
      authenticate: async ({ auth, channel }) => {
        await this.clock.pause(chance.happens(0.3) ? 3 : 0);
        if (channel) return { principal: CARRIER };
        return auth === undefined ? null : { principal: auth };
      },
      onSession: (session) => {
        if (session instanceof LiveSession) this.#host(session, dispatched);
      },
      onError: (error) => {
        if (!this.clock.isOver && !(error.cause instanceof Unwilling))
          truth.history.fail(`${name} reports ${error.code}: ${String(error.cause)}`);
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

  #host(session: LiveSession, dispatched: Dispatched[]): void {
    const { truth, name, chance } = this.#options;
    const { clock } = this;
    const application = new Application(session, { ...this.#options, clock });
    this.#applications.push(application);
    this.sessions.set(session, application);
    session.on('ended', ({ why }) => {
      this.sessions.delete(session);
      // what it has not told the store yet comes again, to another or to the next session
      truth.moves += 1;
      if (!clock.isOver) truth.history.note(`${name} lets go of ${short(session.id)}: ${why}`);
    });
    if (chance.happens(0.3)) dispatched.push(this.send(session));
  }

  /** Sends something of any form. */
  send(session: LiveSession): Dispatched {
    const { chance, nextTag, truth, name } = this.#options;
    const tag = `s${nextTag()}`;
    const options: MessageOptions = {
      ...this.sessions.get(session)?.anywhere(),
      ...(chance.happens(0.2) && { type: 'note' }),
      ...(chance.happens(0.1) && { headers: { lang: 'en' } }),
      ...(chance.happens(0.1) && { key: tag }),
    };
    truth.history.note(`${name} sends ${tag} to ${short(session.id)} ${options.channel ?? ''}`);
    truth.holds.sentDown(`${name} ${session.id}`, tag, options.channel);
    return this.follow(
      { tag, sid: session.id, isRequest: false, outcome: undefined },
      session.send(payloadOf(tag, chance.pick(FORMS)), options),
    );
  }

  follow(dispatched: Dispatched, { settled }: Pick<SessionReceipt, 'settled'>): Dispatched {
    const { truth, name } = this.#options;
    settled.then(
      () => {
        if (this.clock.isOver) return;
        dispatched.outcome = 'settled';
        const { tag, sid } = dispatched;
        const at = truth.downByTag.get(tag)?.find((place) => place.sid === sid);
        const had = truth.session(sid)?.downReach ?? 0;
        truth.history.require(
          at !== undefined && at.position <= had,
          () => `${name} is told that ${tag} is settled, and the client has up to ${had}`,
        );
      },
      (error: unknown) => {
        if (this.clock.isOver) return;
        const { outcome, code } = error as MessageError;
        dispatched.outcome = outcome;
        truth.history.note(`${name} is told of ${dispatched.tag}: ${code}`);
      },
    );
    return dispatched;
  }

  end(): void {
    this.clock.end();
    this.port.kill();
    for (const application of this.#applications) application.bury();
  }
}

/** A server node: a host that lives, dies and lives again, and the application on it. */
export class Node implements Host {
  readonly name: string;
  readonly protocol = 'holdfast.v1';
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
    return [...(this.#life?.sessions.keys() ?? [])];
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

  /** Ends a channel, if there is any. */
  closeChannel(session: LiveSession): void {
    const application = this.#life?.sessions.get(session);
    const channels = application?.channels ?? [];
    if (channels.length > 0) application?.close(this.#options.chance.pick(channels));
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
    const options = { ...life.sessions.get(session)?.anywhere(), timeoutMs: 5_000 };
    session.request(payloadOf(tag, chance.pick(FORMS)), options).then(
      (reply) => {
        if (life.clock.isOver) return;
        asked.outcome = 'settled';
        truth.history.require(tagOf(reply) === `re:${tag}`, () => `${tag} was answered with ${tagOf(reply)}`);
      },
      (error: unknown) => {
        if (!life.clock.isOver) asked.outcome = (error as MessageError).outcome;
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
    life.end();
    this.#life = undefined;
    this.isDraining = false;
    // what it was still to hear of, nobody will
    for (const sent of this.dispatched) sent.outcome ??= 'unknown';
  }
}
