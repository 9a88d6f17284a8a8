import { checkTails, doubtfulOf, isRising, type Account } from './accounting.ts';

/** What `holdfast.v1` promises. A session ends with the process that has it in its memory, and with nothing else. */
export function checkWire(account: Account): void {
  const { conversations: sessions, lives, wrong } = account;
  checkSessions(account);
  for (const { where, ins } of sessions) if (!isRising(ins)) wrong(`${where} had messages twice, or out of order`);
  checkDoubt(account);

  const last = sessions.at(-1);
  if (!last) return;
  if (last.life !== lives - 1) wrong(`its last session is of life ${last.life} of ${lives}`);
  if (last.failed.size > 0) wrong(`${[...last.failed].join(' ')} failed in a session that lives`);
  if (last.settled.size !== last.outs) wrong(`${last.settled.size} of ${last.outs} are settled in its last session`);
}

/** A life of the server has one session for a connection, whatever becomes of its sockets; each one that follows another is told of. */
function checkSessions({ book, conversations: sessions, wrong }: Account): void {
  const { opened, discontinuities } = book;
  if (new Set(sessions.map(({ life }) => life)).size < sessions.length) wrong('a life had two sessions of it');
  const begun = opened.filter(({ isResumed }) => !isResumed).length;
  if (begun !== discontinuities.length + 1)
    wrong(`${begun} sessions were opened, and ${discontinuities.length} discontinuities told`);
  // of one that was lost with its welcome the client never heard
  if (begun > sessions.length) wrong(`it opened ${begun} sessions, and the server had ${sessions.length}`);
  for (const { why } of discontinuities) if (why !== 'unknown') wrong(`a session was lost by ${why}`);
}

/** In doubt is what was on its way when a process was killed, and nothing else: what came last of each session. */
function checkDoubt(account: Account): void {
  const { book, conversations: sessions, wrong } = account;
  const told = book.discontinuities.reduce((sum, { inDoubt }) => sum + inDoubt, 0);
  const replies = book.replies.filter((fate) => fate === 'unknown').length;
  const unknown = doubtfulOf(book) + replies;
  if (unknown !== told) wrong(`${unknown} are unknown, and ${told} were told to be in doubt`);
  checkTails(
    account,
    sessions.map(({ where, ins }) => [where, ins]),
  );
}
