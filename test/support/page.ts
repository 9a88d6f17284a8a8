import { vi } from 'vitest';

/** The globals of a page, as a browser has them. */
export interface Page {
  goes(network: 'online' | 'offline'): void;
  /** Somebody looks at it, or nobody does. */
  turns(visibilityState: 'visible' | 'hidden'): void;
  /** Its browser freezes it where it is, or lets it run on. */
  is(what: 'frozen' | 'resumed'): void;
  /** It is left. `persisted`: it may be kept for the way back. */
  leaves(persisted: boolean): void;
  /** It is back from the back/forward cache, with a visibility of its own. */
  returns(visibilityState?: 'visible' | 'hidden'): void;
  /** How many listeners are on it. */
  listeners(): number;
}

/** Makes the globals those of a page, until they are given back by `vi.unstubAllGlobals()`. */
export function stubPage({ onLine = true, visibilityState = 'visible' } = {}): Page {
  let listeners = 0;
  const counted = (): EventTarget =>
    Object.assign(new EventTarget(), {
      addEventListener(this: EventTarget, type: string, listener: EventListener) {
        listeners += 1;
        EventTarget.prototype.addEventListener.call(this, type, listener);
      },
      removeEventListener(this: EventTarget, type: string, listener: EventListener) {
        listeners -= 1;
        EventTarget.prototype.removeEventListener.call(this, type, listener);
      },
    });
  const window = counted();
  const document = Object.assign(counted(), { visibilityState });
  vi.stubGlobal('navigator', { onLine });
  vi.stubGlobal('document', document);
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    vi.stubGlobal(name, window[name].bind(window));
  }
  const turns: Page['turns'] = (next) => {
    document.visibilityState = next;
    document.dispatchEvent(new Event('visibilitychange'));
  };
  return {
    goes: (network) => void window.dispatchEvent(new Event(network)),
    turns,
    is: (what) => void document.dispatchEvent(new Event(what === 'frozen' ? 'freeze' : 'resume')),
    // in the order of HTML: pagehide first, then the visibility; freeze last
    leaves(persisted) {
      window.dispatchEvent(Object.assign(new Event('pagehide'), { persisted }));
      turns('hidden');
      if (persisted) document.dispatchEvent(new Event('freeze'));
    },
    returns(next = 'visible') {
      document.visibilityState = next;
      document.dispatchEvent(new Event('resume'));
      document.dispatchEvent(new Event('visibilitychange'));
      window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    },
    listeners: () => listeners,
  };
}
