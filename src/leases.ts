import type { Connection } from './handle.ts';
import type { AcquireOptions } from './options.ts';
import type { Clock } from './transport/clock.ts';

/** The right to use a connection that others may use as well. */
export interface Lease<Held = Connection, Id extends string = string> {
  /** The id of the connection. */
  readonly id: Id;
  /** The connection itself, which was open when the lease was given. Other leases of it have the same. */
  readonly connection: Held;
  /** Gives it back; the last one to be given back closes the connection. Once is enough. */
  release(): void;
}

interface Tenancy {
  /** Leases that were not given back, and calls of `connect` that were not answered. */
  users: number;
  /** Whether `connect` has opened it: then leases do not end it. */
  isKept: boolean;
  /** How long after its last user it is closed, in ms; `undefined` where no lease was given back. */
  delayMs: number | undefined;
  closing: unknown;
}

/** Connections that are closed a while after nobody uses them any more. */
export class Leases {
  readonly #clock: Clock;
  readonly #tenancies = new WeakMap<Connection, Tenancy>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Opens a connection for a while. */
  async acquire(connection: Connection, { signal, timeoutMs, releaseDelayMs = 0 }: AcquireOptions): Promise<Lease> {
    const tenancy = this.#enter(connection);
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      tenancy.delayMs = releaseDelayMs;
      this.#leave(connection, tenancy);
    };
    try {
      await connection.connect({ signal, timeoutMs });
    } catch (error) {
      release();
      throw error;
    }
    return { id: connection.id, connection, release };
  }

  /** `connect` was called for a connection, with this outcome: once it has opened, no lease ends it. */
  keep(connection: Connection, opened: Promise<void>): void {
    const tenancy = this.#enter(connection);
    const leave = (): void => {
      this.#leave(connection, tenancy);
    };
    opened.then(() => {
      tenancy.isKept = !isEnding(connection);
      leave();
    }, leave);
  }

  /** The state of a connection has changed: one that ends is nobody's any more, but of those who hold it still. */
  changed(connection: Connection): void {
    const tenancy = this.#tenancies.get(connection);
    if (!tenancy || !isEnding(connection)) return;
    this.#clock.clearTimeout(tenancy.closing);
    tenancy.isKept = false;
    tenancy.delayMs = undefined;
  }

  #enter(connection: Connection): Tenancy {
    const present = this.#tenancies.get(connection);
    const tenancy = present ?? { users: 0, isKept: false, delayMs: undefined, closing: undefined };
    this.#tenancies.set(connection, tenancy);
    this.#clock.clearTimeout(tenancy.closing);
    tenancy.users += 1;
    return tenancy;
  }

  #leave(connection: Connection, tenancy: Tenancy): void {
    tenancy.users -= 1;
    const { users, isKept, delayMs } = tenancy;
    if (users > 0 || isKept || delayMs === undefined || isEnding(connection)) return;
    tenancy.closing = this.#clock.setTimeout(() => void connection.close(), delayMs);
  }
}

function isEnding({ status: { state } }: Connection): boolean {
  return state === 'closing' || state === 'closed' || state === 'failed';
}
