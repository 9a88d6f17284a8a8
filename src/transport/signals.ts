import { release, type Clock } from './clock.ts';

/** Every signal, by name. */
export const SIGNALS = [
  'network.online',
  'network.offline',
  'page.visible',
  'page.hidden',
  'page.frozen',
  'system.woke',
] as const;

/**
 * What the platform says about the circumstances of every connection. `page.frozen`: from now on nothing of the page runs, or it is kept
 * for the way back to it; `page.visible` or `page.hidden` says that it lives again.
 */
export type Signal = (typeof SIGNALS)[number];

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
 * The platform's signals: online and offline; the page's visibility, its freezing and its stay in the back/forward cache; and waking up,
 * which is read from a clock that jumped. Where there is neither network status nor page, as in Node, only waking is reported. Nothing is
 * touched before `subscribe`.
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

// Source: Page Lifecycle, W3C (freeze, resume); HTML, "page visibility" and "unloading documents" (pagehide, pageshow).
function watchPage(report: (signal: Signal) => void): () => void {
  const { document } = globalThis as { document?: EventTarget & { visibilityState?: string } };
  const seen = (): Signal => (document?.visibilityState === 'hidden' ? 'page.hidden' : 'page.visible');
  let last: Signal = 'page.visible';
  const tell = (signal: Signal): void => {
    if (signal === last) return;
    last = signal;
    report(signal);
  };
  const live = (): void => {
    tell(seen());
  };
  const freeze = (): void => {
    tell('page.frozen');
  };
  live();
  const ends = [
    listen(document, {
      // a page that goes into the cache is hidden after it was frozen
      visibilitychange: () => {
        if (last !== 'page.frozen') live();
      },
      freeze,
      resume: live,
    }),
    // without a document they are another's events
    listen(document && globalThis, {
      pagehide: (event: Event & { persisted?: boolean }) => {
        if (event.persisted) freeze();
      },
      pageshow: live,
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
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

function listen(target: unknown, listeners: Record<string, (event: Event) => void>): () => void {
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
