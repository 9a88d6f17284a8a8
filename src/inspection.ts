/** An inspection event of XState; its fields beyond these depend on its type and on XState's version. */
export interface InspectionEvent {
  type: string;
  rootId: string;
}

/** Hears inspection events. What it throws is reported, and never reaches an actor. */
export type Inspect = ((event: never) => void) | { next?: (event: never) => void };

/** What can be inspected at any time, also after its start. */
export interface InspectableSystem {
  /** Attaches an observer to every actor of the system, present and future. */
  inspect(observer: Inspect): { unsubscribe(): void };
}

/** The observer as XState wants it, made harmless: XState loses the event that an observer throws on. */
export function harmless(observer: Inspect, report: (cause: unknown) => void): (event: InspectionEvent) => void {
  return (event) => {
    try {
      if (typeof observer === 'function') observer(event as never);
      else observer.next?.(event as never);
    } catch (cause) {
      report(cause);
    }
  };
}
