import { Emitter, type Listener } from './core/emitter.ts';
import { ConfigurationError, ConnectionError, FaultError, HoldfastError } from './errors.ts';
import type { ErrorEntry, ErrorHistoryFilter, ErrorStatistics } from './error-history.ts';
import { ErrorReporter } from './error-reporter.ts';
import type { MessageOf, ServiceEvents } from './events.ts';
import { deathsOf } from './deaths.ts';
import { DialQueue } from './dial-queue.ts';
import type { ConnectionActor } from './group.ts';
import type { Connection } from './handle.ts';
import { HealthDesk } from './health-desk.ts';
import type { HealthInfo, HealthSummary, HealthTrend, Recommendation, Traffic } from './health-info.ts';
import { harmless, type InspectableSystem } from './inspection.ts';
import { quiet } from './core/isolation.ts';
import type { ConnectionId, InboundAt, InboundOf, OutboundAt, OutboundOf, Services } from './identity.ts';
import { Leases, type Lease } from './leases.ts';
import type {
  AcquireOptions,
  ConfigPatch,
  ConnectOptions,
  DestroyOptions,
  DisconnectOptions,
  EnhancedWebSocketOptions,
} from './options.ts';
import type { Member } from './member.ts';
import type { SendOptions, SendOutcome } from './receipt.ts';
import { check, type Rule } from './core/rules.ts';
import { Registry } from './registry.ts';
import { acquireRule, connectRule, destroyRule, historyRule, listeningRule, observingRule } from './schema.ts';
import { amend, settle, type Settings } from './settings.ts';
import type { ConnectionStatus } from './status.ts';
import { connectionActor, releaseConnection, startSupervisor, type SupervisorActor } from './supervisor.ts';
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
  readonly #root: SupervisorActor;
  readonly #emitter: Emitter<ServiceEvents>;
  readonly #errors: ErrorReporter;
  readonly #registry: Registry;
  readonly #health: HealthDesk;
  readonly #leases: Leases;
  readonly #dials = new DialQueue({
    most: () => (this.#isOver ? 0 : this.#settings.maxDials),
    services: () => this.#settings.services.size,
  });
  readonly #requested = new Set<Member>();
  #settings: Settings;
  #destruction: Promise<void> | undefined;
  #stopped: () => void = () => undefined;
  readonly #signals: OwnedSignals;

  constructor(options: EnhancedWebSocketOptions<Types>) {
    this.#settings = settle(options);
    this.#clock = new Timekeeper(options.clock ?? systemClock({ unref: options.unrefTimers ?? false }));
    this.#leases = new Leases(this.#clock);
    const emitter = new Emitter<ServiceEvents>((cause) => {
      this.#errors.report(cause);
    });
    this.#emitter = emitter;
    this.#errors = new ErrorReporter({ emitter, settings: () => this.#settings, now: () => this.#clock.now() });
    const { report, emit, undelivered } = this.#errors;
    this.#registry = new Registry({
      settings: () => this.#settings,
      random: options.random ?? Math.random,
      isOver: () => this.#isOver,
      release: (id) => {
        releaseConnection(this.#root, id);
      },
      changed: (connection) => {
        this.#leases.changed(connection);
      },
      host: {
        clock: this.#clock,
        dials: this.#dials,
        memory: new WireMemory(() => this.#clock.now()),
        webSocket: () =>
          this.#settings.options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
        queueing: () => this.#settings.queueing,
        emitter: { emit, has: (type) => emitter.has(type) },
        tellUndelivered: undelivered,
        actor: (member) => this.#actorOf(member),
        report,
      },
    });
    this.#health = new HealthDesk(this.#registry.members);
    this.#signals = new OwnedSignals(options.signals ?? platformSignals(this.#clock));
    this.#root = startSupervisor(
      {
        signals: this.#signals,
        report,
        portsOf: (id) => this.#member(id).ports,
        ...deathsOf({
          member: (id) => this.#registry.members.get(id),
          fault: (error) => {
            this.#errors.fault(error);
          },
          emit,
        }),
      },
      {
        clock: this.#clock,
        intensity: this.#settings.intensity,
        inspect: options.inspect && harmless(options.inspect, report),
        onDeath: (cause) => {
          for (const { ports, connection } of this.#registry.members.values()) {
            ports.hangUp();
            connection.died(cause);
            connection.buried();
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
   * exists joins it. From `closed` and `failed` it is opened again; in backoff it is tried at once, unless the
   * peer asked for time.
   *
   * @throws {HoldfastError} Rejects with `UNKNOWN_SERVICE`, `INVALID_OPTIONS`, `CONNECTION_CONFLICT` or `CONNECTION_LIMIT`, or as
   *   {@link Connection.connect} does.
   */
  connect<Type extends keyof Types & string>(options: ConnectOptions<Type>): Promise<ConnectionId<Type>> {
    return quiet(this.#connect(options) as Promise<ConnectionId<Type>>);
  }

  /**
   * The same for a while, shared with whoever else acquires it: the connection is closed `releaseDelayMs` after its last lease was released, unless
   * {@link EnhancedWebSocketService.connect} has opened it as well since it was last closed or failed. {@link Connection.connect} opens it and keeps
   * nothing, whether it is called before the lease or after.
   *
   * @throws {HoldfastError} Rejects as {@link EnhancedWebSocketService.connect} does; then there is nothing to release.
   */
  acquire<Type extends keyof Types & string>(
    options: AcquireOptions<Type>,
  ): Promise<Lease<Connection<InboundOf<Types[Type]>, OutboundOf<Types[Type]>>, ConnectionId<Type>>> {
    return quiet(this.#acquire(options) as Promise<never>);
  }

  /**
   * Closes a connection; what was sent before is handed to the socket first. It stays known, as `closed`. Closing `pool:` and a name
   * closes those who share that pool first.
   *
   * @throws {ConfigurationError} Rejects with `UNKNOWN_CONNECTION` or `INVALID_OPTIONS`; after `destroy` with a {@link HoldfastError} `SERVICE_DESTROYED`.
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
    const member = this.#registry.members.get(connectionId);
    return member
      ? member.connection.send(message, options).settled
      : quiet(Promise.reject(this.#unknown(connectionId)));
  }

  /** What is known of a connection now; `null` for an id that is none. */
  getConnectionStatus(connectionId: string): ConnectionStatus | null {
    return this.#registry.members.get(connectionId)?.connection.status ?? null;
  }

  /** What is known of every connection. */
  getConnections(): ConnectionStatus[] {
    return [...this.#registry.members.values()].map(({ connection }) => connection.status);
  }

  /**
   * The connection as an object.
   *
   * @throws {ConfigurationError} `UNKNOWN_CONNECTION`; after `destroy` a {@link HoldfastError} `SERVICE_DESTROYED`.
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

  /**
   * What people can be told of whatever was caught: of an error of Holdfast with the `label` of its service, see `userMessages`; of anything else that
   * something went wrong. Never throws.
   */
  describe(caught: unknown): string {
    return this.#errors.describe(caught);
  }

  /** How the connections are on the whole, in numbers. Nothing is counted while health is not monitored. */
  getHealthInfo(): HealthSummary;
  /** How a connection is, as measured; `null` for an id that is none, and while health is not monitored. */
  getHealthInfo(connectionId: string): HealthInfo | null;
  getHealthInfo(connectionId?: string): HealthSummary | HealthInfo | null {
    return connectionId === undefined ? this.#health.summary() : this.#health.info(connectionId);
  }

  /**
   * How a connection was in the last `rangeMs`, of which as much is kept as the option `healthWindowMs` says; `null` as with `getHealthInfo`.
   *
   * @throws {ConfigurationError} `INVALID_OPTIONS` for a range that is no positive number.
   */
  getHealthTrend(connectionId: string, rangeMs = 3_600_000): HealthTrend | null {
    return this.#health.trend(connectionId, rangeMs);
  }

  /** What could be better with a connection, and the measurements that say so, the gravest first. Empty where nothing is known. */
  getRecommendations(connectionId: string): Recommendation[] {
    return this.#health.recommendations(connectionId);
  }

  /** What the connections have carried since the service was made, by service type: forgotten ones too. Counted while health is monitored. */
  getTraffic(): Record<string, Traffic> {
    return this.#registry.traffic;
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
   * @throws {ConfigurationError} `INVALID_OPTIONS`, `INVALID_URL`; then nothing has changed. After `destroy` a {@link HoldfastError} `SERVICE_DESTROYED`.
   */
  updateConfig(patch: ConfigPatch): void {
    this.#requireAlive();
    this.#settings = amend(this.#settings, patch);
    for (const { connection } of this.#registry.members.values()) connection.reconfigured();
    this.#dials.advance();
    this.#registry.forget();
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
    const connection = this.#wanted(options, connectRule);
    const { signal, timeoutMs } = options;
    const opened = connection.connect({ signal, timeoutMs });
    this.#leases.keep(connection, opened);
    await opened;
    return connection.id;
  }

  async #acquire(options: AcquireOptions): Promise<Lease> {
    return this.#leases.acquire(this.#wanted(options, acquireRule), options);
  }

  #wanted(options: ConnectOptions, rule: Rule): Connection {
    this.#requireAlive();
    check(rule, options);
    const { signal } = options;
    // nothing is made for a wish that was taken back already
    if (signal?.aborted) throw new ConnectionError('CONNECT_ABORTED', { cause: signal.reason });
    return this.#registry.memberFor(options).connection;
  }

  async #disconnect(connectionId: string, options: DisconnectOptions): Promise<void> {
    await this.#member(connectionId).connection.close(options);
  }

  async #destroy(deadlineMs: number): Promise<void> {
    const members = [...this.#registry.members.values()];
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    for (const { connection } of members) connection.ending();
    if (this.#isOver) this.#stopped();
    else this.#root.send({ type: 'drain', deadlineMs });
    await stopped;
    for (const { connection } of members) connection.ended();
    this.#registry.clear();
    this.#emitter.clear();
    this.#signals.end();
    this.#clock.stop();
  }

  #actorOf(member: Member): ConnectionActor | undefined {
    const { connection, seed, settings } = member;
    const { id, serviceType } = connection;
    this.#requireAlive();
    if (this.#registry.members.get(id) !== member) throw this.#unknown(id);
    const present = connectionActor(this.#root, id);
    if (present || this.#requested.has(member)) return present;
    this.#requested.add(member);
    this.#root.send({ type: 'connection.requested', input: { id, serviceType, policy: settings().policy, seed } });
    const made = connectionActor(this.#root, id);
    if (made) this.#requested.delete(member);
    else this.#await(member);
    return made;
  }

  // in the middle of its turn the supervisor makes no actor: until that is over it is not asked again
  #await(member: Member): void {
    queueMicrotask(() => {
      this.#requested.delete(member);
      if (!this.#isOver && this.#registry.members.get(member.connection.id) === member) member.connection.restarted();
    });
  }

  #member(id: string): Member {
    const member = this.#registry.members.get(id);
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
    const root = this.#root.getSnapshot();
    return root.status !== 'active' || !root.matches('running');
  }

  #requireAlive(): void {
    if (this.#isOver) throw new HoldfastError('SERVICE_DESTROYED');
  }
}
