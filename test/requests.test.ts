import { describe, expect, test } from 'vitest';

import { MessageError } from '../src/errors.ts';
import { OutboundMessage } from '../src/message.ts';
import type { ReplyMatcher } from '../src/protocol/profile.ts';
import type { SendOptions } from '../src/receipt.ts';
import { Requests } from '../src/requests.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { fateOf, microtasks } from './support/service.ts';

interface Call {
  id?: string;
  say: string;
}

const byId: ReplyMatcher<Call, Call> = {
  tag: (message, id) => ({ ...message, id }),
  idOf: ({ id }) => id,
};
const inOrder: ReplyMatcher<Call, Call> = { answers: (message, request) => message.say === `re ${request.say}` };

class Desk {
  readonly clock = new SimulatedClock();
  readonly requests: Requests;
  /** Every sending, the latest last. */
  readonly sent: { message: Call; options: SendOptions; r: string | undefined; receipt: OutboundMessage }[] = [];
  resendSafe = false;
  carriesIds = false;
  /** What the queue answers a message with. */
  refusal: MessageError | undefined;

  constructor(replies: ReplyMatcher<Call, Call> | null = byId, prefix?: string) {
    this.requests = new Requests({
      clock: this.clock,
      ...(prefix !== undefined && { prefix }),
      replies: () => replies ?? undefined,
      carriesIds: () => this.carriesIds,
      send: (message, options, meta) => {
        const receipt = new OutboundMessage({ data: '', bytes: 0, form: 'text' }, options, {
          number: this.sent.length + 1,
          now: 0,
          cancel: (own) => {
            if (own.fate !== 'waiting') return false;
            own.ended(own.isInDoubt ? 'unknown' : 'dropped', new MessageError('SEND_CANCELLED'));
            return true;
          },
        });
        if (this.refusal) receipt.ended('dropped', this.refusal);
        this.sent.push({ message: message as Call, options, r: meta?.r, receipt });
        return receipt;
      },
      resendSafe: () => this.resendSafe,
      context: { connectionId: 'c', serviceType: 's' },
    });
  }

  ask(say: string, options: Parameters<Requests['ask']>[1] = {}) {
    return fateOf(this.requests.ask({ say }, options));
  }

  /** The message of the latest sending has this fate now. */
  becomes(fate: 'sent' | 'dropped' | 'unknown', index = this.sent.length - 1): void {
    const { receipt } = this.sent[index] ?? {};
    const code = fate === 'unknown' ? 'OUTCOME_UNKNOWN' : 'EXPIRED';
    receipt?.ended(
      fate,
      fate === 'sent' ? undefined : new MessageError(code, { outcome: fate === 'unknown' ? 'unknown' : 'not_sent' }),
    );
  }
}

describe('a request', () => {
  test('resolves with the message that echoes its id, and takes it from everybody else (original fault 18)', async () => {
    const d = new Desk();
    const [one, other] = [d.ask('one'), d.ask('other')];
    expect(d.sent.map(({ message }) => message)).toEqual([
      { say: 'one', id: 'r1' },
      { say: 'other', id: 'r2' },
    ]);
    const taken = ['r2', 'r9', 'r2', undefined, 'r1'].map((id) => d.requests.take({ say: `re ${id}`, id }));
    await microtasks();
    expect(taken).toEqual([true, false, false, false, true]);
    expect([one, other]).toMatchObject([{ value: { say: 're r1' } }, { value: { say: 're r2' } }]);
    expect([d.requests.size, d.clock.pending()]).toEqual([0, 0]);
  });

  test('where no id is echoed, is the longest waiting one that a message answers (original fault 18)', async () => {
    const d = new Desk(inOrder);
    const fates = ['a', 'b', 'a'].map((say) => d.ask(say));
    expect(['re b', 're a', 're c'].map((say) => d.requests.take({ say }))).toEqual([true, true, false]);
    await microtasks();
    expect(fates.map(({ kind }) => kind)).toEqual(['resolved', 'resolved', 'pending']);
  });

  test('is refused where no reply can be told, and is not sent (original fault 18)', async () => {
    const d = new Desk(null);
    const fate = d.ask('x');
    await microtasks();
    expect(fate.error).toMatchObject({ code: 'NO_CORRELATION', outcome: 'not_sent' });
    expect([d.sent, d.clock.pending()]).toEqual([[], 0]);
  });

  test('that cannot be tagged is refused, and holds no timer', async () => {
    const throwing = {
      ...byId,
      tag: () => {
        throw new TypeError('frozen');
      },
    };
    const d = new Desk(throwing);
    const fate = d.ask('x');
    await microtasks();
    expect(fate.error).toMatchObject({ code: 'NOT_ENCODABLE', outcome: 'not_sent', cause: new TypeError('frozen') });
    expect([d.sent, d.clock.pending(), d.requests.size]).toEqual([[], 0, 0]);
  });

  test('is sent with what was said of it, but its deadline and its signal, which are its own', () => {
    const d = new Desk();
    d.ask('x', {
      priority: 'high',
      ttlMs: 5,
      idempotencyKey: 'k',
      timeoutMs: 10,
      signal: new AbortController().signal,
    });
    expect(d.sent[0]?.options).toEqual({ priority: 'high', ttlMs: 5, idempotencyKey: 'k' });
  });
});

describe('a request on a wire that carries ids', () => {
  function carrying(replies: ReplyMatcher<Call, Call> | null = null, prefix?: string): Desk {
    const d = new Desk(replies, prefix);
    d.carriesIds = true;
    return d;
  }

  test('needs no profile: the message that names its id is the reply, and nobody else’s', async () => {
    const d = carrying();
    const fates = [d.ask('a'), d.ask('b')];
    expect(d.sent.map(({ message, r }) => [message, r])).toEqual([
      [{ say: 'a' }, 'r1'],
      [{ say: 'b' }, 'r2'],
    ]);
    const taken = ['r2', 'r2', 'r9', undefined].map((re) => d.requests.take({ say: 'done' }, re ? { re } : {}));
    await microtasks();
    expect([taken, fates.map(({ kind }) => kind)]).toEqual([
      [true, false, false, false],
      ['pending', 'resolved'],
    ]);
  });

  test('is refused by a reply that says so: with its code, and its words as the cause', async () => {
    const d = carrying();
    const fate = d.ask('x');
    expect(d.requests.take('no such thing', { re: 'r1', h: { error: 'NOT_FOUND' } })).toBe(true);
    await microtasks();
    expect(fate.error).toMatchObject({ code: 'REQUEST_REFUSED', outcome: 'rejected', cause: 'no such thing' });
    expect((fate.error as Error).message).toContain('NOT_FOUND');
    expect([d.requests.size, d.clock.pending()]).toEqual([0, 0]);
  });

  test('is tagged as its profile says as well, and has its reply by either', async () => {
    const d = carrying(byId);
    const fates = [d.ask('a'), d.ask('b')];
    expect(d.sent[0]).toMatchObject({ message: { say: 'a', id: 'r1' }, r: 'r1' });
    d.requests.take({ say: 'done', id: 'r2' });
    d.requests.take({ say: 'done' }, { re: 'r1' });
    await microtasks();
    expect(fates.map(({ kind }) => kind)).toEqual(['resolved', 'resolved']);
  });

  test('is sent again by the same id, and names itself apart from those of another asker (pain 18)', () => {
    const d = carrying(null, 'c2-');
    d.ask('x', { idempotencyKey: 'k' });
    d.becomes('sent');
    d.requests.lost();
    expect(d.sent.map(({ r }) => r)).toEqual(['c2-r1', 'c2-r1']);
  });

  test.each<[string, ('sent' | 'lost')[], string, string]>([
    ['waits', [], 'not_sent', 'dropped'],
    ['has left', ['sent'], 'unknown', 'sent'],
    ['has left, and waits to be sent again,', ['sent', 'lost'], 'unknown', 'dropped'],
  ])(
    'that %s when the wire turns out to carry none is refused, and taken back where it can be',
    async (_how, history, outcome, fate) => {
      const d = carrying();
      const asked = d.ask('x', { idempotencyKey: 'k' });
      for (const what of history)
        if (what === 'sent') d.becomes(what);
        else d.requests.lost();
      d.requests.uncorrelated();
      await microtasks();
      expect(asked.error).toMatchObject({ code: 'NO_CORRELATION', outcome });
      expect([d.sent.at(-1)?.receipt.fate, d.requests.size]).toEqual([fate, 0]);
      const known = carrying(byId);
      known.ask('x');
      known.requests.uncorrelated();
      expect(known.requests.size).toBe(1);
    },
  );
});

describe('a request that gets no reply', () => {
  test('in time is told so, once, and is not sent again (original fault 17) (pain 17)', async () => {
    const d = new Desk();
    const fate = d.ask('x', { timeoutMs: 200 });
    d.becomes('sent');
    await d.clock.advanceAsync(199);
    expect(fate.kind).toBe('pending');
    await d.clock.advanceAsync(3_000);
    expect(fate.error).toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'unknown', connectionId: 'c' });
    expect([d.sent.length, d.requests.size, d.clock.pending()]).toEqual([1, 0, 0]);
    expect(d.requests.take({ say: 'late', id: 'r1' })).toBe(false);
  });

  test('waits for half a minute, when nothing else is said', async () => {
    const d = new Desk();
    const fate = d.ask('x');
    await d.clock.advanceAsync(29_999);
    expect(fate.kind).toBe('pending');
    await d.clock.advanceAsync(1);
    expect(fate.kind).toBe('rejected');
  });

  test('and waits still when its time is up is taken back: it will not be acted on', async () => {
    const d = new Desk();
    const fate = d.ask('x', { timeoutMs: 200 });
    await d.clock.advanceAsync(200);
    expect(fate.error).toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not_sent' });
    expect(d.sent[0]?.receipt.fate).toBe('dropped');
  });

  test.each<[string, 'sent' | null, string]>([
    ['while it waits', null, 'not_sent'],
    ['once it has left', 'sent', 'unknown'],
  ])('can be abandoned %s, and its outcome says what is known (pain 56)', async (_when, fate, outcome) => {
    const d = new Desk();
    const controller = new AbortController();
    const asked = d.ask('x', { signal: controller.signal });
    if (fate) d.becomes(fate);
    controller.abort('enough');
    await microtasks();
    expect(asked.error).toMatchObject({ code: 'REQUEST_ABORTED', outcome, cause: 'enough' });
    expect(d.clock.pending()).toBe(0);
  });

  test('because its signal was aborted before is not sent (pain 56)', async () => {
    const d = new Desk();
    const asked = d.ask('x', { signal: AbortSignal.abort() });
    await microtasks();
    expect(asked.error).toMatchObject({ code: 'REQUEST_ABORTED', outcome: 'not_sent' });
    expect(d.sent).toEqual([]);
  });

  test('because its message was dropped says why that was (pain 17)', async () => {
    const d = new Desk();
    const asked = d.ask('x');
    d.becomes('dropped');
    await microtasks();
    expect(asked.error).toMatchObject({ code: 'EXPIRED', outcome: 'not_sent' });
    d.refusal = new MessageError('QUEUE_FULL');
    const refused = d.ask('y');
    await microtasks();
    expect(refused.error).toBe(d.refusal);
    expect([d.requests.size, d.clock.pending()]).toEqual([0, 0]);
  });
});

describe('a lost socket', () => {
  test('ends the requests that have left on it, and no other: they may have been acted on (original fault 31) (pain 17)', async () => {
    const d = new Desk();
    const left = d.ask('left');
    d.becomes('sent');
    const doubtful = d.ask('doubtful');
    d.becomes('unknown');
    const waiting = d.ask('waiting');
    d.requests.lost();
    await microtasks();
    expect([left.error, doubtful.error]).toMatchObject([
      { code: 'REPLY_LOST', outcome: 'unknown' },
      { code: 'REPLY_LOST', outcome: 'unknown' },
    ]);
    expect([waiting.kind, d.sent.length, d.requests.size]).toEqual(['pending', 3, 1]);
  });

  test('has a keyed request sent again, and its reply is the reply (pain 18)', async () => {
    const d = new Desk();
    const asked = d.ask('x', { idempotencyKey: 'k' });
    d.becomes('sent');
    d.requests.lost();
    expect(d.sent.map(({ message }) => message)).toEqual([
      { say: 'x', id: 'r1' },
      { say: 'x', id: 'r1' },
    ]);
    d.requests.take({ say: 'done', id: 'r1' });
    await microtasks();
    expect(asked.value).toEqual({ say: 'done', id: 'r1' });
  });

  test('has any request sent again, where the peer takes every message twice', () => {
    const d = new Desk();
    d.resendSafe = true;
    d.ask('x');
    d.becomes('sent');
    d.requests.lost();
    expect(d.sent).toHaveLength(2);
  });

  test.each<[string, (d: Desk) => void]>([
    [
      'is dropped',
      (d) => {
        d.becomes('dropped');
      },
    ],
    [
      'is refused',
      (d) => {
        d.refusal = new MessageError('CONNECTION_ENDED');
        d.becomes('sent');
        d.requests.lost();
      },
    ],
    [
      'waits when its time is up',
      (d) => {
        d.clock.advance(30_000);
      },
    ],
    [
      'waits when the connection ends',
      (d) => {
        d.requests.end();
      },
    ],
  ])(
    'leaves the outcome unknown of a keyed request whose second sending %s: the first may have been acted on',
    async (_how, ends) => {
      const d = new Desk();
      const asked = d.ask('x', { idempotencyKey: 'k' });
      d.becomes('sent');
      d.requests.lost();
      ends(d);
      await microtasks();
      expect(asked.error).toBeInstanceOf(MessageError);
      expect(asked.error).toMatchObject({ outcome: 'unknown' });
    },
  );
});

describe('a keyed request whose message goes back to the queue', () => {
  test('and is abandoned there may have been acted on all the same', async () => {
    const d = new Desk();
    const asked = d.ask('x', { idempotencyKey: 'k', timeoutMs: 200 });
    const receipt = d.sent[0]?.receipt;
    receipt?.moved('handed');
    receipt?.moved('waiting');
    await d.clock.advanceAsync(200);
    expect(asked.error).toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'unknown' });
  });
});

describe('the end of a connection', () => {
  test('ends every request of it, each with what is known of it (original fault 31) (pain 17)', async () => {
    const d = new Desk();
    const left = d.ask('left');
    d.becomes('sent');
    const handed = d.ask('handed');
    d.sent.at(-1)?.receipt.moved('handed');
    const doubtful = d.ask('doubtful');
    d.becomes('unknown');
    const waiting = d.ask('waiting');
    d.requests.end();
    await microtasks();
    const outcomes = [left, handed, doubtful, waiting].map(({ error }) => (error as MessageError).outcome);
    expect(outcomes).toEqual(['unknown', 'unknown', 'unknown', 'not_sent']);
    expect([d.requests.size, d.clock.pending()]).toEqual([0, 0]);
  });
});

describe('a signal', () => {
  test('has no listener left, however its requests ended (pain 62)', async () => {
    const listeners = new Set<unknown>();
    const { signal } = new AbortController();
    signal.addEventListener = (_type: string, listener: unknown) => void listeners.add(listener);
    signal.removeEventListener = (_type: string, listener: unknown) => void listeners.delete(listener);
    const d = new Desk();
    for (const say of ['replied', 'dropped', 'lost', 'late']) d.ask(say, { signal, timeoutMs: 50 });
    expect(listeners.size).toBe(4);
    d.becomes('sent', 2);
    d.requests.take({ say: 're', id: 'r1' });
    d.becomes('dropped', 1);
    d.requests.lost();
    await d.clock.advanceAsync(50);
    expect(listeners.size).toBe(0);
  });
});
