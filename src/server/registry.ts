import type { LiveSession, SessionOwner } from './live-session.ts';

/** The sessions that a node has: by id, by principal, and by the name that a client has for its own. */
export class Registry {
  readonly #byId = new Map<string, LiveSession>();
  readonly #byNonce = new Map<string, LiveSession>();
  readonly #byPrincipal = new Map<string, Set<LiveSession>>();

  get all(): LiveSession[] {
    return [...this.#byId.values()];
  }

  byId(sid: string): LiveSession | undefined {
    return this.#byId.get(sid);
  }

  byNonce(owner: SessionOwner): LiveSession | undefined {
    return this.#byNonce.get(nameOf(owner));
  }

  of(principal: string): LiveSession[] {
    return [...(this.#byPrincipal.get(principal) ?? [])];
  }

  countOf(principal: string): number {
    return this.#byPrincipal.get(principal)?.size ?? 0;
  }

  add(session: LiveSession): void {
    this.#byId.set(session.id, session);
    if (session.nonce !== null) this.#byNonce.set(nameOf(session), session);
    const siblings = this.#byPrincipal.get(session.principal) ?? new Set();
    this.#byPrincipal.set(session.principal, siblings.add(session));
  }

  remove(session: LiveSession): void {
    // another of the same id or name may have taken its place
    if (this.#byId.get(session.id) === session) this.#byId.delete(session.id);
    if (this.#byNonce.get(nameOf(session)) === session) this.#byNonce.delete(nameOf(session));
    const siblings = this.#byPrincipal.get(session.principal);
    siblings?.delete(session);
    if (siblings?.size === 0) this.#byPrincipal.delete(session.principal);
  }
}

function nameOf({ principal, nonce }: SessionOwner): string {
  return JSON.stringify([principal, nonce]);
}
