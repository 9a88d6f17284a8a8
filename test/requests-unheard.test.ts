import { describe, expect, test } from 'vitest';

import { OutboundMessage } from '../src/message.ts';
import type { ReplyMatcher } from '../src/protocol/profile.ts';
import { Requests } from '../src/requests.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

const byId: ReplyMatcher<unknown, unknown> = {
  tag: (message) => {
    if (message === 'no JSON') throw new TypeError('cannot be tagged');
    return message;
  },
  idOf: () => undefined,
};

function requestsWith(replies: ReplyMatcher<unknown, unknown> | undefined): {
  requests: Requests;
  clock: SimulatedClock;
} {
  const clock = new SimulatedClock();
  const requests = new Requests({
    clock,
    replies: () => replies,
    carriesIds: () => false,
    send: () =>
      new OutboundMessage({ data: '', bytes: 0, form: 'text' }, {}, { number: 1, now: 0, cancel: () => false }),
    resendSafe: () => false,
    context: {},
  });
  return { requests, clock };
}

/** A signal that nobody can listen to. */
function deafSignal(): AbortSignal {
  const { signal } = new AbortController();
  signal.addEventListener = () => {
    throw new TypeError('nobody listens here');
  };
  return signal;
}

/** What the process is told of rejections that nobody listens to, while it does something. */
async function unhandledBy(act: () => void): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const hear = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', hear);
  act();
  // they are told when the microtasks are done
  await new Promise(setImmediate);
  process.off('unhandledRejection', hear);
  return unhandled;
}

describe('a request that nobody waits for (pain 46)', () => {
  test.each<[why: string, ask: (desk: ReturnType<typeof requestsWith>) => unknown]>([
    [
      'its deadline',
      ({ requests, clock }) => {
        void requests.ask('a', { timeoutMs: 10 });
        clock.advance(10);
      },
    ],
    [
      'the end of its connection',
      ({ requests }) => {
        void requests.ask('a');
        requests.end();
      },
    ],
    ['a signal that was aborted before', ({ requests }) => requests.ask('a', { signal: AbortSignal.abort() })],
    ['a tag that throws', ({ requests }) => requests.ask('no JSON')],
    ['a signal that throws', ({ requests }) => requests.ask('a', { signal: deafSignal() })],
    ['a wire without replies', () => requestsWith(undefined).requests.ask('a')],
  ])('ends by %s, and that is no unhandled rejection', async (_, ask) => {
    const desk = requestsWith(byId);
    expect(await unhandledBy(() => ask(desk))).toEqual([]);
    expect([desk.requests.size, desk.clock.pending()]).toEqual([0, 0]);
  });

  test('rejects all the same, also when its signal throws', async () => {
    const { requests } = requestsWith(byId);
    await expect(requests.ask('a', { signal: deafSignal() })).rejects.toThrow('nobody listens here');
  });
});
