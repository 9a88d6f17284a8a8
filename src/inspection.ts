import { isolated } from './core/isolation.ts';

/** An inspection event of XState; its fields beyond these depend on its type and on XState's version. */
export interface InspectionEvent {
  /** `@xstate.actor`, `@xstate.event`, `@xstate.microstep`, `@xstate.action` or `@xstate.snapshot`. */
  type: string;
  /** The root of the actor's system: one for each service. */
  rootId?: string;
  /** The actor that it speaks of. */
  actorRef: unknown;
}

/** Hears one inspection event. A method's type, so that an observer of XState's own, narrower events fits as well. */
type Hear = { hear(event: InspectionEvent): unknown }['hear'];

/** Hears inspection events. What it throws is reported, and never reaches an actor. */
export type Inspect = Hear | { next?: Hear };

/** What can be inspected at any time, also after its start. */
export interface InspectableSystem {
  /** Its root actor, as XState's: with its snapshot, and through that its children. */
  readonly root: unknown;
  /** Attaches an observer to every actor of the system, present and future. */
  inspect(observer: Inspect): { unsubscribe(): void };
}

/** The observer as XState wants it, made harmless: XState loses the event that an observer throws on. */
export function harmless(observer: Inspect, report: (cause: unknown) => void): (event: InspectionEvent) => void {
  const hear = typeof observer === 'function' ? observer : (event: InspectionEvent) => observer.next?.(event);
  return (event) => {
    isolated(hear, [event], report);
  };
}
