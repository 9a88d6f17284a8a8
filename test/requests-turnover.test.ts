import { expect, test } from 'vitest';

import type { MessageError } from '../src/errors.ts';
import { OutboundMessage } from '../src/message.ts';
import { Requests } from '../src/requests.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

/** `sent` is called with each request that is sent. */
function asking(sent: () => { cancel?: () => boolean } = () => ({})): { clock: SimulatedClock; requests: Requests } {
  const clock = new SimulatedClock();
  const requests = new Requests({
    clock,
    replies: () => undefined,
    carriesIds: () => true,
    send: () =>
      new OutboundMessage(
        { data: '', bytes: 0, form: 'json' },
        {},
        { number: 1, now: 0, cancel: () => false, ...sent() },
      ),
    resendSafe: () => false,
    context: { connectionId: 'c', serviceType: 's' },
  });
  return { clock, requests };
}

test('a request may wait while thousands of others come and go', async () => {
  const { clock, requests } = asking();
  const first = requests.ask('first');
  for (let n = 2; n <= 5_000; n++) {
    void requests.ask(n);
    expect(requests.take('re', { re: `r${n}` })).toBe(true);
  }
  void requests.ask('last');
  // one timer for all of them
  expect([requests.size, clock.pending()]).toEqual([2, 1]);
  expect(requests.take('re first', { re: 'r1' })).toBe(true);
  expect([await first, requests.size]).toEqual(['re first', 1]);
});

test('each of many requests is given up at its own time, by one timer for all', async () => {
  const { clock, requests } = asking();
  const givenUp: number[] = [];
  for (const timeoutMs of [300, 100, 200, 100, 5_000])
    requests.ask('?', { timeoutMs }).catch((error: unknown) => {
      if ((error as MessageError).code === 'REQUEST_TIMEOUT') givenUp.push(timeoutMs);
    });
  const seen: string[] = [];
  for (let step = 0; step < 4; step++) {
    expect(clock.pending()).toBe(1);
    await clock.advanceAsync(step === 0 ? 99 : step === 1 ? 1 : 100);
    seen.push(givenUp.join(' '));
  }
  expect(seen).toEqual(['', '100 100', '100 100 200', '100 100 200 300']);
  requests.end();
  expect([requests.size, clock.pending()]).toEqual([0, 0]);
});

test('a request that is given up while it is sent does not wait any more', async () => {
  const controller = new AbortController();
  let cancelled = 0;
  const { clock, requests } = asking(() => {
    controller.abort();
    return {
      cancel: () => {
        cancelled += 1;
        return true;
      },
    };
  });
  const asked = requests.ask('?', { signal: controller.signal });
  await expect(asked).rejects.toMatchObject({ code: 'REQUEST_ABORTED', outcome: 'not_sent' });
  expect([cancelled, requests.size, clock.pending()]).toEqual([1, 0, 0]);
});
