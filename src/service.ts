import { seedFrom } from './core/chance.ts';
import { Emitter, type Listener } from './core/emitter.ts';
import { ConfigurationError, ConnectionError, FaultError, HoldfastError } from './errors.ts';
import type { ErrorEntry, ErrorHistoryFilter, ErrorStatistics } from './error-history.ts';
import { ErrorReporter } from './error-reporter.ts';
import type { MessageOf, ServiceEvents } from './events.ts';
import type { Connection } from './handle.ts';
import { harmless, type InspectableSystem } from './inspection.ts';
import { quiet } from './core/isolation.ts';
import { idOf, wishOf, type ConnectionId, type InboundAt, type OutboundAt, type Services } from './identity.ts';
import type {
  ConfigPatch,
  ConnectOptions,
  DestroyOptions,
  DisconnectOptions,
  EnhancedWebSocketOptions,
} from './options.ts';
import { carrierAmong, makeMember, type Member, type MemberHost, type MemberOptions } from './member.ts';
import { Pool } from './pool.ts';
import type { SendOptions, SendOutcome } from './receipt.ts';
import { check } from './core/rules.ts';
import { connectRule, destroyRule, historyRule, listeningRule, observingRule } from './schema.ts';
import { amend, settle, type ServiceSettings, type Settings } from './settings.ts';
import type { ConnectionStatus } from './status.ts';
import { connectionActor, startSupervisor, type ConnectionActor, type SupervisorActor } from './supervisor.ts';
import { Timekeeper } from './timekeeper.ts';
import { systemClock } from './transport/clock.ts';
import { OwnedSignals, platformSignals } from './transport/signals.ts';
import type { WebSocketConstructor } from './transport/websocket.ts';
import { WireMemory } from './wire-memory.ts';

/**
 * Keeps an application's WebSocket connections alive: each an XState actor under one supervisor, reached by id here or as an
 * object through {@link EnhancedWebSocketService.connection}. Making one opens nothing and starts no timer.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS` with every problem by path; `INVALID_URL` for a fixed URL that is none.
 */
export class EnhancedWebSocketService<Types extends Services = Services> {
  readonly #clock: Timekeeper;
  readonly #random: () => number;
  readonly #root: SupervisorActor;
  readonly #emitter: Emitter<ServiceEvents>;
  readonly #errors: ErrorReporter;
  readonly #members = new Map<string, Member>();
  // ids of closed and failed connections, the longest so first
  readonly #inactive = new Set<string>();
  readonly #pools = new Map<string, Pool>();
  readonly #host: MemberHost;
  #settings: Settings;
  #destruction: Promise<void> | undefined;
  #stopped: () => void = () => undefined;
  readonly #signals: OwnedSignals;

  constructor(options: EnhancedWebSocketOptions<Types>) {
    this.#settings = settle(options);
    this.#clock = new Timekeeper(options.clock ?? systemClock({ unref: options.unrefTimers ?? false }));
    this.#random = options.random ?? Math.random;
    const emitter = new Emitter<ServiceEvents>((cause) => {
      this.#errors.report(cause);
    });
    this.#emitter = emitter;
    this.#errors = new ErrorReporter({ emitter, settings: () => this.#settings, now: () => this.#clock.now() });
    const { report, emit, undelivered } = this.#errors;
    this.#host = {
      clock: this.#clock,
      members: this.#members,
      memory: new WireMemory(() => this.#clock.now()),
      webSocket: () =>
        this.#settings.options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
      queueing: () => this.#settings.queueing,
      settings: (type) => this.#serviceSettings(type),
      pool: (name, type) => this.#pool(name, type),
      emitter: { emit, has: (type) => emitter.has(type) },
      tellUndelivered: undelivered,
      actor: (member) => this.#actorOf(member),
      changed: (connection) => {
        this.#track(connection);
      },
      report,
    };
    this.#signals = new OwnedSignals(options.signals ?? platformSignals(this.#clock));
    this.#root = startSupervisor(
      {
        signals: this.#signals,
        report,
        portsOf: (id) => this.#member(id).ports,
        died: (id, cause) => {
          const member = this.#members.get(id);
          member?.ports.hangUp();
          // the supervisor is in the middle of burying the actor: listeners are told when it is done
          queueMicrotask(() => member?.connection.died(cause));
          this.#errors.fault(new FaultError('INTERNAL_FAULT', { cause, connectionId: id }));
        },
      },
      {
        clock: this.#clock,
        inspect: options.inspect && harmless(options.inspect, report),
        onDeath: (cause) => {
          for (const { ports, connection } of this.#members.values()) {
            ports.hangUp();
            connection.died(cause);
          }
          this.#errors.fault(new FaultError('INTERNAL_FAULT', { cause }));
          this.#stopped();
        },
        onStopped: () => {
          this.#stopped();
        },
      },
    );
  }

  /** The actor system, for inspectors and audit logs that attach to a running service. */
  get system(): InspectableSystem {
    return {
      inspect: (observer) => {
        check(observingRule, { observer });
        return this.#root.system.inspect(harmless(observer, this.#errors.report));
      },
    };
  }

  /**
   * Opens a connection and resolves with its id once it is open; failed attempts are retried meanwhile. Asking for one that
   * exists joins it. From `closed` and `failed` it is opened again; in backoff it is tried at once.
   *
   * @throws {HoldfastError} Rejects with `UNKNOWN_SERVICE`, `INVALID_OPTIONS` or `CONNECTION_CONFLICT`, or as
   *   {@link Connection.connect} does.
   */
  connect<Type extends keyof Types & string>(options: ConnectOptions<Type>): Promise<ConnectionId<Type>> {
    return quiet(this.#connect(options) as Promise<ConnectionId<Type>>);
  }

  /**
   * Closes a connection; what was sent before is handed to the socket first. It stays known, as `closed`. Closing `pool:` and a name
   * closes those who share that pool first.
   *
   * @throws {ConfigurationError} Rejects with `UNKNOWN_CONNECTION` or `INVALID_OPTIONS`.
   */
  disconnect(connectionId: string, options: DisconnectOptions = {}): Promise<void> {
    return quiet(this.#disconnect(connectionId, options));
  }

  /**
   * Sends a message and resolves when it has left through the socket, on `holdfast.v1` when the peer has acknowledged it; while
   * the connection is not open it waits.
   *
   * @throws {MessageError} Rejects when it was not sent, or when nobody knows: its `code` says why and its `outcome` which of
   *   the two. With a {@link ConfigurationError} `UNKNOWN_CONNECTION` for an id that is none.
   */
  sendMessage<Id extends string>(
    connectionId: Id,
    message: OutboundAt<Types, Id>,
    options?: SendOptions,
  ): Promise<SendOutcome> {
    const member = this.#members.get(connectionId);
    return member
      ? member.connection.send(message, options).settled
      : quiet(Promise.reject(this.#unknown(connectionId)));
  }

  /** What is known of a connection now; `null` for an id that is none. */
  getConnectionStatus(connectionId: string): ConnectionStatus | null {
    return this.#members.get(connectionId)?.connection.status ?? null;
  }

  /** What is known of every connection. */
  getConnections(): ConnectionStatus[] {
    return [...this.#members.values()].map(({ connection }) => connection.status);
  }

  /**
   * The connection as an object.
   *
   * @throws {ConfigurationError} `UNKNOWN_CONNECTION`
   */
  connection<Id extends string>(connectionId: Id): Connection<InboundAt<Types, Id>, OutboundAt<Types, Id>> {
    return this.#member(connectionId).connection as Connection<InboundAt<Types, Id>, OutboundAt<Types, Id>>;
  }

  /**
   * Calls the listener with each event of a type. What it throws is reported, and stops nothing.
   *
   * @returns Removes it.
   * @throws {ConfigurationError} `INVALID_OPTIONS` for a type that is none, or a listener that is no function.
   */
  on<Type extends keyof ServiceEvents>(
    type: Type,
    listener: Listener<ServiceEvents<MessageOf<Types>>[Type]>,
  ): () => void {
    check(listeningRule, { type, listener });
    return this.#emitter.on(type, listener as Listener<ServiceEvents[Type]>);
  }

  /** What people can be told of an error, with the `label` of its service: see `userMessages`. */
  describe(error: HoldfastError): string {
    return this.#errors.describe(error);
  }

  /** What has gone wrong in this service, in numbers. What the application itself asked for is no error. */
  getErrorStatistics(): ErrorStatistics {
    return this.#errors.history.statistics;
  }

  /** The last errors of this service, oldest first: as many as `errorHistory` says. @throws {ConfigurationError} `INVALID_OPTIONS` */
  getErrorHistory(filter: ErrorHistoryFilter = {}): ErrorEntry[] {
    check(historyRule, filter);
    return this.#errors.history.entries(filter);
  }

  /** Forgets the errors so far, and counts from now on. */
  clearErrorHistory(): void {
    this.#errors.history.clear();
  }

  /**
   * Changes options of the running service, all or none. Where to connect holds from the next attempt, how to probe from the
   * next link, everything else from the next time it is asked about.
   *
   * @throws {ConfigurationError} `INVALID_OPTIONS`, `INVALID_URL`, `SERVICE_DESTROYED`; then nothing has changed.
   */
  updateConfig(patch: ConfigPatch): void {
    this.#requireAlive();
    this.#settings = amend(this.#settings, patch);
    for (const { connection } of this.#members.values()) connection.reconfigured();
    this.#forget();
  }

  /**
   * Ends everything: open connections close, within a deadline; what waits is answered. Resolves when no socket, timer or
   * listener of this service is left. Whatever is asked of it later is refused with `SERVICE_DESTROYED`.
   *
   * @throws {ConfigurationError} Rejects with `INVALID_OPTIONS`; then nothing has happened.
   */
  destroy(options: DestroyOptions = {}): Promise<void> {
    try {
      check(destroyRule, options);
    } catch (error) {
      return quiet(Promise.reject(error as ConfigurationError));
    }
    this.#destruction ??= this.#destroy(options.deadlineMs ?? 2_000);
    return this.#destruction;
  }

  async #connect(options: ConnectOptions): Promise<string> {
    this.#requireAlive();
    check(connectRule, options);
    const { signal, timeoutMs } = options;
    // nothing is made for a wish that was taken back already
    if (signal?.aborted) throw new ConnectionError('CONNECT_ABORTED', { cause: signal.reason });
    const { connection } = this.#memberFor(options);
    await connection.connect({ signal, timeoutMs });
    return connection.id;
  }

  async #disconnect(connectionId: string, options: DisconnectOptions): Promise<void> {
    await this.#member(connectionId).connection.close(options);
  }

  async #destroy(deadlineMs: number): Promise<void> {
    const members = [...this.#members.values()];
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    for (const { connection } of members) connection.ending();
    this.#root.send({ type: 'drain', deadlineMs });
    if (this.#root.getSnapshot().status !== 'active') this.#stopped();
    await stopped;
    for (const { connection } of members) connection.ended();
    this.#members.clear();
    this.#emitter.clear();
    this.#signals.end();
    this.#clock.stop();
  }

  #memberFor(options: ConnectOptions): Member {
    const { serviceType } = options;
    if (!this.#settings.services.has(serviceType)) {
      const known = [...this.#settings.services.keys()].join(', ');
      throw new ConfigurationError('UNKNOWN_SERVICE', {
        message: `No service "${serviceType}" is configured; there are: ${known}.`,
      });
    }
    const id = idOf(options);
    const wish = wishOf(options);
    const present = this.#members.get(id);
    if (present && present.wish !== wish)
      throw new ConfigurationError('CONNECTION_CONFLICT', { connectionId: id, serviceType });
    return present ?? this.#makeMember({ id, wish, options });
  }

  #makeMember(wanted: Omit<MemberOptions, 'draws' | 'seed'>): Member {
    const draws = [this.#draw(), this.#draw()] as const;
    const member = makeMember({ ...wanted, draws, seed: seedFrom(this.#draw()) }, this.#host);
    this.#members.set(wanted.id, member);
    return member;
  }

  // the connection that carries a pool is one like any other, and is made when it is needed
  #pool(name: string, serviceType: string): Pool {
    const present = this.#pools.get(name);
    if (present) return present;
    const id = `pool:${name}`;
    const carrier = carrierAmong(this.#members, id, () =>
      this.#makeMember({ id, wish: '', options: { serviceType }, carries: pool }),
    );
    const pool: Pool = new Pool({ clock: this.#clock, carrier });
    this.#pools.set(name, pool);
    return pool;
  }

  #draw(): number {
    try {
      return this.#random();
    } catch (cause) {
      throw new ConfigurationError('INVALID_OPTIONS', { message: 'The option `random` threw.', cause });
    }
  }

  #actorOf({ connection: { id, serviceType }, seed, settings }: Member): ConnectionActor | undefined {
    this.#requireAlive();
    if (!this.#members.has(id)) throw this.#unknown(id);
    const present = connectionActor(this.#root, id);
    if (present) return present;
    const { policy } = settings();
    this.#root.send({ type: 'connection.requested', input: { id, serviceType, policy, seed } });
    return connectionActor(this.#root, id);
  }

  #serviceSettings(serviceType: string): ServiceSettings {
    const settings = this.#settings.services.get(serviceType);
    if (!settings) throw new ConfigurationError('UNKNOWN_SERVICE', { serviceType });
    return settings;
  }

  #track({ id, status }: Connection): void {
    this.#inactive.delete(id);
    if (status.state !== 'closed' && status.state !== 'failed') return;
    this.#inactive.add(id);
    // not now: the actor that may have to go is in the middle of its turn
    queueMicrotask(() => {
      this.#forget();
    });
  }

  // closed and failed connections are remembered up to a bound; the longest so goes first
  #forget(): void {
    if (this.#isOver) return;
    for (const id of this.#inactive) {
      if (this.#inactive.size <= this.#settings.maxInactive) return;
      this.#inactive.delete(id);
      const member = this.#members.get(id);
      this.#members.delete(id);
      this.#root.send({ type: 'connection.released', id });
      member?.connection.ended();
    }
  }

  #member(id: string): Member {
    const member = this.#members.get(id);
    if (!member) throw this.#unknown(id);
    return member;
  }

  #unknown(id: string): HoldfastError {
    return this.#isOver
      ? new HoldfastError('SERVICE_DESTROYED')
      : new ConfigurationError('UNKNOWN_CONNECTION', {
          message: `No connection has the id "${id}".`,
          connectionId: id,
        });
  }

  get #isOver(): boolean {
    return !this.#root.getSnapshot().matches('running');
  }

  #requireAlive(): void {
    if (this.#isOver) throw new HoldfastError('SERVICE_DESTROYED');
  }
}
