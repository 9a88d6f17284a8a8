import { Emitter, type Listener } from './core/emitter.ts';
import { ConfigurationError, FaultError, HoldfastError } from './errors.ts';
import { exported, type DiagnosticsExport } from './export.ts';
import type { ErrorEntry, ErrorHistoryFilter, ErrorStatistics } from './error-history.ts';
import { ErrorReporter } from './error-reporter.ts';
import type { MessageOf, ServiceEvents } from './events.ts';
import { buryAll, deathsOf } from './deaths.ts';
import { Diagnostics, type Subject } from './diagnostics.ts';
import type { DiagnosticsOptions, DiagnosticsReport } from './diagnosis.ts';
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
import { check } from './core/rules.ts';
import { Registry } from './registry.ts';
import { destroyRule, historyRule, listeningRule, observingRule } from './schema.ts';
import { amend, settle, type Settings } from './settings.ts';
import type { ConnectionStatus } from './status.ts';
import { releaseConnection, startSupervisor, type SupervisorActor } from './supervisor.ts';
import { subjectOf } from './subject.ts';
import { Summons } from './summons.ts';
import { Timekeeper } from './timekeeper.ts';
import { systemClock } from './transport/clock.ts';
import { OwnedSignals, platformSignals } from './transport/signals.ts';
import type { WebSocketConstructor } from './transport/websocket.ts';
import { Wishes } from './wishes.ts';
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
  readonly #wishes: Wishes;
  readonly #dials = new DialQueue({
    most: () => (this.#isOver ? 0 : this.#settings.maxDials),
    services: () => this.#settings.services.size,
  });
  readonly #summons: Summons;
  #settings: Settings;
  readonly #diagnostics: Diagnostics;
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
    this.#wishes = new Wishes({
      leases: this.#leases,
      requireAlive: () => {
        this.#requireAlive();
      },
      connectionFor: (wanted) => this.#registry.memberFor(wanted).connection,
    });
    this.#health = new HealthDesk(this.#registry.members);
    this.#diagnostics = new Diagnostics({ clock: this.#clock, subject: (target) => this.#subject(target) });
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
          buryAll(this.#registry.members.values(), cause);
          this.#errors.fault(new FaultError('INTERNAL_FAULT', { cause }));
          this.#stopped();
        },
        onStopped: () => {
          this.#stopped();
        },
      },
    );
    this.#summons = new Summons({
      root: this.#root,
      isOver: () => this.#isOver,
      isKnown: (member) => this.#registry.members.get(member.connection.id) === member,
    });
  }

  /** The actor system, for inspectors and audit logs that attach to a running service. */
  get system(): InspectableSystem {
    return {
      root: this.#root,
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
    return quiet(this.#wishes.connect(options) as Promise<ConnectionId<Type>>);
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
    return quiet(this.#wishes.acquire(options) as Promise<never>);
  }

  /**
   * Closes a connection; what was sent before is handed to the socket first. It stays known, as `closed`. Closing `pool:` and a name
   * closes those who share that pool first.
   *
   * @throws {ConfigurationError} Rejects with `UNKNOWN_CONNECTION` or `INVALID_OPTIONS`; after `destroy` with a {@link HoldfastError} `SERVICE_DESTROYED`.
   */
  disconnect(connectionId: string, options: DisconnectOptions = {}): Promise<void> {
    return quiet((async () => this.#member(connectionId).connection.close(options))());
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

  /**
   * Finds out what is wrong with a connection, or with a service type that has none, step by step: see {@link DIAGNOSTIC_STEPS}. An open connection is not disturbed: it is sent
   * a few pings. One diagnosis at a time: whoever asks meanwhile gets the same.
   *
   * @throws {HoldfastError} Rejects with `UNKNOWN_CONNECTION`, `INVALID_OPTIONS`, `DIAGNOSTICS_ABORTED` or `SERVICE_DESTROYED`. What is wrong is no rejection.
   */
  runDiagnostics(target: string, options: DiagnosticsOptions = {}): Promise<DiagnosticsReport> {
    return quiet(this.#diagnostics.run(target, options));
  }

  /** Everything that is known, as plain JSON, to be attached to a report: without tokens, messages and live objects. */
  exportDiagnostics(): DiagnosticsExport {
    return exported(this, {
      settings: this.#settings,
      members: this.#registry.members.values(),
      now: this.#clock.now(),
    });
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
    if (this.#destruction) return this.#destruction;
    // there before anything ends: whoever is told of that may destroy as well
    this.#destruction = this.#release();
    this.#diagnostics.end();
    for (const { connection } of this.#registry.members.values()) connection.ending();
    if (this.#isOver) this.#stopped();
    else this.#root.send({ type: 'drain', deadlineMs: options.deadlineMs ?? 2_000 });
    return this.#destruction;
  }

  #subject(target: string): Subject {
    this.#requireAlive();
    const member = this.#registry.members.get(target);
    if (!member && !this.#settings.services.has(target)) throw this.#unknown(target);
    const isOffline = this.#root.getSnapshot().context.network === 'offline';
    return subjectOf(target, { member, settings: this.#settings, isOffline });
  }

  async #release(): Promise<void> {
    const members = [...this.#registry.members.values()];
    await new Promise<void>((resolve) => (this.#stopped = resolve));
    for (const { connection } of members) connection.ended();
    // what messages came to is told when the turn is over
    await Promise.resolve();
    this.#registry.clear();
    this.#emitter.clear();
    this.#signals.end();
    this.#clock.stop();
  }

  #actorOf(member: Member): ConnectionActor | undefined {
    const { id } = member.connection;
    this.#requireAlive();
    if (this.#registry.members.get(id) !== member) throw this.#unknown(id);
    return this.#summons.actorOf(member);
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
