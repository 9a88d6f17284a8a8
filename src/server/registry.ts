import type { LiveSession, SessionOwner } from './live-session.ts';

/** The sessions that a node has: by id, by principal, and by the name that a client has for its own. */
export class Registry {
  readonly #byId = new Map<string, LiveSession>();
  readonly #byNonce = new Map<string, LiveSession>();
  readonly #byPrincipal = new Map<string, Set<LiveSession>>();
  // sessions that are about to come, by principal and name, and how many ask for each
  readonly #places = new Map<string, Map<string | null, number>>();

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

  /** Keeps a place for a session that is about to come. @returns Gives it back; `null` when its principal has so many already. */
  reserve(owner: SessionOwner, most: number): (() => void) | null {
    const { principal, nonce } = owner;
    const places = this.#places.get(principal) ?? new Map<string | null, number>();
    const asking = places.get(nonce) ?? 0;
    if (asking === 0 && this.countOf(principal) + places.size >= most) return null;
    this.#places.set(principal, places.set(nonce, asking + 1));
    return () => {
      this.#giveBack(owner, 1);
    };
  }

  add(session: LiveSession): void {
    this.#giveBack(session, Infinity);
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

  // a session that has come is counted itself, however many asked for it
  #giveBack({ principal, nonce }: SessionOwner, count: number): void {
    const places = this.#places.get(principal);
    const asking = places?.get(nonce);
    if (!places || asking === undefined) return;
    if (asking > count) places.set(nonce, asking - count);
    else places.delete(nonce);
    if (places.size === 0) this.#places.delete(principal);
  }
}

function nameOf({ principal, nonce }: SessionOwner): string {
  return JSON.stringify([principal, nonce]);
}
