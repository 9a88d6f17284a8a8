import { describe, expect, test } from 'vitest';

import type { HoldfastError } from '../../src/errors.ts';
import { Mailbox, type Letter } from '../../src/server/mailbox.ts';
import type { InboundRequest } from '../../src/server/message.ts';
import { Receipt } from '../../src/server/receipt.ts';

function start() {
  const errors: HoldfastError[] = [];
  const fates: string[] = [];
  let changes = 0;
  const mailbox = new Mailbox(
    (error) => errors.push(error),
    () => (changes += 1),
  );
  const letter = (data: unknown): Letter => ({
    message: { data, position: 1 },
    bytes: 10,
    accept: () => fates.push(`${String(data)} accepted`),
    refuse: ({ code }) => fates.push(`${String(data)} ${code}`),
  });
  const request = (data: unknown): Letter & { replies: unknown[] } => {
    const replies: unknown[] = [];
    const message: InboundRequest = {
      data,
      position: 1,
      reply: (reply, options) => {
        replies.push(options?.error ?? reply);
        return new Receipt();
      },
    };
    return { ...letter(data), message, replies };
  };
  return { mailbox, errors, fates, letter, request, changes: () => changes };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a mailbox', () => {
  test('keeps messages until there is a handler, in order', () => {
    const { mailbox, letter, fates, changes } = start();
    mailbox.put(letter('a'));
    mailbox.put(letter('b'));
    expect([mailbox.size, mailbox.bytes, fates]).toEqual([2, 20, []]);
    const seen: unknown[] = [];
    mailbox.onMessage(({ data }) => seen.push(data));
    expect([seen, fates, mailbox.size, mailbox.bytes]).toEqual([['a', 'b'], ['a accepted', 'b accepted'], 0, 0]);
    expect(changes()).toBeGreaterThan(0);
  });

  test('is never in the way: what somebody takes at once waits for nothing, and changes nothing', () => {
    const { mailbox, letter, request, fates, changes } = start();
    const seen: unknown[] = [];
    mailbox.onMessage(({ data }) => {
      seen.push([data, mailbox.size]);
      // what comes inside a handler waits for it
      if (data === 'a') mailbox.put(letter('b'));
      seen.push(`${String(data)} is through`);
    });
    mailbox.put(letter('a'));
    expect(seen).toEqual([['a', 0], 'a is through', ['b', 1], 'b is through']);
    expect([fates, mailbox.size]).toEqual([['a accepted', 'b accepted'], 0]);
    const before = changes();
    mailbox.put(letter('c'));
    expect(changes()).toBe(before);
    mailbox.onRequest(({ data }) => data);
    const asked = request('now');
    mailbox.put(asked);
    expect(asked.replies).toEqual(['now']);
  });

  test('goes on when what a handler returns cannot be looked at', () => {
    const { mailbox, letter, fates, errors } = start();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    mailbox.onMessage(() => proxy);
    mailbox.put(letter('a'));
    mailbox.put(letter('b'));
    expect([fates, errors.length]).toEqual([['a accepted', 'b accepted'], 2]);
  });

  test('accepts what was received once the handler was called, whatever becomes of it', async () => {
    const { mailbox, letter, fates, errors } = start();
    mailbox.onMessage(({ data }) => {
      if (data === 'throws') throw new Error('no');
      return Promise.reject(new Error('no'));
    });
    mailbox.put(letter('throws'));
    mailbox.put(letter('rejects'));
    expect(fates).toEqual(['throws accepted', 'rejects accepted']);
    await turn();
    expect(errors.map(({ code }) => code)).toEqual(['LISTENER_THREW', 'LISTENER_THREW']);
  });

  test('accepts what is processed once its promise resolves, and refuses it when that rejects', async () => {
    const { mailbox, letter, fates, errors } = start();
    const finish: Record<string, (error?: Error) => void> = {};
    mailbox.onMessage(
      ({ data }) =>
        new Promise<void>((resolve, reject) => {
          finish[String(data)] = (error) => {
            if (error) reject(error);
            else resolve();
          };
        }),
      { acknowledge: 'processed' },
    );
    for (const data of ['a', 'b', 'c']) mailbox.put(letter(data));
    finish['b']?.();
    finish['c']?.(new Error('no'));
    await turn();
    expect([fates, errors.length]).toEqual([['b accepted', 'c HANDLER_FAILED'], 1]);
    finish['a']?.();
    await turn();
    expect(fates.at(-1)).toBe('a accepted');
  });

  test('refuses what a handler throws at when it processes', () => {
    const { mailbox, letter, fates } = start();
    mailbox.onMessage(
      () => {
        throw new Error('no');
      },
      { acknowledge: 'processed' },
    );
    mailbox.put(letter('a'));
    expect(fates).toEqual(['a HANDLER_FAILED']);
  });

  test('hands over to the newest handler, and waits again without one', () => {
    const { mailbox, letter } = start();
    const seen: string[] = [];
    const endFirst = mailbox.onMessage(() => seen.push('first'));
    const endSecond = mailbox.onMessage(() => seen.push('second'));
    endFirst();
    mailbox.put(letter('a'));
    endSecond();
    mailbox.put(letter('b'));
    expect([seen, mailbox.size]).toEqual([['second'], 1]);
  });

  test('keeps the order when a handler adds messages or another handler', () => {
    const { mailbox, letter } = start();
    const seen: unknown[] = [];
    mailbox.put(letter('a'));
    mailbox.put(letter('b'));
    mailbox.onMessage(({ data }) => {
      seen.push(data);
      if (data === 'a') {
        mailbox.put(letter('c'));
        mailbox.onMessage((message) => seen.push([message.data]));
      }
    });
    expect(seen).toEqual(['a', ['b'], ['c']]);
  });

  test('answers requests with what the handler returns, and says when it failed without saying why', async () => {
    const { mailbox, request, errors } = start();
    mailbox.onRequest(({ data }) => {
      if (data === 'bad') throw new Error('the password is x');
      return Promise.resolve([data]);
    });
    const [good, bad] = [request('good'), request('bad')];
    mailbox.put(good);
    mailbox.put(bad);
    await turn();
    expect([good.replies, bad.replies]).toEqual([[['good']], ['HANDLER_FAILED']]);
    expect(errors.map(({ code }) => code)).toEqual(['LISTENER_THREW']);
  });

  test('hands requests to the handler of messages where there is no other', () => {
    const { mailbox, request } = start();
    const asked = request('q');
    mailbox.onMessage((message) => {
      if ('reply' in message) message.reply('here');
    });
    mailbox.put(asked);
    expect(asked.replies).toEqual(['here']);
  });

  test('that is closed hands what it has to a handler that comes later', () => {
    const { mailbox, letter, changes } = start();
    mailbox.put(letter('a'));
    mailbox.close();
    const seen: unknown[] = [];
    mailbox.onMessage(({ data }) => seen.push(data));
    expect([seen, mailbox.size, changes()]).toEqual([['a'], 0, 1]);
  });

  test('that is ended forgets what it has', () => {
    const { mailbox, letter, changes } = start();
    mailbox.put(letter('a'));
    mailbox.end();
    const seen: unknown[] = [];
    mailbox.onMessage(({ data }) => seen.push(data));
    expect([seen, mailbox.size, mailbox.bytes, changes()]).toEqual([[], 0, 0, 1]);
  });

  test('keeps a message before a request until somebody takes it', () => {
    const { mailbox, letter, request } = start();
    const asked: unknown[] = [];
    const end = mailbox.onRequest(({ data }) => asked.push(data));
    mailbox.put(letter('a'));
    mailbox.put(request('q'));
    expect([asked, mailbox.size]).toEqual([[], 2]);
    mailbox.onMessage(() => undefined);
    expect([asked, mailbox.size]).toEqual([['q'], 0]);
    end();
  });

  test('hands volatile messages over now or never', () => {
    const { mailbox, letter } = start();
    mailbox.putVolatile({ data: 'lost', position: null });
    const seen: unknown[] = [];
    const end = mailbox.onMessage(({ data }) => seen.push(data));
    mailbox.putVolatile({ data: 'now', position: null });
    end();
    mailbox.put(letter('waits'));
    mailbox.putVolatile({ data: 'would overtake', position: null });
    expect(seen).toEqual(['now']);
  });

  test('hands no volatile message over while it hands over others, which came before', () => {
    const { mailbox, letter } = start();
    const seen: unknown[] = [];
    mailbox.put(letter('a'));
    mailbox.put(letter('b'));
    mailbox.onMessage(({ data }) => {
      seen.push(data);
      if (data === 'a') mailbox.putVolatile({ data: 'would overtake', position: null });
    });
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('a loop over a mailbox', () => {
  test('accepts a message when the next is asked for', async () => {
    const { mailbox, letter, fates } = start();
    const loop = mailbox[Symbol.asyncIterator]();
    mailbox.put(letter('a'));
    expect((await loop.next()).value).toMatchObject({ data: 'a' });
    expect(fates).toEqual([]);
    const next = loop.next();
    expect(fates).toEqual(['a accepted']);
    mailbox.put(letter('b'));
    expect((await next).value).toMatchObject({ data: 'b' });
  });

  test('accepts the last one when it is left', async () => {
    const { mailbox, letter, fates } = start();
    mailbox.put(letter('a'));
    mailbox.put(letter('b'));
    for await (const message of mailbox) if (message.data === 'a') break;
    expect([fates, mailbox.size]).toEqual([['a accepted'], 1]);
  });

  test('ends with the mailbox, asked or not', async () => {
    const { mailbox, letter } = start();
    const loop = mailbox[Symbol.asyncIterator]();
    const waiting = loop.next();
    mailbox.end();
    mailbox.put(letter('late'));
    mailbox.putVolatile({ data: 'late', position: null });
    expect([await waiting, await loop.next(), mailbox.size]).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
      0,
    ]);
  });

  test('ends after the last message of a mailbox that is closed, and takes none that comes later', async () => {
    const { mailbox, letter } = start();
    mailbox.put(letter('a'));
    mailbox.put(letter('b'));
    mailbox.close();
    mailbox.put(letter('late'));
    const seen: unknown[] = [];
    for await (const { data } of mailbox) seen.push(data);
    expect([seen, mailbox.size]).toEqual([['a', 'b'], 0]);
  });

  test('that waits for a mailbox which is closed ends at once', async () => {
    const { mailbox, letter } = start();
    const waiting = mailbox[Symbol.asyncIterator]().next();
    mailbox.close();
    mailbox.putVolatile({ data: 'late', position: null });
    mailbox.put(letter('late'));
    expect([await waiting, mailbox.size]).toEqual([{ done: true, value: undefined }, 0]);
  });

  test('ends when a handler closes the mailbox at the last message', async () => {
    const { mailbox, request } = start();
    const waiting = mailbox[Symbol.asyncIterator]().next();
    mailbox.onRequest(() => {
      mailbox.close();
    });
    mailbox.put(request('last'));
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  test('is given volatile messages while it waits, and nothing after it was left', async () => {
    const { mailbox, letter } = start();
    const loop = mailbox[Symbol.asyncIterator]();
    const waiting = loop.next();
    mailbox.putVolatile({ data: 'v', position: null });
    expect((await waiting).value).toMatchObject({ data: 'v' });
    const pending = loop.next();
    await loop.return?.();
    mailbox.put(letter('a'));
    expect([await pending, mailbox.size]).toEqual([{ done: true, value: undefined }, 1]);
  });
});
