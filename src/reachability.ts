import type { Clock } from './transport/clock.ts';

export interface ReachabilityOptions {
  fetch: typeof globalThis.fetch;
  clock: Clock;
  /** Aborted when there is no more time for it. */
  signal: AbortSignal;
}

const TIMEOUT_MS = 3_000;

/** Whether anything answers by HTTP where a WebSocket is to go, whatever it says. Of the URL only scheme, host and port are asked. Never rejects. */
export function isAnswering(url: string, { fetch, clock, signal }: ReachabilityOptions): Promise<boolean> {
  const controller = new AbortController();
  return new Promise((resolve) => {
    const settle = (isAnswered: boolean): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', cut);
      // what was answered need not be read
      controller.abort();
      resolve(isAnswered);
    };
    // one that does not heed the signal is not waited for either
    const cut = (): void => {
      settle(false);
    };
    const timer = clock.setTimeout(cut, TIMEOUT_MS);
    signal.addEventListener('abort', cut);
    if (signal.aborted) return cut();
    ask(url, fetch, controller.signal).then(() => {
      settle(true);
    }, cut);
  });
}

async function ask(url: string, fetch: ReachabilityOptions['fetch'], signal: AbortSignal): Promise<void> {
  const { origin } = new URL(url.replace(/^ws/i, 'http'));
  // a page may ask another origin only if it does not look at the answer, and then redirects are followed. Source: WHATWG Fetch, "main fetch"
  await fetch(`${origin}/`, { method: 'HEAD', mode: 'no-cors', credentials: 'omit', cache: 'no-store', signal });
}
