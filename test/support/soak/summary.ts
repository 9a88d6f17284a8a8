import { fateOf } from './accounting.ts';
import type { Books, ClientBook } from './books.ts';
import type { Inflicted } from './faults.ts';
import { WIRE_CONNECTIONS } from './scale.ts';

/** What a soak came to, for people. */
export function summaryOf(books: Books, { inflicted, heap }: { inflicted: Inflicted; heap: number[] }): string {
  const downlink = [...books.conversations.values()].reduce((sum, { outs }) => sum + outs, 0);
  const opened = books.clients.slice(0, WIRE_CONNECTIONS).flatMap((book) => book.opened);
  const lines = {
    inflicted: Object.entries(inflicted),
    lives: [['lives', books.lives]],
    wire: fatesOf(books.clients.slice(0, WIRE_CONNECTIONS)),
    plain: fatesOf(books.clients.slice(WIRE_CONNECTIONS)),
    downlink: [
      ['sent', downlink],
      ['got', books.clients.flatMap(({ got }) => [...got.values()]).reduce((sum, { length }) => sum + length, 0)],
    ],
    sessions: [
      ['opened', opened.filter(({ isResumed }) => !isResumed).length],
      ['resumed', opened.filter(({ isResumed }) => isResumed).length],
    ],
    errors: [...books.errors],
    MiB: heap.map((bytes, index) => [['client before', 'client after', 'server'][index], (bytes / 2 ** 20).toFixed(1)]),
  };
  return Object.entries(lines)
    .map(([name, pairs]) => `  ${name}: ${pairs.map(([what, count]) => `${String(what)} ${String(count)}`).join(', ')}`)
    .join('\n');
}

function fatesOf(clients: readonly ClientBook[]): [string, number][] {
  const fates = new Map<string, number>();
  for (const { sent } of clients)
    for (const message of sent.values()) {
      const name = [fateOf(message), message.fates[0]?.code].join(' ').trim();
      fates.set(name, (fates.get(name) ?? 0) + 1);
    }
  return [...fates];
}
