import { expect, test } from 'vitest';

import { OutboundMessage } from '../src/message.ts';
import { Requests } from '../src/requests.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

test('a request may wait while thousands of others come and go', async () => {
  const clock = new SimulatedClock();
  const requests = new Requests({
    clock,
    replies: () => undefined,
    carriesIds: () => true,
    send: () =>
      new OutboundMessage({ data: '', bytes: 0, form: 'json' }, {}, { number: 1, now: 0, cancel: () => false }),
    resendSafe: () => false,
    context: { connectionId: 'c', serviceType: 's' },
  });
  const first = requests.ask('first');
  for (let n = 2; n <= 5_000; n++) {
    void requests.ask(n);
    expect(requests.take('re', { re: `r${n}` })).toBe(true);
  }
  void requests.ask('last');
  expect([requests.size, clock.pending()]).toEqual([2, 2]);
  expect(requests.take('re first', { re: 'r1' })).toBe(true);
  expect([await first, requests.size]).toEqual(['re first', 1]);
});
