import { describe, expect, test, vi } from 'vitest';

import { HoldfastError } from '../../src/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import { PlainServer } from '../../src/testing/plain-server.ts';
import { LAST_WORD, payloadOf, tagOf } from '../../src/testing/payload.ts';
import { SPEECH } from '../../src/testing/server-app.ts';
import type { SimulatedClient } from '../support/simulated-client.ts';
import { AppsRig } from '../support/simulated-apps.ts';

const MESSAGE = {
  connection: 'simulated:t',
  mayRepeat: false,
  lane: 'one',
  kind: 'message',
  excuses: [],
  isLast: false,
} as const;

/** Sends a message that the book knows. @returns What becomes of it, once it is told. */
function sendUp(rig: AppsRig, client: SimulatedClient, tag: string): { outcome?: string; at?: number } {
  const text = payloadOf(tag, new Chance(1));
  rig.book.sentUp({ ...MESSAGE, tag, content: { text } });
  const end: { outcome?: string; at?: number } = {};
  void client.connection.send(text).settled.then(({ outcome }) => {
    Object.assign(end, { outcome, at: rig.history.at });
  });
  return end;
}

describe('the application on a server', () => {
  test('lets in whoever has the token, for as long as that is good', async () => {
    const rig = new AppsRig({ server: { isWelcome: (token) => token === 'good', credentialsMs: 5_000 } });
    const { authenticate } = rig.serverApp.serve({ number: 1, isOver: false });
    const meet = (auth: string): unknown => authenticate({ auth, meta: {} } as never);
    expect(await meet('bad')).toBeNull();
    expect(await meet('good')).toEqual({ principal: 'client', expiresAt: rig.clock.now() + 5_000 });
    const endless = new AppsRig().serverApp.serve({ number: 1, isOver: false });
    expect(await endless.authenticate({ auth: 'any', meta: {} } as never)).toEqual({ principal: 'client' });
  });

  test('writes down what it gets, with the place where', async () => {
    const rig = new AppsRig();
    const client = rig.client();
    await rig.pass();
    const end = sendUp(rig, client, 'c1');
    await rig.pass();
    expect([rig.times(/n1\/1 \(.{5}\) gets c1/), end.outcome, rig.breach]).toEqual([1, 'acknowledged', undefined]);
  });

  test.each(['hello', { id: 1 }, new Uint8Array([1, 2, 3])])(
    'lets %j pass, which is none of its own',
    async (foreign) => {
      const rig = new AppsRig();
      const client = rig.client();
      await rig.pass();
      client.connection.send(foreign);
      await rig.pass();
      expect([rig.breach, client.connection.status.messages.acknowledged]).toEqual([undefined, 1]);
    },
  );

  test('answers a last word with one of its own, which must be heard', async () => {
    const rig = new AppsRig();
    const client = rig.client();
    await rig.pass();
    const text = `c1 ${LAST_WORD}`;
    rig.book.sentUp({ ...MESSAGE, tag: 'c1', content: { text }, isLast: true });
    const heard: unknown[] = [];
    client.connection.subscribe((message) => heard.push(message));
    client.connection.send(text);
    await rig.pass();
    expect([heard, rig.breach]).toEqual([[`s1 ${LAST_WORD}`], undefined]);
    rig.book.toldUp('c1', 'acknowledged');
    rig.book.close();
    expect(rig.breach).toBe('nothing went wrong any more, and nobody heard s1');
  });

  test('reports what nobody sent', async () => {
    const rig = new AppsRig();
    const client = rig.client();
    await rig.pass();
    client.connection.send('c9 from nowhere');
    await rig.pass();
    expect(rig.breach).toMatch(/gets c9, which nobody sent$/);
  });

  test('answers what asks with its tag', async () => {
    const rig = new AppsRig();
    const client = rig.client();
    await rig.pass();
    rig.book.sentUp({ ...MESSAGE, tag: 'r1', kind: 'request', lane: null, content: { text: 'r1 what?' } });
    const answered = client.connection.request('r1 what?');
    await rig.pass();
    await expect(answered).resolves.toBe('re:r1');
    expect([rig.times('gets r1'), rig.breach]).toEqual([1, undefined]);
  });

  test('acknowledges what it is through with, where it is slow, and what it got, where it is not', async () => {
    const took: number[] = [];
    for (const isSlow of [false, true]) {
      const rig = new AppsRig({ server: { isSlow } });
      const client = rig.client();
      await rig.pass();
      const ends = ['c1', 'c2', 'c3', 'c4'].map((tag) => sendUp(rig, client, tag));
      const sentAt = rig.history.at;
      await rig.pass(5_000);
      took.push(Math.max(...ends.map(({ at = Infinity }) => at - sentAt)));
    }
    const [fast = NaN, slow = NaN] = took;
    expect(slow - fast).toBeGreaterThan(20);
    expect(slow - fast).toBeLessThanOrEqual(4 * 40);
  });

  test('sends to whoever is there, and hears what became of it', async () => {
    const rig = new AppsRig();
    const chance = new Chance(5);
    expect(rig.serverApp.send(chance)).toBe(false);
    const { app } = rig.clientApp();
    await rig.pass();
    for (let count = 0; count < 40; count++) expect(rig.serverApp.send(chance)).toBe(true);
    await rig.pass(10_000);
    expect(app.unrest).toBeNull();
    expect(rig.times(/simulated:t gets s\d+/)).toBe(40);
    expect(rig.times(/a server is told that s\d+ is acknowledged/)).toBe(40);
    expect(rig.breach).toBeUndefined();
  });

  test('asks now and then, and fails to get an answer from whoever gives none', async () => {
    const rig = new AppsRig();
    const { client } = rig.clientApp();
    await rig.pass();
    const chance = new Chance(5);
    client.connection.onRequest(() => new Promise(() => undefined));
    for (let count = 0; count < 60; count++) rig.serverApp.send(chance);
    await rig.pass(10_000);
    const asked = rig.times(/a server is told that s\d+ is unknown/);
    expect(asked).toBeGreaterThan(0);
    expect([rig.times(/is acknowledged/), rig.breach]).toEqual([60 - asked, undefined]);
  });

  test('has nobody any more once its server has died, and counts nothing of that life', async () => {
    const rig = new AppsRig();
    const begins = vi.spyOn(rig.book, 'begins');
    const client = rig.client();
    await rig.pass();
    const [place = '', session = ''] = begins.mock.calls[0] ?? [];
    rig.book.sentUp({ ...MESSAGE, tag: 'c1', content: { text: 'c1' } });
    rig.book.hadUp('c1', place, { text: 'c1' });
    // its next life may have it again
    rig.server.crash();
    rig.server.start();
    expect(rig.serverApp.send(new Chance(1))).toBe(false);
    rig.book.begins('here', session);
    rig.book.hadUp('c1', 'here', { text: 'c1' });
    expect(rig.breach).toBeUndefined();
    void client.service.destroy();
    await rig.pass(10_000);
    expect(rig.times('a server is told')).toBe(0);
  });

  test('has a session no more when it has ended', async () => {
    const rig = new AppsRig();
    const client = rig.client();
    await rig.pass();
    expect(rig.serverApp.send(new Chance(1))).toBe(true);
    void client.service.destroy();
    await rig.pass(10_000);
    expect(rig.serverApp.send(new Chance(1))).toBe(false);
  });

  test('takes what its server reports for a breach, unless that is dead', () => {
    const rig = new AppsRig();
    const error = new HoldfastError('LISTENER_THREW', { cause: new Error('why') });
    rig.serverApp.serve({ number: 1, isOver: true }).onError?.(error);
    expect(rig.breach).toBeUndefined();
    rig.serverApp.serve({ number: 2, isOver: false }).onError?.(error);
    expect(rig.breach).toBe('n1 reports LISTENER_THREW: Error: why');
  });
});

describe('the application on a plain server', () => {
  /** A socket at it, and what that hears. */
  function plain() {
    const rig = new AppsRig({ wire: 'plain' });
    const server = new PlainServer('plain', rig.serverApp.opened);
    const heard: string[] = [];
    const events = server.accept({
      bufferedBytes: 0,
      send: (data) => heard.push(String(data)),
      batch: () => undefined,
      close: () => undefined,
      terminate: () => undefined,
    });
    return { rig, heard, events };
  }

  test('writes down what it gets, text or bytes', () => {
    const { rig, events } = plain();
    for (const text of ['c1 text', 'c2 bytes']) rig.book.sentUp({ ...MESSAGE, tag: tagOf(text), content: { text } });
    events.received('c1 text');
    events.received(new TextEncoder().encode('c2 bytes').buffer);
    expect([rig.times('n1/1 gets c1'), rig.times('n1/1 gets c2'), rig.breach]).toEqual([1, 1, undefined]);
  });

  test('answers a probe, and does not listen to who would rather speak a better wire', () => {
    const { rig, heard, events } = plain();
    events.received(SPEECH.ping?.() as string);
    expect(heard.map((answer) => SPEECH.isPong?.(answer))).toEqual([true]);
    events.received('{"t":"hello"}');
    expect([heard.length, rig.breach, rig.times('gets')]).toEqual([1, undefined, 0]);
  });

  test('sends to its sockets until they are gone', () => {
    const { rig, heard, events } = plain();
    expect(rig.serverApp.send(new Chance(1))).toBe(true);
    expect(heard.map(tagOf)).toEqual(['s1']);
    rig.book.heardDown('simulated:t', 's1', heard[0] ?? '');
    expect(rig.breach).toBeUndefined();
    events.closed(1000, '');
    expect(rig.serverApp.send(new Chance(1))).toBe(false);
  });
});
