import type { ConnectionState } from './status.ts';

/** Which connections of a service are in use, and which are only remembered. Everything is O(1). */
export class Census {
  // ids of closed and failed connections, the longest so first
  readonly #inactive = new Set<string>();
  // by service type, ids of those that are neither that nor unused
  readonly #active = new Map<string, Set<string>>();

  /** Takes down where a connection stands. */
  note(id: string, serviceType: string, state: ConnectionState): void {
    const active = this.#active.get(serviceType) ?? new Set();
    this.#active.set(serviceType, active);
    this.#inactive.delete(id);
    const isOver = state === 'closed' || state === 'failed';
    if (isOver) this.#inactive.add(id);
    if (isOver || state === 'idle') active.delete(id);
    else active.add(id);
  }

  /** How many connections of a type are in use. */
  activeOf(serviceType: string): number {
    return this.#active.get(serviceType)?.size ?? 0;
  }

  /** Whether a connection is in use. */
  isActive(id: string, serviceType: string): boolean {
    return this.#active.get(serviceType)?.has(id) ?? false;
  }

  /** Forgets those that are remembered beyond so many, the longest so first. */
  *forget(most: number): Generator<string> {
    for (const id of this.#inactive) {
      if (this.#inactive.size <= most) return;
      this.#inactive.delete(id);
      yield id;
    }
  }
}
