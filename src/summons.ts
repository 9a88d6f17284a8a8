import type { ConnectionActor } from './group.ts';
import type { Member } from './member.ts';
import { connectionActor, type SupervisorActor } from './supervisor.ts';

export interface SummonsOptions {
  root: SupervisorActor;
  isOver: () => boolean;
  /** Whether the connection is one of the service's still. */
  isKnown: (member: Member) => boolean;
}

/** The actors of connections: asked of the supervisor when they are wanted. */
export class Summons {
  readonly #options: SummonsOptions;
  readonly #requested = new Set<Member>();

  constructor(options: SummonsOptions) {
    this.#options = options;
  }

  /** The actor of a connection, made if there is none; `undefined` while the supervisor is busy making it. */
  actorOf(member: Member): ConnectionActor | undefined {
    const { root } = this.#options;
    const { connection, seed, settings } = member;
    const { id, serviceType } = connection;
    const present = connectionActor(root, id);
    if (present || this.#requested.has(member)) return present;
    this.#requested.add(member);
    root.send({ type: 'connection.requested', input: { id, serviceType, policy: settings().policy, seed } });
    const made = connectionActor(root, id);
    if (made) this.#requested.delete(member);
    else this.#await(member);
    return made;
  }

  // in the middle of its turn the supervisor makes no actor: until that is over it is not asked again
  #await(member: Member): void {
    const { isOver, isKnown } = this.#options;
    queueMicrotask(() => {
      this.#requested.delete(member);
      if (!isOver() && isKnown(member)) member.connection.restarted();
    });
  }
}
