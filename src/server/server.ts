import { isolated, quiet } from '../core/isolation.ts';
import { check } from '../core/rules.ts';
import type { SessionEnd } from '../../machines/session.ts';
import { FaultError, type FrameData, type HoldfastError } from '../errors.ts';
import { WireClose } from '../protocol/close-codes.ts';
import { loadCompression } from '../protocol/compressed-frames.ts';
import { SUBPROTOCOL } from '../protocol/frames.ts';
import { Admission } from './admission.ts';
import { Deflation } from './deflation.ts';
import { Link } from './link.ts';
import { Listeners } from './listeners.ts';
import { LiveSession, type SessionHost, type SessionOwner } from './live-session.ts';
import { MemoryStore } from './memory-store.ts';
import type { MessageOptions } from './message.ts';
import { settingsOf, type ServerLimits, type ServerOptions, type ServerSettings } from './options.ts';
import { outbound } from './outbound.ts';
import { Registry } from './registry.ts';
import { drainRule, serverListening, serverRule } from './schema.ts';
import { SharedDelay } from './shared-delay.ts';
import type { HandshakeRequest, ServerSocket, SocketEvents } from './socket.ts';
import type { OwnedSession, SessionStore } from './store.ts';
import type { Session } from './surface.ts';

export interface HoldfastServerOptions<Plain = unknown> extends ServerOptions {
  /** Hears of each session once, before any message of it is handed over: the place to listen to it. */
  onSession?: (session: Session) => void;
  /** Takes the sockets that do not speak the protocol. Without it they are refused at the handshake. */
  onPlain?: (socket: Plain, request: HandshakeRequest) => void;
}

/** What a server tells, by event. */
export interface ServerEvents {
  /** A session is here that was not. */
  session: Session;
  /** It has no socket any more. */
  detached: Session;
  /** It has a socket again. */
  resumed: Session;
  /** It is over, for this node. */
  ended: { session: Session; why: SessionEnd };
  /** A socket has ended, with the code that it was closed with. */
  closed: { code: number; request: HandshakeRequest };
}

export interface DrainOptions {
  /** The clients leave at random within this time, in ms. @default 10_000 */
  spreadMs?: number;
  /** Those that have not left by then are closed, in ms. @default 30_000 */
  deadlineMs?: number;
  /** For people. */
  why?: string;
  /** Where to connect to. @default where they are */
  url?: string;
}

export interface BroadcastOptions extends Omit<MessageOptions, 'channel'> {
  /** Who is to get it. @default every session of this node */
  to?: (session: Session) => boolean;
}

// how often the deadlines of sockets are looked at
const SWEEP_MS = 1_000;
// how often stores hear that their sessions have an owner that lives
const TOUCH_MS = 10_000;
// how long the clients have to answer the last close
const GOODBYE_MS = 1_000;
// a sweep later than this was held up: what came meanwhile lies unread in the sockets
const HELD_UP = 3;

/** What clients are told while a server leaves. */
interface Leave {
  deadlineAt: number;
  spreadMs: number;
  about: { why?: string; url?: string };
}

/**
 * Makes a server for `holdfast.v1`. It listens to nothing by itself: an adapter, such as `holdfast/server/ws`, brings it sockets.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`, with every problem by its path.
 */
export function createHoldfastServer<Plain = unknown>(options: HoldfastServerOptions<Plain>): HoldfastServer<Plain> {
  return new HoldfastServer(options);
}

/** The server's end of `holdfast.v1`: sessions that outlive their sockets. Made by {@link createHoldfastServer}. */
export class HoldfastServer<Plain = unknown> {
  readonly #options: HoldfastServerOptions<Plain>;
  readonly #settings: ServerSettings;
  readonly #store: SessionStore;
  readonly #registry = new Registry();
  readonly #host: SessionHost;
  readonly #emitter: Listeners<ServerEvents>;
  // every socket until it is gone, with what came of it so far
  readonly #links = new Map<Link, Admission>();
  readonly #unsubscribe: () => void;
  readonly #deflation: Deflation;
  #sweep: unknown;
  #sweptAt = 0;
  #touchedAt = 0;
  #lastNow = 0;
  // since a drain began
  #leave: Leave | undefined;
  #closing: Promise<void> | undefined;
  // whoever waits until no socket is left
  #onEmpty: (() => void)[] = [];

  constructor(options: HoldfastServerOptions<Plain>) {
    check(serverRule, options);
    this.#options = options;
    this.#settings = settingsOf(options);
    const { clock, limits, compression, windows } = this.#settings;
    this.#store = options.store ?? new MemoryStore({ clock });
    this.#emitter = new Listeners(serverListening, (cause) => {
      this.#report(new FaultError('LISTENER_THREW', { cause }));
    });
    this.#host = {
      store: this.#store,
      clock,
      limits,
      ackDelay: new SharedDelay(clock),
      report: (error) => {
        this.#report(error);
      },
      detached: (session) => {
        this.#emitter.emit('detached', session);
      },
      resumed: (session) => {
        this.#emitter.emit('resumed', session);
      },
      ended: (session, why) => {
        this.#registry.remove(session);
        this.#emitter.emit('ended', { session, why });
      },
    };
    this.#unsubscribe = this.#store.subscribe({
      wake: ({ sid, top }) => this.#registry.byId(sid)?.woken(top),
      takeover: ({ sid, gen }) => {
        this.#takenOver(sid, gen);
      },
      expire: ({ sid }) => this.#registry.byId(sid)?.tell({ type: 'expired' }),
    });
    this.#deflation = new Deflation({ clock, load: compression ? loadCompression : null, windows, fault: this.#fault });
  }

  /** The name of this node. */
  get node(): string {
    return this.#settings.node;
  }

  /** The limits that it holds its clients to. */
  get limits(): Readonly<ServerLimits> {
    return this.#settings.limits;
  }

  /** Sockets that are open, or about to close. */
  get socketCount(): number {
    return this.#links.size;
  }

  /** The sessions that this node has, with and without a socket. */
  get sessions(): readonly Session[] {
    return this.#registry.all;
  }

  sessionsOf(principal: string): readonly Session[] {
    return this.#registry.of(principal);
  }

  /**
   * @returns Removes the listener.
   * @throws {ConfigurationError} `INVALID_OPTIONS` for an event that there is not, or a listener that is no function.
   */
  on<Type extends keyof ServerEvents>(type: Type, listener: (event: ServerEvents[Type]) => unknown): () => void {
    return this.#emitter.on(type, listener);
  }

  /**
   * What an adapter asks before it answers a handshake. @returns The HTTP status that refuses it; otherwise the subprotocol to select, `null`
   * for a socket that is to be handed to {@link HoldfastServer.plain}.
   */
  handshake(request: HandshakeRequest): { refused: number } | { protocol: string | null } {
    if (this.#leave || this.#closing) return { refused: 503 };
    const origin = request.headers['origin'];
    if (!this.#settings.isOriginAllowed(typeof origin === 'string' ? origin : undefined)) return { refused: 403 };
    const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    if (offered.includes(SUBPROTOCOL)) return { protocol: SUBPROTOCOL };
    return this.#options.onPlain ? { protocol: null } : { refused: 400 };
  }

  /** Takes a socket that has selected the subprotocol. @returns What its adapter is to tell. */
  accept(socket: ServerSocket, request: HandshakeRequest): SocketEvents<FrameData> {
    const deflation = this.#deflation;
    const link = new Link({
      socket,
      request,
      settings: this.#settings,
      fault: this.#fault,
      gone: (gone, code) => {
        this.#gone(gone, code);
      },
    });
    const admission = new Admission({
      link,
      settings: this.#settings,
      store: this.#store,
      registry: this.#registry,
      authenticate: this.#options.authenticate,
      now: () => this.#now(),
      fault: this.#fault,
      enter: (owner, owned) => this.#enter(owner, owned),
      agree: (offered, wanted) => deflation.agree(offered, wanted),
      welcomed: () => {
        this.#askToLeave(link);
      },
    });
    this.#links.set(link, admission);
    link.readBy(admission);
    if (this.#leave || this.#closing) link.close(WireClose.draining, 'the server leaves');
    else
      deflation.onceKnown(() => {
        admission.greet(deflation.caps);
      });
    this.#arm();
    return link;
  }

  /** Takes a socket that has not: the application's own. */
  plain(socket: Plain, request: HandshakeRequest): void {
    const { onPlain } = this.#options;
    if (onPlain) isolated(onPlain, [socket, request], this.#threw);
  }

  /**
   * Sends a message to many sessions, encoded once. Waits for none of them. @returns How many it was sent to.
   *
   * @throws {MessageError} `NOT_ENCODABLE` when it cannot travel.
   */
  broadcast(data: unknown, { to = () => true, ...options }: BroadcastOptions = {}): number {
    const message = outbound(data, options);
    const sessions = this.#registry.all.filter(to);
    for (const session of sessions) session.push(message);
    return sessions.length;
  }

  /**
   * Asks every client to be elsewhere, also those that are welcomed meanwhile, takes no new sockets, and closes what is left at the deadline.
   * Resolves when no socket is left.
   *
   * @throws {ConfigurationError} Rejects with `INVALID_OPTIONS`.
   */
  drain(options: DrainOptions = {}): Promise<void> {
    return quiet(this.#drain(options));
  }

  /** Ends everything: sockets, timers and promises, within 1 s. Sessions live on in a store that was handed in. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #enter(owner: SessionOwner, owned: OwnedSession): LiveSession {
    const session = new LiveSession(this.#host, owner, owned);
    this.#registry.add(session);
    const { onSession } = this.#options;
    if (onSession) isolated(onSession, [session], this.#threw);
    this.#emitter.emit('session', session);
    return session;
  }

  #askToLeave(link: Link): void {
    if (!this.#leave) return;
    const { deadlineAt, spreadMs, about } = this.#leave;
    const leftMs = Math.max(0, Math.floor(deadlineAt - this.#settings.clock.now()));
    link.send({ t: 'away', in: leftMs, spread: Math.min(spreadMs, leftMs), ...about });
  }

  async #drain(options: DrainOptions): Promise<void> {
    check(drainRule, options);
    const { spreadMs = 10_000, deadlineMs = 30_000, why, url } = options;
    const { clock } = this.#settings;
    const about = { ...(why !== undefined && { why }), ...(url !== undefined && { url }) };
    this.#leave = { deadlineAt: clock.now() + deadlineMs, spreadMs, about };
    for (const { link } of this.#registry.all) if (link) this.#askToLeave(link);
    const deadline = clock.setTimeout(() => {
      this.#closeLinks();
    }, deadlineMs);
    await this.#emptied();
    clock.clearTimeout(deadline);
  }

  async #close(): Promise<void> {
    this.#deflation.stop();
    for (const session of this.#registry.all) session.tell({ type: 'released' });
    this.#closeLinks();
    this.#unsubscribe();
    const { clock } = this.#settings;
    const deadline = clock.setTimeout(() => {
      for (const link of this.#links.keys()) link.terminate();
    }, GOODBYE_MS);
    await this.#emptied();
    clock.clearTimeout(deadline);
    clock.clearTimeout(this.#sweep);
    this.#host.ackDelay.stop();
    if (!this.#options.store) await this.#store.close();
    this.#emitter.clear();
  }

  // a session that this node is asking for itself finds out by what the store answers
  #takenOver(sid: string, gen: number): void {
    const session = this.#registry.byId(sid);
    if (session && gen > session.ownership.gen && !session.ownership.isChanging) session.tell({ type: 'takenOver' });
  }

  #gone(link: Link, code: number): void {
    this.#links.delete(link);
    this.#emitter.emit('closed', { code, request: link.request });
    if (this.#links.size > 0) return;
    const waiting = this.#onEmpty;
    this.#onEmpty = [];
    for (const resolve of waiting) resolve();
  }

  #emptied(): Promise<void> {
    if (this.#links.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty.push(resolve);
    });
  }

  #closeLinks(): void {
    for (const link of this.#links.keys()) link.close(WireClose.draining, 'the server leaves');
  }

  // one timer for all sockets, while there are any
  #arm(): void {
    if (this.#sweep !== undefined) return;
    const { clock, limits } = this.#settings;
    this.#sweptAt = clock.now();
    this.#sweep = clock.setTimeout(
      () => {
        this.#sweep = undefined;
        this.#look();
        if (this.#links.size > 0) this.#arm();
      },
      Math.min(SWEEP_MS, limits.helloMs),
    );
  }

  #look(): void {
    const { clock, limits, ping } = this.#settings;
    const now = clock.now();
    const sweepMs = Math.min(SWEEP_MS, limits.helloMs);
    const isHeldUp = now - this.#sweptAt > sweepMs * HELD_UP;
    for (const [link, admission] of this.#links) {
      if (!admission.hasHello && now - link.openedAt >= limits.helloMs)
        link.close(WireClose.helloTimeout, 'no hello came in time');
      link.look(now, isHeldUp ? Infinity : ping.intervalMs + ping.timeoutMs);
    }
    const isTouching = now - this.#touchedAt >= TOUCH_MS;
    if (isTouching) this.#touchedAt = now;
    for (const session of this.#registry.all) {
      session.conversation?.look(now, sweepMs);
      if (isTouching) session.touch();
    }
  }

  // the wall clock, but never backwards
  #now(): number {
    this.#lastNow = Math.max(this.#lastNow, this.#settings.clock.now());
    return this.#lastNow;
  }

  readonly #fault = (cause: unknown): void => {
    this.#report(new FaultError('INTERNAL_FAULT', { cause }));
  };

  readonly #threw = (cause: unknown): void => {
    this.#report(new FaultError('LISTENER_THREW', { cause }));
  };

  // a reporter that throws has nobody left to tell
  #report(error: HoldfastError): void {
    const { onError } = this.#options;
    if (onError) isolated(onError, [error], () => undefined);
  }
}
