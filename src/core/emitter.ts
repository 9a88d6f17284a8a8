import { isolated } from './isolation.ts';

/** Called with each event of one type. A promise that it returns is not waited for, but its rejection is reported. */
export type Listener<Event> = (event: Event) => unknown;

/** Listeners by event type. A listener can neither stop the others nor the one who emits. */
export class Emitter<Events> {
  // replaced on every change, so that an emission goes to those who listened when it began
  readonly #listeners = new Map<keyof Events, readonly Listener<never>[]>();
  readonly #report: (cause: unknown) => void;

  /** `report` hears what listeners throw. */
  constructor(report: (cause: unknown) => void) {
    this.#report = report;
  }

  /** @returns Removes this listener; calling it again does nothing. */
  on<Type extends keyof Events>(type: Type, listener: Listener<Events[Type]>): () => void {
    // a wrapper of its own lets the same function be added twice and removed once
    const entry: Listener<Events[Type]> = (event) => listener(event);
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), entry]);
    return () => {
      const kept = (this.#listeners.get(type) ?? []).filter((other) => other !== entry);
      if (kept.length > 0) this.#listeners.set(type, kept);
      else this.#listeners.delete(type);
    };
  }

  /** `report` hears what listeners throw at this event, in place of the constructor's. */
  emit<Type extends keyof Events>(type: Type, event: Events[Type], report = this.#report): void {
    for (const listener of this.#listeners.get(type) ?? [])
      isolated(listener as Listener<Events[Type]>, [event], report);
  }

  /** Whether anybody listens for this type. */
  has(type: keyof Events): boolean {
    return this.#listeners.has(type);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
