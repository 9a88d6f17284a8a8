import { Census } from './census.ts';
import { seedFrom } from './core/chance.ts';
import { ConfigurationError } from './errors.ts';
import type { Connection } from './handle.ts';
import { idOf, wishOf } from './identity.ts';
import { carrierAmong, makeMember, type Member, type MemberHost, type MemberOptions } from './member.ts';
import type { ConnectOptions } from './options.ts';
import { Pool } from './pool.ts';
import type { Traffic } from './health-info.ts';
import { TrafficLedger } from './traffic.ts';
import type { ServiceSettings, Settings } from './settings.ts';

export interface RegistryOptions {
  settings: () => Settings;
  random: () => number;
  /** Whether nothing is made or forgotten any more. */
  isOver: () => boolean;
  /** Ends the actor of a connection, if it has one. */
  release: (connectionId: string) => void;
  /** Hears when the state of a connection changes. */
  changed: (connection: Connection) => void;
  /** What the connections need beside what the registry knows. */
  host: Omit<MemberHost, 'members' | 'settings' | 'pool' | 'admit' | 'changed' | 'isMonitored' | 'healthWindowMs'>;
}

/** The connections of a service: made when they are asked for, forgotten when enough others have ended since they did. */
export class Registry {
  readonly members = new Map<string, Member>();
  readonly #pools = new Map<string, Pool>();
  readonly #census = new Census();
  readonly #traffic = new TrafficLedger();
  readonly #options: RegistryOptions;
  readonly #host: MemberHost;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#host = {
      ...options.host,
      members: this.members,
      settings: (type, as = itself) => this.#settingsFor(type, as),
      pool: (name, type) => this.#pool(name, type),
      isMonitored: () => options.settings().isMonitored,
      healthWindowMs: () => options.settings().healthWindowMs,
      admit: (member) => {
        this.#admit(member);
      },
      changed: (member) => {
        this.#track(member);
        options.changed(member.connection);
      },
    };
  }

  /**
   * The connection that is wanted, made if there is none.
   *
   * @throws {ConfigurationError} `UNKNOWN_SERVICE`, `CONNECTION_CONFLICT` or `CONNECTION_LIMIT`
   */
  memberFor(options: ConnectOptions): Member {
    const { serviceType } = options;
    const { services } = this.#options.settings();
    if (!services.has(serviceType)) {
      const known = [...services.keys()].join(', ');
      throw new ConfigurationError('UNKNOWN_SERVICE', {
        message: `No service "${serviceType}" is configured; there are: ${known}.`,
      });
    }
    const id = idOf(options);
    const wish = wishOf(options);
    const present = this.members.get(id);
    if (present && present.wish !== wish)
      throw new ConfigurationError('CONNECTION_CONFLICT', {
        message: `A connection with the id "${id}" exists with other parameters.`,
        connectionId: id,
        serviceType,
      });
    // one that is refused is not made
    if (!present) this.#requireRoom(serviceType);
    return present ?? this.#make({ id, wish, options });
  }

  /** What its connections have carried, by service type. */
  get traffic(): Record<string, Traffic> {
    return this.#traffic.totals(this.members.values());
  }

  /** Nothing is left of the service but what its connections have carried. */
  clear(): void {
    for (const member of this.members.values()) this.#traffic.retire(member);
    this.members.clear();
  }

  /** Closed and failed connections are remembered up to a bound. */
  forget(): void {
    const { isOver, release, settings } = this.#options;
    if (isOver()) return;
    for (const id of this.#census.forget(settings().maxInactive)) {
      const member = this.members.get(id);
      this.members.delete(id);
      release(id);
      member?.connection.ended();
      if (member) this.#traffic.retire(member);
    }
  }

  #admit(member: Member): void {
    const { id, serviceType } = member.connection;
    if (member.carries || this.members.get(id) !== member || this.#census.isActive(id, serviceType)) return;
    this.#requireRoom(serviceType);
    // within the supervisor's turn its actor is made later: the place is taken all the same
    this.#census.note(id, serviceType, 'connecting');
  }

  #make(wanted: Omit<MemberOptions, 'draws' | 'seed'>): Member {
    const draws = [this.#draw(), this.#draw()] as const;
    const member = makeMember({ ...wanted, draws, seed: seedFrom(this.#draw()) }, this.#host);
    this.members.set(wanted.id, member);
    return member;
  }

  // the connection that carries a pool is one like any other, and is made when it is needed
  #pool(name: string, serviceType: string): Pool {
    const present = this.#pools.get(name);
    if (present) return present;
    const id = `pool:${name}`;
    const carrier = carrierAmong(this.members, id, () =>
      this.#make({ id, wish: '', options: { serviceType }, carries: pool }),
    );
    const pool: Pool = new Pool({ clock: this.#options.host.clock, carrier });
    this.#pools.set(name, pool);
    return pool;
  }

  #draw(): number {
    try {
      return this.#options.random();
    } catch (cause) {
      throw new ConfigurationError('INVALID_OPTIONS', { message: 'The option `random` threw.', cause });
    }
  }

  #settingsOf(serviceType: string): ServiceSettings {
    const settings = this.#options.settings().services.get(serviceType);
    if (!settings) throw new ConfigurationError('UNKNOWN_SERVICE', { serviceType });
    return settings;
  }

  // looked up by name only when they were replaced
  #settingsFor(serviceType: string, as: (settings: ServiceSettings) => ServiceSettings): () => ServiceSettings {
    let known: Settings | undefined;
    let own: ServiceSettings;
    return () => {
      const settings = this.#options.settings();
      if (settings !== known) own = as(this.#settingsOf(serviceType));
      known = settings;
      return own;
    };
  }

  // the one that carries a pool is nobody's own
  #track({ connection: { id, serviceType, status }, carries }: Member): void {
    this.#census.note(id, carries ? id : serviceType, status.state);
    if (status.state !== 'closed' && status.state !== 'failed') return;
    // not now: the actor that may have to go is in the middle of its turn
    queueMicrotask(() => {
      this.forget();
    });
  }

  #requireRoom(serviceType: string): void {
    const { maxConnections } = this.#settingsOf(serviceType);
    if (this.#census.activeOf(serviceType) < maxConnections) return;
    throw new ConfigurationError('CONNECTION_LIMIT', {
      message: `The service "${serviceType}" has as many connections in use as it may have: ${maxConnections}.`,
      serviceType,
    });
  }
}

function itself(settings: ServiceSettings): ServiceSettings {
  return settings;
}
