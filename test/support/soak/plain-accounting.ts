import { checkTails, doubtfulOf, fateOf, type Account } from './accounting.ts';

/** What a plain wire can promise: what has left its socket has left in order and once, and what is in doubt was in a socket that died. */
export function checkPlain(account: Account): void {
  const { book, conversations: sockets, wrong } = account;
  for (const { where, ins } of sockets) {
    const handed = book.handed.get(where) ?? [];
    const strayed = ins.findIndex((n, index) => n !== handed[index]);
    if (strayed >= 0) wrong(`${where} had ${String(ins[strayed])} in place of ${String(handed[strayed])}`);
  }
  const last = sockets.at(-1);
  const [had = 0, handed = 0] = [last?.ins.length, book.handed.get(last?.where ?? '')?.length];
  if (had !== handed) wrong(`its last socket took ${handed} messages, and the server had ${had}`);
  checkHanded(account);
  // a buffer empties in order
  checkTails(account, [...book.handed]);
  const told = book.closed.reduce((sum, { inDoubt }) => sum + inDoubt, 0);
  const unknown = doubtfulOf(book);
  if (unknown !== told) wrong(`${unknown} are unknown, and ${told} were told to be in doubt`);
}

/** A socket took what was sent, once; and nothing that was dropped. */
function checkHanded({ book, wrong }: Account): void {
  const times = new Map<number, number>();
  for (const handed of book.handed.values()) for (const n of handed) times.set(n, (times.get(n) ?? 0) + 1);
  for (const message of book.sent.values()) {
    const { n, isKeyed } = message;
    const fate = fateOf(message);
    const taken = times.get(n) ?? 0;
    const wasTaken = fate === 'sent' || fate === 'acknowledged' || fate === 'unknown';
    if (wasTaken !== taken > 0) wrong(`${n} is ${fate}, and was taken by ${taken} sockets`);
    if (taken > 1 && !isKeyed) wrong(`${n} was taken by ${taken} sockets, and has no key`);
    times.delete(n);
  }
  for (const n of times.keys()) wrong(`${n} was taken by a socket, and is in no book`);
}
