import type { Connection } from './handle.ts';
import type { AcquireOptions } from './options.ts';
import type { Clock } from './transport/clock.ts';

/** The right to use a connection that others may use as well. */
export interface Lease<Held = Connection, Id extends string = string> {
  readonly id: Id;
  readonly connection: Held;
  /** Gives it back; the last one to be given back closes the connection. Once is enough. */
  release(): void;
}

interface Tenancy {
  leases: number;
  /** Whether `connect` was called for it as well: then leases do not end it. */
  isKept: boolean;
  closing: unknown;
}

/** Connections that are closed a while after nobody uses them any more. */
export class Leases {
  readonly #clock: Clock;
  readonly #tenancies = new Map<string, Tenancy>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `isActive`: whether the connection is in use already, and so was opened by somebody else unless by a lease. */
  async acquire(connection: Connection, options: AcquireOptions, isActive: boolean): Promise<Lease> {
    const { id } = connection;
    const tenancy = this.#tenancies.get(id) ?? { leases: 0, isKept: isActive, closing: undefined };
    if (!isActive) tenancy.isKept = false;
    this.#tenancies.set(id, tenancy);
    tenancy.leases += 1;
    this.#clock.clearTimeout(tenancy.closing);
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      tenancy.leases -= 1;
      if (tenancy.leases === 0) this.#vacate(connection, tenancy, options.releaseDelayMs ?? 0);
    };
    const { signal, timeoutMs } = options;
    try {
      await connection.connect({ signal, timeoutMs });
    } catch (error) {
      release();
      throw error;
    }
    return { id, connection, release };
  }

  /** `connect` was called for a connection: no lease ends it from now on. */
  keep(id: string): void {
    const tenancy = this.#tenancies.get(id);
    if (!tenancy) return;
    tenancy.isKept = true;
    this.#clock.clearTimeout(tenancy.closing);
  }

  /** Nothing is closed any more: the service has ended. */
  clear(): void {
    this.#tenancies.clear();
  }

  // a tenancy that is not known any more is none
  #vacate(connection: Connection, tenancy: Tenancy, delayMs: number): void {
    if (this.#tenancies.get(connection.id) !== tenancy) return;
    if (tenancy.isKept) {
      this.#tenancies.delete(connection.id);
      return;
    }
    tenancy.closing = this.#clock.setTimeout(() => {
      this.#tenancies.delete(connection.id);
      void connection.close();
    }, delayMs);
  }
}
