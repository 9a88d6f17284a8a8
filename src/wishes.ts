import { check, type Rule } from './core/rules.ts';
import { ConnectionError } from './errors.ts';
import type { Connection } from './handle.ts';
import type { Lease, Leases } from './leases.ts';
import type { AcquireOptions, ConnectOptions } from './options.ts';
import { acquireRule, connectRule } from './schema.ts';

export interface WishesOptions {
  leases: Leases;
  /** @throws {HoldfastError} `SERVICE_DESTROYED` */
  requireAlive: () => void;
  /** The connection that is wanted, made if there is none. @throws {ConfigurationError} When there can be none. */
  connectionFor: (options: ConnectOptions) => Connection;
}

/** What the application wishes for by saying which connection it wants: to have it open, or to have it for a while. */
export class Wishes {
  readonly #options: WishesOptions;

  constructor(options: WishesOptions) {
    this.#options = options;
  }

  async connect(options: ConnectOptions): Promise<string> {
    const connection = this.#wanted(options, connectRule);
    const { signal, timeoutMs } = options;
    const opened = connection.connect({ signal, timeoutMs });
    this.#options.leases.keep(connection, opened);
    await opened;
    return connection.id;
  }

  async acquire(options: AcquireOptions): Promise<Lease> {
    return this.#options.leases.acquire(this.#wanted(options, acquireRule), options);
  }

  #wanted(options: ConnectOptions, rule: Rule): Connection {
    const { requireAlive, connectionFor } = this.#options;
    requireAlive();
    check(rule, options);
    const { signal } = options;
    // nothing is made for a wish that was taken back already
    if (signal?.aborted) throw new ConnectionError('CONNECT_ABORTED', { cause: signal.reason });
    return connectionFor(options);
  }
}
