import type { ConnectionEvent } from '../machines/facts.ts';

/** What the actor of a connection is told before it is there. */
export class Mailbox {
  readonly #events: ConnectionEvent[] = [];

  send(event: ConnectionEvent): void {
    this.#events.push(event);
  }

  /** Hands everything over, in order, and keeps nothing. */
  deliver(actor: { send(event: ConnectionEvent): void }): void {
    for (const event of this.#events.splice(0)) actor.send(event);
  }

  /** Forgets everything. */
  clear(): void {
    this.#events.length = 0;
  }
}
