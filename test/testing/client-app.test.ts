import { describe, expect, test, vi } from 'vitest';

import type { Connection, EnhancedWebSocketService } from '../../src/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import { ClientApp, type ClientAppOptions } from '../../src/testing/client-app.ts';
import { AppsRig, type AppsOptions } from '../support/simulated-apps.ts';

/** Both applications, with the client's connection open. */
async function connected(options: AppsOptions = {}) {
  const rig = new AppsRig(options);
  const ends = rig.clientApp();
  await rig.pass();
  return { rig, ...ends };
}

/** An application on a connection whose figures are made up, and what it hears. */
function madeUp(messages: Partial<Record<string, number>> = {}, options: Partial<ClientAppOptions> = {}) {
  const rig = new AppsRig();
  const { history, book, nextTag } = rig;
  const figures = { accepted: 0, sent: 0, acknowledged: 0, dropped: 0, unknown: 0, waiting: 0, ...messages };
  let hear: (message: unknown) => void = () => undefined;
  let reply: (message: unknown) => void = () => undefined;
  const answer = async (message: unknown): Promise<void> => {
    reply(message);
    await rig.pass(0);
  };
  const connection = {
    id: 'made up',
    status: { state: 'open', messages: figures },
    subscribe: (listener: typeof hear) => (hear = listener),
    onRequest: () => undefined,
    request: () => new Promise((resolve) => (reply = resolve)),
  };
  const app = new ClientApp(connection as unknown as Connection<unknown>, {
    service: { on: () => undefined } as unknown as EnhancedWebSocketService,
    history,
    book,
    nextTag,
    later: (ms, deed) => void rig.clock.setTimeout(deed, ms),
    whims: null,
    asks: false,
    isExposed: false,
    isCramped: false,
    ...options,
  });
  return {
    rig,
    app,
    answer,
    hear: (message: unknown) => {
      hear(message);
    },
  };
}

/** Chance by which it asks. */
function asking(): Chance {
  for (let seed = 0; ; seed++) if (new Chance(seed).happens(0.1)) return new Chance(seed);
}

describe('the application on a client', () => {
  test('is at rest once it is open, and nothing of it waits', async () => {
    const rig = new AppsRig();
    const { app } = rig.clientApp();
    expect(app.unrest).toBe('simulated:t is connecting');
    await rig.pass();
    expect(app.unrest).toBeNull();
    rig.device.goOffline();
    for (let count = 0; count < 5; count++) app.send(new Chance(1));
    expect(app.unrest).not.toBeNull();
    rig.device.goOnline();
    await rig.pass(60_000);
    expect([app.unrest, rig.book.open, rig.breach]).toEqual([null, null, undefined]);
  });

  test('tells how many of its messages wait', () => {
    expect(madeUp({ accepted: 3, waiting: 3 }).app.unrest).toBe('3 messages of made up wait');
    expect(madeUp({}).app.unrest).toBeNull();
  });

  test('sends in many ways, asks as well, and knows what became of everything', async () => {
    const { rig, app } = await connected();
    const chance = new Chance(7);
    for (let count = 0; count < 300; count++) {
      app.send(chance);
      if (count % 10 === 0) await rig.pass(10);
      app.checkBooks(1_000);
    }
    await rig.pass(30_000);
    app.checkFates();
    rig.book.close();
    expect([rig.breach, app.unrest, rig.book.open, rig.book.size]).toEqual([undefined, null, null, 300]);
    for (const what of [/gets c\d+/, /gets r\d+/, /told that c\d+ is not_sent/, /is acknowledged/])
      expect([what, rig.times(what) > 0]).toEqual([what, true]);
  });

  test('takes some back, at once or later, by the receipt or by a signal', async () => {
    const { rig, app } = await connected();
    const chance = new Chance(8);
    for (let round = 0; round < 4; round++) {
      rig.device.goOffline();
      for (let count = 0; count < 150; count++) app.send(chance);
      await rig.pass(3_000);
      rig.device.goOnline();
      await rig.pass(30_000);
    }
    app.checkFates();
    expect([rig.breach, rig.book.open]).toEqual([undefined, null]);
    for (const what of [/takes c\d+ back$/, /takes c\d+ back, in vain$/, /sends c\d+ .*signal/])
      expect([what, rig.times(what) > 0]).toEqual([what, true]);
  });

  test('sees a receipt that says it was taken back, and was not', async () => {
    const { rig, app } = await connected({ client: { asks: false } });
    const send = app.connection.send.bind(app.connection);
    app.connection.send = (message, options) =>
      Object.defineProperty(send(message, options), 'cancel', { value: () => true });
    for (let seed = 0; seed < 100; seed++) app.send(new Chance(seed));
    await rig.pass(5_000);
    expect(rig.breach).toMatch(/^m\d+ was taken back, and is (waiting|handed|acknowledged)$/);
  });

  test('closes now and then in the middle of an event, if it has whims, until it is calm', async () => {
    const { rig, app } = await connected({ client: { whims: new Chance(2) } });
    const talk = async (): Promise<void> => {
      for (let count = 0; count < 300; count++) {
        rig.serverApp.send(new Chance(count));
        await rig.pass(100);
      }
      await rig.pass(10_000);
    };
    await talk();
    const closings = rig.times('is closed by its application');
    expect([closings > 0, rig.breach]).toEqual([true, undefined]);
    app.calm();
    await talk();
    expect([rig.times('is closed by its application'), app.unrest, rig.breach]).toEqual([closings, null, undefined]);
  });

  test('does something once, in the middle of what it is told next', async () => {
    const { rig, app } = await connected();
    let times = 0;
    app.atNext = () => times++;
    for (let count = 0; count < 3; count++) rig.serverApp.send(new Chance(count));
    await rig.pass();
    app.close();
    await rig.pass();
    expect(times).toBe(1);
  });

  test('does not ask where nobody can answer', async () => {
    const { rig, app } = await connected({ client: { asks: false } });
    for (let count = 0; count < 100; count++) app.send(new Chance(count));
    await rig.pass(10_000);
    expect([rig.times(/r\d+/), rig.breach]).toEqual([0, undefined]);
  });

  test('waits for the answers to what it asks', async () => {
    const { rig, app, answer } = madeUp({}, { asks: true });
    const sentUp = vi.spyOn(rig.book, 'sentUp');
    app.send(asking());
    expect([app.unrest, rig.book.open]).toEqual(['1 requests of made up have no answer', 'r1']);
    rig.book.hadUp('r1', 'n1', sentUp.mock.calls[0]?.[0].content ?? { text: '' });
    await answer('re:r1');
    expect([app.unrest, rig.book.open, rig.breach]).toEqual([null, null, undefined]);
  });

  test('finds an answer that is none to its question', async () => {
    const { rig, app, answer } = madeUp({}, { asks: true });
    const sentUp = vi.spyOn(rig.book, 'sentUp');
    app.send(asking());
    rig.book.hadUp('r1', 'n1', sentUp.mock.calls[0]?.[0].content ?? { text: '' });
    await answer('re:r2');
    expect(rig.breach).toBe('r1 was answered with re:r2');
  });

  test('is told when there is no answer', async () => {
    const { rig, app } = await connected();
    app.connection.pause();
    app.send(asking());
    rig.device.goOffline();
    await rig.pass(10_000);
    expect([rig.times('told that r1 is not_sent'), rig.book.open, rig.breach]).toEqual([1, null, undefined]);
  });

  test('closes, and connects again', async () => {
    const { rig, app } = await connected();
    expect(app.isWanted).toBe(true);
    rig.serverApp.send(new Chance(1));
    await rig.pass();
    app.close();
    await rig.pass();
    expect([app.isWanted, app.unrest]).toEqual([false, 'simulated:t is closed']);
    expect(rig.times('is closed by its application')).toBe(1);
    app.connect();
    await rig.pass();
    // in another session, which nobody lost
    rig.serverApp.send(new Chance(1));
    await rig.pass();
    expect(rig.times(/simulated:t gets s\d/)).toBe(2);
    expect([app.isWanted, app.unrest, rig.breach]).toEqual([true, null, undefined]);
  });

  test('takes the loss of a session for one, and not that of a server alone', async () => {
    for (const hasStore of [false, true]) {
      const { rig, app } = await connected({ hasStore });
      rig.serverApp.send(new Chance(1));
      await rig.pass();
      rig.restart();
      await rig.pass(10_000);
      rig.serverApp.send(new Chance(1));
      await rig.pass();
      expect(rig.times('is told of a discontinuity')).toBe(hasStore ? 0 : 1);
      expect([rig.times(/simulated:t gets s\d/), app.unrest, rig.breach]).toEqual([2, null, undefined]);
    }
  });

  test('does nothing in the middle of an event unless it has whims', async () => {
    for (const whims of [null, new Chance(2)]) {
      const { rig, app } = await connected({ client: { whims } });
      const chance = new Chance(3);
      for (let count = 0; count < 50; count++) rig.serverApp.send(chance);
      await rig.pass(10_000);
      app.checkBooks(1_000);
      app.checkFates();
      const own = rig.times(/n1\/1 .* gets [cr]\d+/);
      expect([own > 0, rig.breach]).toEqual([whims !== null, undefined]);
    }
  });
});

describe('what the application on a client hears', () => {
  test('is written in the book', async () => {
    const { rig } = await connected();
    rig.serverApp.send(new Chance(1));
    await rig.pass();
    expect([rig.times('simulated:t gets s1'), rig.breach]).toEqual([1, undefined]);
  });

  test('was sent by somebody, or it is a breach, but for late replies', () => {
    const { rig, hear } = madeUp();
    hear('re:r1');
    expect(rig.breach).toBeUndefined();
    hear('s99 from nowhere');
    expect(rig.breach).toBe('made up gets s99, which nobody sent');
  });

  test('may come from anybody where it is exposed, as long as it does not speak as the server', () => {
    const { rig, hear } = madeUp({}, { isExposed: true });
    hear('noise of anybody');
    hear(new Uint8Array([1, 2, 3]).buffer);
    expect(rig.breach).toBeUndefined();
    hear('s99 from nowhere');
    expect(rig.breach).toBe('made up gets s99, which nobody sent');
  });
});

describe('the checks of the application on a client', () => {
  test('see figures that do not add up', () => {
    const good = madeUp({ accepted: 10, sent: 1, acknowledged: 2, dropped: 3, unknown: 2, waiting: 2 });
    good.app.checkBooks(2);
    expect(good.rig.breach).toBeUndefined();
    const bad = madeUp({ accepted: 10, sent: 1, acknowledged: 2, dropped: 3, unknown: 2, waiting: 1 });
    bad.app.checkBooks(2);
    expect(bad.rig.breach).toBe('made up: 10 accepted, 3 well, 5 not, 1 wait');
  });

  test('see more waiting than may', () => {
    const { rig, app } = madeUp({ accepted: 3, waiting: 3 });
    app.checkBooks(3);
    expect(rig.breach).toBeUndefined();
    app.checkBooks(2);
    expect(rig.breach).toBe('3 messages of made up wait, and 2 may');
  });

  test('see a message that has no end', async () => {
    const { rig, app } = await connected({ client: { asks: false } });
    rig.device.goOffline();
    app.send(new Chance(1));
    app.checkFates();
    expect(rig.breach).toMatch(/^c1 is (waiting|handed), and its end was told 0 times$/);
  });
});
