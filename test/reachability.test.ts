import { describe, expect, test } from 'vitest';

import { isAnswering } from '../src/reachability.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { deferred, fateOf, microtasks, type Fate } from './support/service.ts';

interface Asked {
  fate: Fate<boolean>;
  requests: [url: string, init: RequestInit][];
  clock: SimulatedClock;
  controller: AbortController;
}

function asking(
  answer: () => Promise<Response>,
  { url = 'wss://host/', controller = new AbortController() } = {},
): Asked {
  const requests: Asked['requests'] = [];
  const clock = new SimulatedClock();
  const fetch: typeof globalThis.fetch = (asked, init = {}) => {
    requests.push([asked as string, init]);
    return answer();
  };
  const fate = fateOf(isAnswering(url, { fetch, clock, signal: controller.signal }));
  return { fate, requests, clock, controller };
}

const never = (): Promise<Response> => new Promise(() => undefined);

describe('a host', () => {
  test.each([200, 404, 426, 500])('answers with %i: it can be reached', async (status) => {
    const { fate, clock, requests } = asking(() => Promise.resolve(new Response(null, { status })));
    await microtasks();
    expect([fate.value, clock.pending(), requests[0]?.[1].signal?.aborted]).toEqual([true, 0, true]);
  });

  test.each<[what: string, answer: () => Promise<Response>]>([
    ['refuses', () => Promise.reject(new TypeError('fetch failed'))],
    [
      'cannot be asked for',
      () => {
        throw new Error('no');
      },
    ],
  ])('that %s does not answer', async (_what, answer) => {
    const { fate, clock } = asking(answer);
    await microtasks();
    expect([fate.value, clock.pending()]).toEqual([false, 0]);
  });

  test('is waited for three seconds, whether the request heeds that or not', async () => {
    const { fate, clock, requests } = asking(never);
    await clock.advanceAsync(2_999);
    expect(fate.kind).toBe('pending');
    await clock.advanceAsync(1);
    expect([fate.value, requests[0]?.[1].signal?.aborted, clock.pending()]).toEqual([false, true, 0]);
  });

  test('is waited for no longer than there is time', async () => {
    const { fate, clock, controller, requests } = asking(never);
    controller.abort();
    expect([clock.pending(), requests[0]?.[1].signal?.aborted]).toEqual([0, true]);
    await microtasks();
    expect(fate.value).toBe(false);
  });

  test('is not asked for when there is no time', async () => {
    const controller = new AbortController();
    controller.abort();
    const { fate, clock, requests } = asking(never, { controller });
    await microtasks();
    expect([fate.value, clock.pending(), requests]).toEqual([false, 0, []]);
  });

  test('that answers too late changes nothing', async () => {
    const answer = deferred<Response>();
    const { fate, clock } = asking(() => answer.promise);
    await clock.advanceAsync(3_000);
    answer.resolve(new Response());
    await microtasks();
    expect(fate.value).toBe(false);
  });
});

describe('the request', () => {
  test.each([
    ['ws://host/', 'http://host/'],
    ['wss://host:8443/', 'https://host:8443/'],
    ['wss://user:s3cret@host/rooms/s3cret?token=s3cret', 'https://host/'],
  ])('for %s goes to %s', async (url, origin) => {
    const { requests } = asking(never, { url });
    await microtasks();
    expect(requests.map(([asked]) => asked)).toEqual([origin]);
  });

  test('carries nothing of the application, and asks for nothing that a page may not', async () => {
    const { requests } = asking(never);
    await microtasks();
    const [, { signal, ...init }] = requests[0] ?? ['', {}];
    expect(signal).toBeInstanceOf(AbortSignal);
    // of another origin with `no-cors` a redirect may only be followed: anything else is a network error
    expect(init).toEqual({ method: 'HEAD', mode: 'no-cors', credentials: 'omit', cache: 'no-store' });
  });
});
