import { release, type Clock } from './clock.ts';

/** What the platform says about the circumstances of every connection. */
export type Signal = 'network.online' | 'network.offline' | 'page.visible' | 'page.hidden' | 'system.woke';

/** Where signals come from. */
export interface SignalSource {
  /**
   * Reports each signal from now on, and at once the ones that describe an unusual present (offline, hidden).
   *
   * @returns Ends the subscription and releases every listener and timer behind it.
   */
  subscribe(report: (signal: Signal) => void): () => void;
}

const TICK_MS = 5_000;
// a tick this late means that timers stood still: sleep, a frozen tab, a blocked loop
const LATE_MS = 2_000;

/**
 * The platform's signals: online and offline, page visibility, and waking up, which is read from a clock that jumped.
 * Where the platform has none of the first two, as in Node, only waking is reported. Nothing is touched before `subscribe`.
 */
export function platformSignals(clock: Clock): SignalSource {
  return {
    subscribe(report) {
      const ends = [watchNetwork(report), watchPage(report), watchSleep(clock, report)];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

/** A source that never reports anything. */
export const silentSignals: SignalSource = { subscribe: () => () => undefined };

function watchNetwork(report: (signal: Signal) => void): () => void {
  const { navigator } = globalThis as { navigator?: { onLine?: boolean } };
  if (navigator?.onLine === false) report('network.offline');
  return listen(globalThis, {
    online: () => {
      report('network.online');
    },
    offline: () => {
      report('network.offline');
    },
  });
}

function watchPage(report: (signal: Signal) => void): () => void {
  const { document } = globalThis as { document?: EventTarget & { visibilityState?: string } };
  const isHidden = (): boolean => document?.visibilityState === 'hidden';
  if (isHidden()) report('page.hidden');
  return listen(document, {
    visibilitychange: () => {
      report(isHidden() ? 'page.hidden' : 'page.visible');
    },
  });
}

function watchSleep(clock: Clock, report: (signal: Signal) => void): () => void {
  let timer: unknown;
  const tick = (): void => {
    const due = clock.now() + TICK_MS;
    timer = clock.setTimeout(() => {
      const lateMs = clock.now() - due;
      tick();
      if (lateMs > LATE_MS) report('system.woke');
    }, TICK_MS);
    // watching must not be what keeps a process alive
    release(timer);
  };
  tick();
  return () => {
    clock.clearTimeout(timer);
  };
}

function listen(target: unknown, listeners: Record<string, () => void>): () => void {
  if (!isEventTarget(target)) return () => undefined;
  for (const [type, listener] of Object.entries(listeners)) target.addEventListener(type, listener);
  return () => {
    for (const [type, listener] of Object.entries(listeners)) target.removeEventListener(type, listener);
  };
}

function isEventTarget(target: unknown): target is EventTarget {
  return typeof (target as Partial<EventTarget> | undefined)?.addEventListener === 'function';
}

/** Signals whose one subscription can also be ended from outside, for when the subscriber died without doing so. */
export class OwnedSignals implements SignalSource {
  readonly #source: SignalSource;
  #end: (() => void) | undefined;

  constructor(source: SignalSource) {
    this.#source = source;
  }

  subscribe(report: (signal: Signal) => void): () => void {
    this.#end = this.#source.subscribe(report);
    return () => {
      this.end();
    };
  }

  /** Ends the subscription, if there is one. */
  end(): void {
    const end = this.#end;
    this.#end = undefined;
    end?.();
  }
}
