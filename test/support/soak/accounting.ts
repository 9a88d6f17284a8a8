import type { OutboxCounts } from '../../../src/fates.ts';
import type { Books, ClientBook, Conversation, Sent } from './books.ts';
import { WIRE_CONNECTIONS } from './scale.ts';

/** Which promise may be told of a message with this fate: of a plain one, and of a request. */
const PROMISES: Record<string, { message: string; request: readonly string[] }> = {
  sent: { message: 'sent', request: ['replied', 'unknown'] },
  acknowledged: { message: 'acknowledged', request: ['replied', 'unknown'] },
  dropped: { message: 'not_sent', request: ['not_sent'] },
  refused: { message: 'not_sent', request: ['not_sent'] },
  unknown: { message: 'unknown', request: ['unknown'] },
};

const LEFT = new Set(['sent', 'acknowledged']);

/** What one connection is examined by. */
export interface Account {
  readonly who: number;
  readonly book: ClientBook;
  /** Its conversations, in the order of their beginning. */
  readonly conversations: readonly Conversation[];
  /** How many lives the server had. */
  readonly lives: number;
  /** Something is not as it was promised. */
  readonly wrong: (what: string) => void;
}

/** The account of each connection. `wrong` hears what is not in order. */
export function accountsOf(books: Books, wrong: (what: string) => void): Account[] {
  const all = [...books.conversations.values()];
  return books.clients.map((book, who) => ({
    who,
    book,
    conversations: all.filter((conversation) => conversation.who === who),
    lives: books.lives,
    wrong: (what) => {
      wrong(`${who < WIRE_CONNECTIONS ? 'wire' : 'plain'} ${who}: ${what}`);
    },
  }));
}

/** The fate of a message that has one; of a request that was sent again the first, which is why. */
export function fateOf({ fates }: Sent): string {
  return fates[0]?.fate ?? 'none';
}

/** What holds on every wire: one fate for each message, which everybody tells alike, and which is true of what the server had. */
export function checkFates({ book, conversations, wrong }: Account, counts: OutboxCounts): void {
  const had = new Map<number, number>();
  for (const { ins } of conversations) for (const n of ins) had.set(n, (had.get(n) ?? 0) + 1);
  const tally: Record<string, number> = {};
  const add = (fate: string): unknown => (tally[fate] = (tally[fate] ?? 0) + 1);
  for (const message of book.sent.values()) {
    const { n, fates, told, isRequest } = message;
    const fate = fateOf(message);
    const [outcome = 'nothing'] = told;
    if (new Set(fates.map(({ id }) => id)).size !== fates.length) wrong(`${n} has several fates`);
    if (fates.length !== 1 && !(isRequest && message.isKeyed)) wrong(`${n} was ${fates.length} messages`);
    if (fates.slice(0, -1).some(({ fate: before }) => !LEFT.has(before)))
      wrong(`${n} was sent again, and had not left`);
    if (told.length !== 1) wrong(`${n} was promised one thing, and told ${told.length}`);
    const promise = PROMISES[fate];
    if (!(isRequest ? promise?.request.includes(outcome) : promise?.message === outcome))
      wrong(`${n} is ${fate}, and its promise says ${outcome}`);
    const times = had.get(n) ?? 0;
    if ((fate === 'dropped' || fate === 'refused') && times > 0) wrong(`${n} is ${fate}, and the server had it`);
    if ((fate === 'acknowledged' || outcome === 'replied') && times === 0)
      wrong(`${n} is ${fate} (${outcome}), and no server had it`);
    if (times > 1 && !message.isKeyed) wrong(`the server had ${n} ${times} times, and it has no key`);
    for (const one of fates) add(one.fate);
    had.delete(n);
  }
  for (const n of had.keys()) wrong(`the server had ${n}, which is in no book`);
  for (const fate of book.replies) add(fate);

  const of = (fate: string): number => tally[fate] ?? 0;
  const [sent, acknowledged, dropped, unknown] = [of('sent'), of('acknowledged'), of('dropped'), of('unknown')];
  const accepted = sent + acknowledged + dropped + unknown;
  const expected = { accepted, sent, acknowledged, dropped, unknown, refused: of('refused') };
  const { droppedBy, ...told } = counts;
  for (const [name, value] of Object.entries({ ...expected, waiting: 0, waitingBytes: 0 })) {
    const count = told[name as keyof typeof told];
    if (count !== value) wrong(`${name} is ${count}, and the messages make it ${value}`);
  }
  const byReason = Object.values(droppedBy).reduce((sum, some) => sum + some, 0);
  if (byReason !== dropped) wrong(`${byReason} are dropped by reason, and ${dropped} in all`);
}

/** What the server said came to the client in order, without a gap and once; and at rest nothing is missing of what the last conversation said. */
export function checkDownlink({ book, conversations, wrong }: Account): void {
  const known = new Set(conversations.map(({ where }) => where));
  for (const where of book.got.keys()) if (!known.has(where)) wrong(`it heard of ${where}, which is none of its own`);
  let life = 0;
  for (const where of book.got.keys()) {
    const next = conversations.find((conversation) => conversation.where === where)?.life ?? 0;
    if (next < life) wrong(`it heard of life ${next} after life ${life}`);
    life = next;
  }
  for (const { where, outs, settled } of conversations) {
    const got = book.got.get(where) ?? [];
    const strayed = got.findIndex((n, index) => n !== index + 1);
    if (strayed >= 0) wrong(`of ${where} it got ${String(got[strayed])} in place of ${strayed + 1}`);
    if (got.length > outs) wrong(`of ${where} it got ${got.length}, and ${outs} were sent`);
    for (const n of settled) if (n > got.length) wrong(`${n} of ${where} is settled, and never came`);
  }
  const last = conversations.at(-1);
  const got = book.got.get(last?.where ?? '')?.length ?? 0;
  if (last && got !== last.outs) wrong(`of its last conversation it got ${got} of ${last.outs}`);
}

/** Whether each number is above the one before. */
export function isRising(numbers: readonly number[]): boolean {
  return numbers.every((n, index) => index === 0 || n > (numbers[index - 1] ?? 0));
}

/** How many messages became unknown with what held them. One that would have been sent again, and was not, has a cause. */
export function doubtfulOf(book: ClientBook): number {
  const fates = [...book.sent.values()].flatMap((message) => message.fates);
  return fates.filter(({ fate, cause }) => fate === 'unknown' && cause === '').length;
}
