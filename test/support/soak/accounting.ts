import type { ConnectionStatus } from '../../../src/index.ts';
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

export type Counts = ConnectionStatus['messages'];

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

/** What holds on every wire: each message has one fate, which everybody tells alike, and which is true of what the server had. */
export function checkFates({ book, conversations, wrong }: Account): void {
  const had = new Map<number, number>();
  for (const { ins } of conversations) for (const n of ins) had.set(n, (had.get(n) ?? 0) + 1);
  for (const message of book.sent.values()) {
    const { n, isKeyed } = message;
    checkTold(message, wrong);
    const [fate, outcome, times] = [fateOf(message), message.told[0], had.get(n) ?? 0];
    if ((fate === 'dropped' || fate === 'refused') && times > 0) wrong(`${n} is ${fate}, and the server had it`);
    if ((fate === 'acknowledged' || outcome === 'replied') && times === 0)
      wrong(`${n} is ${fate} (${outcome}), and no server had it`);
    if (times > 1 && !isKeyed) wrong(`the server had ${n} ${times} times, and it has no key`);
    had.delete(n);
  }
  for (const n of had.keys()) wrong(`the server had ${n}, which is in no book`);
}

function checkTold(message: Sent, wrong: Account['wrong']): void {
  const { n, fates, told, isRequest, isKeyed } = message;
  if (new Set(fates.map(({ id }) => id)).size !== fates.length) wrong(`${n} has several fates`);
  if (fates.length !== 1 && !(isRequest && isKeyed)) wrong(`${n} was ${fates.length} messages`);
  if (fates.slice(0, -1).some(({ fate }) => !LEFT.has(fate))) wrong(`${n} was sent again, and had not left`);
  const [fate, outcome = 'nothing'] = [fateOf(message), ...told];
  const promise = PROMISES[fate];
  if (told.length !== 1 || !(isRequest ? promise?.request.includes(outcome) : promise?.message === outcome))
    wrong(`${n} is ${fate}, and its promise says ${told.join(' and ')}`);
}

/** At rest the counters of a connection are the sums of those fates, and nothing waits. */
export function checkCounts({ book, wrong }: Account, counts: Counts): void {
  const messages = [...book.sent.values()];
  const fates = [...book.replies, ...messages.flatMap((message) => message.fates.map(({ fate }) => fate))];
  const of = (wanted: string): number => fates.filter((fate) => fate === wanted).length;
  const replied = messages.filter(({ told }) => told.includes('replied')).length;
  const { droppedBy, ...told } = counts;
  const expected: typeof told = {
    accepted: fates.length - of('refused'),
    sent: of('sent'),
    acknowledged: of('acknowledged'),
    dropped: of('dropped'),
    unknown: of('unknown'),
    refused: of('refused'),
    waiting: 0,
    waitingBytes: 0,
    received: [...book.got.values()].reduce((sum, { length }) => sum + length, replied),
  };
  for (const name of Object.keys(expected) as (keyof typeof told)[])
    if (told[name] !== expected[name]) wrong(`${name} is ${told[name]}, and the messages make it ${expected[name]}`);
  const byReason = Object.values(droppedBy).reduce((sum, some) => sum + some, 0);
  if (byReason !== counts.dropped) wrong(`${byReason} are dropped by reason, and ${counts.dropped} in all`);
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

/**
 * What a socket, or a session, had of messages is in doubt from some point on, if it has died; and nothing is, if it lives, as the last one does. What has a
 * key went on to the next.
 */
export function checkTails({ book, wrong }: Account, holders: readonly (readonly [string, readonly number[]])[]): void {
  for (const [index, [where, numbers]] of holders.entries()) {
    const messages = numbers.flatMap((n) => book.sent.get(n) ?? []).filter(({ isKeyed }) => !isKeyed);
    const fates = messages.map(fateOf);
    const firstUnknown = fates.indexOf('unknown');
    if (firstUnknown < 0) continue;
    // one that was answered is known, whatever became of those before it
    const isKnown = messages.slice(firstUnknown).some((message) => !message.isRequest && LEFT.has(fateOf(message)));
    if (isKnown) wrong(`of ${where} something is known after an unknown`);
    if (index === holders.length - 1) wrong(`${where} lives, and something of it is unknown`);
  }
}
