import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** What the server's process knows: `where` is a session of `holdfast.v1`, or one plain socket. */
export type ServerEntry =
  /** A conversation begins with this connection of the client's. */
  | { is: 'met'; where: string; who: number }
  /** Its application was handed a message. */
  | { is: 'in'; where: string; n: number }
  /** It is about to send one. */
  | { is: 'out'; where: string; n: number }
  /** That one was accepted by the client, or answered. */
  | { is: 'settled'; where: string; n: number }
  /** Or the server was told that it was not. */
  | { is: 'failed'; where: string; n: number; code: string }
  | { is: 'fault'; why: string };

/** What the client's process knows. */
export type ClientEntry =
  /** It is about to send a message, or a request. */
  | { is: 'sent'; who: number; n: number; isKeyed: boolean; isRequest: boolean }
  /** What the service says has become of one: `n` is `null` for the reply to a request of the server. */
  | { is: 'fate'; who: number; n: number | null; id: string; fate: string; code: string; cause: string }
  /** What its own promise says: an outcome, or `replied`. */
  | { is: 'told'; who: number; n: number; outcome: string }
  /** A plain socket took it. */
  | { is: 'handed'; who: number; where: string; n: number }
  /** A message of the server was handed to the application, or a request to its handler. */
  | { is: 'got'; who: number; where: string; n: number }
  | { is: 'opened'; who: number; isResumed: boolean }
  | { is: 'closed'; who: number; inDoubt: number; code: number }
  | { is: 'discontinuity'; who: number; why: string; inDoubt: number }
  | { is: 'error'; code: string; closeCode: number | null }
  | { is: 'fault'; why: string };

/** A file to which a line at a time is given to the kernel before anything else is done: a process that is killed has written it. */
export class Journal<Entry extends object> {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  readonly write = (entry: Entry): void => {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  };

  close(): void {
    closeSync(this.#file);
  }
}

/** The entries of a journal. A last line without its end was cut off by a kill: nobody was told of what it says. */
export function* readJournal<Entry>(path: string): Generator<Entry> {
  const text = readFileSync(path, 'utf8');
  for (let from = 0, end = text.indexOf('\n'); end >= 0; from = end + 1, end = text.indexOf('\n', from))
    yield JSON.parse(text.slice(from, end)) as Entry;
}
