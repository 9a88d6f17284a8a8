import { WireClose } from '../../../src/protocol/close-codes.ts';
import { readJournal, type ClientEntry, type ServerEntry } from './journal.ts';

/** A message that the client sent, with all that was told of it. */
export interface Sent {
  readonly n: number;
  readonly isKeyed: boolean;
  readonly isRequest: boolean;
  /** What the service told of it, with the code of the error and that of its cause. Only a request that has a key is sent again, as another message. */
  readonly fates: { id: string; fate: string; code: string; cause: string }[];
  /** What its promise told: an outcome, or `replied`. */
  readonly told: string[];
}

/** One connection, as the client saw it. */
export interface ClientBook {
  readonly sent: Map<number, Sent>;
  /** The fates of what the connection itself sent as replies. */
  readonly replies: string[];
  /** What each plain socket took, in order. */
  readonly handed: Map<string, number[]>;
  /** What came of each conversation, in order; and the conversations in the order of their first message. */
  readonly got: Map<string, number[]>;
  readonly opened: { isResumed: boolean }[];
  readonly closed: { inDoubt: number; code: number }[];
  readonly discontinuities: { why: string; inDoubt: number }[];
}

/** One session of `holdfast.v1`, or one plain socket, as the server saw it. */
export interface Conversation {
  readonly where: string;
  readonly who: number;
  /** Which life of the server it belongs to, from 0. */
  readonly life: number;
  /** What its application was handed, in order. */
  readonly ins: number[];
  /** How many messages it sent: they are numbered from 1. */
  outs: number;
  readonly settled: Set<number>;
  readonly failed: Map<number, string>;
}

/** Everything that was written down. */
export interface Books {
  readonly clients: ClientBook[];
  /** In the order of their beginning. */
  readonly conversations: Map<string, Conversation>;
  /** How many lives the server had. */
  readonly lives: number;
  /** How often each kind of error was told. */
  readonly errors: Map<string, number>;
  /** What must not be. */
  readonly faults: string[];
}

// what a server that is killed or frozen can bring about, and nobody's breach of the protocol
const TROUBLES = new Set([
  'HANDSHAKE_FAILED 1006',
  'CONNECTION_LOST 1006',
  'CONNECT_TIMEOUT',
  'WIRE_UNAVAILABLE',
  'WELCOME_TIMEOUT',
  'LINK_DEAD',
  `CLOSED_BY_PEER ${WireClose.pingTimeout}`,
  `CLOSED_BY_PEER ${WireClose.replaced}`,
]);

/** Opens the books of a soak. */
export function readBooks(clientJournal: string, serverJournals: readonly string[], connections: number): Books {
  const books: Books = {
    clients: Array.from({ length: connections }, () => ({
      sent: new Map(),
      replies: [],
      handed: new Map(),
      got: new Map(),
      opened: [],
      closed: [],
      discontinuities: [],
    })),
    conversations: new Map(),
    lives: serverJournals.length,
    errors: new Map(),
    faults: [],
  };
  for (const entry of readJournal<ClientEntry>(clientJournal)) enterClient(books, entry);
  for (const [life, journal] of serverJournals.entries())
    for (const entry of readJournal<ServerEntry>(journal)) enterServer(books, entry, life);
  return books;
}

/** What a map has under a name, made where it has nothing. */
function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

function enterClient(books: Books, entry: ClientEntry): void {
  if (entry.is === 'fault') {
    books.faults.push(`client: ${entry.why}`);
    return;
  }
  if (entry.is === 'error') {
    const kind = entry.closeCode === null ? entry.code : `${entry.code} ${entry.closeCode}`;
    books.errors.set(kind, (books.errors.get(kind) ?? 0) + 1);
    if (!TROUBLES.has(kind)) books.faults.push(`client: ${kind}`);
    return;
  }
  const book = books.clients[entry.who];
  if (!book) {
    books.faults.push(`client: nobody has the number ${entry.who}`);
    return;
  }
  const stranger = (n: number): Sent => {
    books.faults.push(`client ${entry.who}: ${entry.is} tells of ${n}, which was never sent`);
    return { n, isKeyed: false, isRequest: false, fates: [], told: [] };
  };
  switch (entry.is) {
    case 'sent': {
      const { n, isKeyed, isRequest } = entry;
      book.sent.set(n, { n, isKeyed, isRequest, fates: [], told: [] });
      return;
    }
    case 'fate': {
      const { n, id, fate, code, cause } = entry;
      if (n === null) book.replies.push(fate);
      else entryOf(book.sent, n, () => stranger(n)).fates.push({ id, fate, code, cause });
      return;
    }
    case 'told':
      entryOf(book.sent, entry.n, () => stranger(entry.n)).told.push(entry.outcome);
      return;
    case 'handed':
      entryOf(book.handed, entry.where, () => [] as number[]).push(entry.n);
      return;
    case 'got':
      entryOf(book.got, entry.where, () => [] as number[]).push(entry.n);
      return;
    case 'opened':
      book.opened.push(entry);
      return;
    case 'closed':
      book.closed.push(entry);
      return;
    case 'discontinuity':
      book.discontinuities.push(entry);
  }
}

function enterServer(books: Books, entry: ServerEntry, life: number): void {
  if (entry.is === 'fault') {
    books.faults.push(`server ${life}: ${entry.why}`);
    return;
  }
  if (entry.is === 'met') {
    const { where, who } = entry;
    if (books.conversations.has(where)) books.faults.push(`server ${life}: ${where} begins twice`);
    books.conversations.set(where, { where, who, life, ins: [], outs: 0, settled: new Set(), failed: new Map() });
    return;
  }
  const conversation = books.conversations.get(entry.where);
  if (!conversation) {
    books.faults.push(`server ${life}: ${entry.where} has not begun`);
    return;
  }
  if (conversation.life !== life) books.faults.push(`server ${life}: ${entry.where} was of another life`);
  switch (entry.is) {
    case 'in':
      conversation.ins.push(entry.n);
      return;
    case 'out':
      conversation.outs += 1;
      if (conversation.outs !== entry.n) books.faults.push(`server ${life}: ${entry.n} is not what comes next`);
      return;
    case 'settled':
      if (conversation.settled.has(entry.n)) books.faults.push(`server ${life}: ${entry.n} is settled twice`);
      conversation.settled.add(entry.n);
      return;
    case 'failed':
      conversation.failed.set(entry.n, entry.code);
  }
}
