import { drawFrom } from '../../src/core/chance.ts';
import { PRIORITIES, type Priority } from '../../src/core/queue.ts';
import type { MessageError, Receipt, SendOptions } from '../../src/index.ts';
import type { TestClient } from './client.ts';
import { until } from './deadline.ts';
import type { TestServer } from './server.ts';

const LUMP = 100;
const THIN = '.'.repeat(1_000);
// a few lumps of these fill the buffers of the kernel, and then that of the socket
const FAT = '.'.repeat(60_000);

/** A whole number below another, by chance. */
export type Pick = (below: number) => number;

/**
 * Runs a test with chance of its own. Every failure names the seed; the environment variable `HOLDFAST_SEED` repeats a
 * run, as far as the network does.
 */
export async function seeded(run: (pick: Pick) => Promise<void>): Promise<void> {
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  let state = seed;
  try {
    await run((below) => {
      const drawn = drawFrom(state);
      state = drawn.seed;
      return Math.floor(drawn.draw * below);
    });
  } catch (error) {
    if (error instanceof Error) error.message = `[HOLDFAST_SEED=${seed}] ${error.message}`;
    throw error;
  }
}

/** A message that was sent in a storm. */
export interface StormMessage {
  /** As the server hears it, without its padding. */
  text: string;
  lane: Priority;
  receipt: Receipt;
}

/** Breaks every connection to a server, without a goodbye. */
function cut(server: TestServer): void {
  for (const socket of server.tcp) socket.resetAndDestroy();
}

/** Ends every connection by the server's own will, with a goodbye that it reads the answer to. */
export function bidFarewell(server: TestServer): void {
  server.close(1001);
  for (const socket of server.sockets) socket.resume();
}

/** Every way in which a connection is dropped. */
export const DROPS: readonly ((server: TestServer) => void)[] = [
  cut,
  bidFarewell,
  (server) => {
    server.terminate();
  },
];

export interface StormOptions {
  client: TestClient;
  server: TestServer;
  messages: number;
  pick: Pick;
  /** The ways in which the connection is dropped. The first of them is the first to happen. */
  drops: readonly ((server: TestServer) => void)[];
  /** How a message is sent, beside its lane. */
  treat?: (text: string) => SendOptions;
  /** Called while the connection is down for certain, with what has been sent so far. */
  whileDown?: (sent: readonly StormMessage[]) => void;
}

export interface StormReport {
  sent: StormMessage[];
  /** Texts in the order in which the server heard them, without their padding. */
  heard: string[];
  drops: number;
  /** Moments in which the counters did not add up. */
  imbalances: string[];
}

/**
 * Sends messages of all lanes over an open connection that is dropped at instants of chance, until the last is settled. The
 * first drop and a third of the others hit a socket whose buffer is full, for its peer had stopped reading.
 */
export async function storm(options: StormOptions): Promise<StormReport> {
  const { client, server, messages, pick, drops, treat = () => ({}), whileDown } = options;
  const imbalances = watchBalance(client);
  const sent: StormMessage[] = [];
  let dropped = 0;

  function sendLump(padding = THIN): void {
    for (let count = 0; count < LUMP && sent.length < messages; count++) {
      const lane = PRIORITIES[pick(PRIORITIES.length)] ?? 'normal';
      const text = `${lane} ${sent.length}`;
      const receipt = client.connection.send(`${text} ${padding}`, { ...treat(text), priority: lane });
      sent.push({ text, lane, receipt });
    }
    imbalances.look('after a lump');
  }

  async function jam(forGood: boolean): Promise<void> {
    for (const socket of server.sockets) socket.pause();
    while (client.connection.status.flow === 'flowing' && sent.length < messages) {
      sendLump(FAT);
      await turns(3);
    }
    if (forGood) return;
    // some of what the socket holds leaves after all, and nobody has looked yet
    for (const socket of server.sockets) socket.resume();
    await turns(1 + pick(5));
  }

  async function drop(): Promise<void> {
    const openings = client.of('opened').length;
    const isFirst = dropped++ === 0;
    if (isFirst || pick(3) === 0) await jam(isFirst || pick(2) === 0);
    drops[isFirst ? 0 : pick(drops.length)]?.(server);
    // every other loss is waited for, and more is sent while it is known
    if (dropped % 2 === 0) return;
    await client.nth('closed', openings);
    sendLump();
    whileDown?.(sent);
    await client.nth('opened', openings + 1);
  }

  while (sent.length < messages) {
    sendLump();
    if (pick(4) === 0) await drop();
    // so that some of it leaves
    await turns(1 + pick(8));
  }
  await client.connection.drainQueue({ timeoutMs: 20_000 });
  imbalances.look('in the end');
  // whatever the network still holds has to arrive before anybody counts
  await client.connection.close();
  await until('the server hears no more', () => server.sockets.size === 0);
  const heard = server.received.map((frame) => String(frame).split(' ', 2).join(' '));
  return { sent, heard, drops: dropped, imbalances: imbalances.seen };
}

// turns of the event loop
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/** Places in the order of sending of one lane's messages, in the order in which each was first heard. */
export function firstArrivals(heard: readonly string[], lane: Priority): number[] {
  const ofLane = heard.filter((text) => text.startsWith(`${lane} `));
  return [...new Set(ofLane)].map((text) => Number(text.split(' ')[1]));
}

/** What became of each message, as its receipt tells: `sent`, or the code of its error. */
export async function endings(sent: readonly StormMessage[]): Promise<Map<StormMessage, string>> {
  const told = await Promise.all(
    sent.map(async (message) => {
      const ending = await message.receipt.settled.then(
        ({ outcome }) => outcome,
        (error: unknown) => (error as MessageError).code,
      );
      return [message, ending] as const;
    }),
  );
  return new Map(told);
}

/** How often each of some words occurs. */
export function tally(words: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

// inside every event, too: whoever asks there must find the books balanced as well
function watchBalance(client: TestClient): { seen: string[]; look: (when: string) => void } {
  const seen: string[] = [];
  const look = (when: string): void => {
    const { accepted, sent, dropped, droppedBy, unknown, waiting } = client.connection.status.messages;
    const byReason = Object.values(droppedBy).reduce((sum, count) => sum + count, 0);
    if (accepted !== sent + dropped + unknown + waiting || byReason !== dropped)
      seen.push(
        `${when}: ${accepted} accepted, ${sent} sent, ${dropped} dropped, ${unknown} unknown, ${waiting} waiting`,
      );
  };
  for (const type of ['opened', 'closed', 'retrying', 'status', 'flow', 'overflowed', 'undelivered'] as const)
    client.service.on(type, () => {
      look(`in ${type}`);
    });
  return { seen, look };
}
