import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { drawFrom } from '../../src/core/chance.ts';
import type { WebSocketConstructor } from '../../src/index.ts';
import { startClient } from '../support/client.ts';
import { pause, until } from '../support/deadline.ts';
import { startProxy } from '../support/proxy.ts';
import { freePort, startServer } from '../support/server.ts';

const ROUNDS = 12;
const PER_ROUND = 60;

/** Whole numbers from 0 to below a limit, the same ones for the same seed. */
function dice(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    const { seed: next, draw } = drawFrom(state);
    state = next;
    return Math.floor(draw * limit);
  };
}

/** The socket class of `ws`, and each message that it was handed, in order. */
function recordingSocket(): { Recording: WebSocketConstructor; handed: string[] } {
  const handed: string[] = [];
  class Recording extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      const handOver = this.send.bind(this);
      Object.assign(this, {
        send: (data: string) => {
          handOver(data);
          handed.push(data);
        },
      });
    }
  }
  return { Recording, handed };
}

describe('messages over random drops', () => {
  test.each([1, 2, 3])(
    'are each handed over once and in order, and those that wait all arrive, seed %i (original fault 5) (original fault 8) (original fault 9)',
    async (seed) => {
      const roll = dice(seed);
      const server = await startServer();
      const proxy = await startProxy(server.port);
      const { Recording, handed } = recordingSocket();
      const client = startClient({ url: proxy.url, retry: { baseMs: 2, capMs: 10 } }, { WebSocket: Recording });
      const drops = [
        () => {
          server.terminate();
        },
        () => {
          server.close(1001);
        },
        () => {
          server.close(1000);
        },
        () => {
          proxy.cut();
        },
      ];
      const fates = new Map<number, string>();
      const waited: number[] = [];
      let next = 0;

      // the number of the message says which it is, on the wire too
      function send(): void {
        const n = next++;
        const waits = client.state !== 'open';
        const receipt = client.connection.send(String(n));
        if (waits) waited.push(n);
        receipt.settled.then(
          ({ outcome }) => fates.set(n, outcome),
          () => fates.set(n, 'dropped'),
        );
      }

      client.service.on('closed', send);
      void client.connect();
      for (let round = 1; round <= ROUNDS; round++) {
        await client.nth('opened', round);
        const dropAt = roll(PER_ROUND);
        for (let n = 0; n < PER_ROUND; n++) {
          if (n === dropAt) drops[roll(drops.length)]?.();
          send();
          if (roll(4) === 0) await pause(roll(3));
          const { accepted, sent, dropped, waiting } = client.connection.status.messages;
          expect(accepted).toBe(sent + dropped + waiting);
        }
        await client.nth('closed', round);
        // the next drop must not take what waited for this one to be over
        await client.nth('opened', round + 1);
        await until('what waited is there', () => waited.every((n) => server.received.includes(String(n))));
      }

      await until('every fate is told', () => fates.size === next);
      const numbers = Array.from({ length: next }, (_, n) => n);
      expect(new Set(fates.values())).toEqual(new Set(['sent']));
      expect(handed.map(Number)).toEqual(numbers);
      // what was in the wire at a drop may be lost; nothing comes twice and nothing overtakes
      const arrived = server.received.map(Number);
      expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
      expect(waited.length).toBeGreaterThanOrEqual(ROUNDS);
      expect(arrived).toEqual(expect.arrayContaining(waited));
      expect(client.connection.status.messages).toMatchObject({ accepted: next, sent: next, dropped: 0, waiting: 0 });
    },
  );
});

describe('messages sent while the connection is not open', () => {
  test('arrive in order once it is (original fault 5)', async () => {
    const port = await freePort();
    const client = startClient({ url: `ws://127.0.0.1:${port}` });
    void client.connect();
    await client.reaches('backoff');
    const sent = Array.from({ length: 100 }, (_, n) => client.service.sendMessage('main', String(n)));
    expect(client.connection.status.messages).toMatchObject({ accepted: 100, sent: 0, waiting: 100 });
    const server = await startServer({ port });
    await Promise.all(sent);
    await until('the messages are there', () => server.received.length === 100);
    expect(server.received).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
  });

  test('resolve no earlier than a socket has them (original fault 6)', async () => {
    const port = await freePort();
    const client = startClient({ url: `ws://127.0.0.1:${port}` });
    void client.connect();
    await client.reaches('backoff');
    let isResolved = false;
    const sent = client.service.sendMessage('main', 'patience').then(() => (isResolved = true));
    await client.nth('retrying', 4);
    expect(isResolved).toBe(false);
    await startServer({ port });
    await sent;
    expect(client.state).toBe('open');
  });

  test.each([
    ['disconnect()', 'CONNECTION_ENDED'],
    ['destroy()', 'SERVICE_DESTROYED'],
  ])('are each told of their end by %s (original fault 6) (pain 17)', async (end, code) => {
    const client = startClient({ url: `ws://127.0.0.1:${await freePort()}` });
    void client.connect();
    await client.reaches('backoff');
    const { connection } = client;
    const sent = [1, 2, 3].map((n) => client.service.sendMessage('main', n));
    await (end === 'destroy()' ? client.service.destroy() : client.service.disconnect('main'));
    for (const fate of sent) await expect(fate).rejects.toMatchObject({ code, outcome: 'not_sent' });
    expect(connection.status.messages).toMatchObject({
      accepted: 3,
      sent: 0,
      dropped: 3,
      droppedBy: { [code]: 3 },
      waiting: 0,
    });
  });
});
