import type { MessageOutcome } from '../index.ts';
import type { History } from './history.ts';

// what a message comes to when its connection is over
const ENDINGS = ['CONNECTION_ENDED', 'CLOSED_LOCALLY', 'SERVICE_DESTROYED', 'REPLY_LOST'];

// how long a server may not know that another has its session: its store tells, and applications may take a second over a message
const UNKNOWING_MS = 2_000;

/** What became of a message, as its sender was told. */
export type Told = 'sent' | 'acknowledged' | MessageOutcome;

/** A message of the client. */
export interface UpEntry {
  tag: string;
  connection: string;
  /** Whether its receiver may get it again: the sender has said that it knows repetitions. */
  mayRepeat: boolean;
  /** What must keep its order; `null` for what need not. */
  lane: string | null;
  /** What is promised of it: of a volatile one nothing, of a request what its reply says. */
  kind: 'message' | 'volatile' | 'request';
  /** As it must arrive. */
  content: Content;
  /** Codes of errors that it may come to by the options that it was sent with. */
  excuses: readonly string[];
  /** Whether it must arrive, whatever was before. */
  isLast: boolean;
}

/** What arrives of a message. */
export interface Content {
  text: string;
  type?: string | undefined;
}

/** A message of a server. */
export interface DownEntry {
  tag: string;
  /** The session that it is for; what must keep its order. */
  session: string;
  /** As it must arrive. */
  text: string;
  /** Whether it must arrive, whatever was before. */
  isLast: boolean;
}

interface Up extends UpEntry {
  order: number;
  /** In ms of the run. */
  sentAt: number;
  told: Told | undefined;
  isEnding: boolean;
  /** Where it was handed over, each time. */
  places: string[];
  /** How many moves its session had had then, the last time. */
  moves: number;
  /** The session that it was in then; '' on a plain wire. */
  session: string;
  /** Whether an application works on it that has to be through before it counts, or one is. */
  work: 'none' | 'begun' | 'done';
}

interface Down extends DownEntry {
  order: number;
  told: Told | undefined;
  isHeard: boolean;
}

/** Whether a connection has ended, is about to, or neither. */
type Standing = 'ended' | 'ending' | 'going on';

/** What is known of one connection. */
interface Account {
  session: string | undefined;
  /** Sessions that it had before. */
  past: Set<string>;
  isToldOfLoss: boolean;
  /** When it lost something last, in ms of the run; when it ended, and when its application emptied its queue. */
  brokenAt: number;
  endedAt: number;
  purgedAt: number;
  standing: Standing;
}

/**
 * The account of every message of a run, as both applications see it, and what must be true of it: each has one fate; what is acknowledged was had, what was not sent was not, nothing
 * is had twice or out of order, and what is in doubt was lost with something.
 */
export class Book {
  readonly #history: History;
  readonly #wire: 'holdfast.v1' | 'plain' | 'either';
  readonly #up = new Map<string, Up>();
  readonly #down = new Map<string, Down>();
  readonly #accounts = new Map<string, Account>();
  // the last of each lane at each place
  readonly #last = new Map<string, number>();
  // how often each session has gone to another server, or back to one, or come to its end
  readonly #moves = new Map<string, number>();
  // where applications are in a session, and since when, in ms of the run
  readonly #places = new Map<string, { session: string; since: number }>();
  #order = 0;

  constructor(history: History, wire: 'holdfast.v1' | 'plain' | 'either') {
    this.#history = history;
    this.#wire = wire;
  }

  /** How many messages there are, both ways. */
  get size(): number {
    return this.#up.size + this.#down.size;
  }

  /** A session is with another server than before, or its server has died: what it had not written down yet may be had again. */
  moved(session: string): void {
    this.#moves.set(session, this.#movesOf(session) + 1);
  }

  /** An application is in a session, at a place of its own. */
  begins(place: string, session: string): void {
    this.#places.set(place, { session, since: this.#history.at });
  }

  /** It is not any more, and knows. */
  ends(place: string): void {
    this.#places.delete(place);
  }

  // ---- the client's application

  sentUp(entry: UpEntry): void {
    const { at: sentAt } = this.#history;
    this.#up.set(entry.tag, {
      ...entry,
      order: ++this.#order,
      sentAt,
      told: undefined,
      // sent while its connection ends, it may come to nothing although that is called back
      isEnding: this.#account(entry.connection).standing !== 'going on',
      places: [],
      moves: 0,
      session: '',
      work: 'none',
    });
  }

  /** @param code Of the error, where it is one. */
  toldUp(tag: string, told: Told, code?: string): void {
    const up = this.#up.get(tag);
    if (!up) return;
    this.#history.note(() => `${up.connection} is told that ${tag} is ${told}`);
    this.#history.require(up.told === undefined, () => `${tag} is ${told}, and was ${String(up.told)} before`);
    up.told = told;
    const isHad = up.places.length > 0;
    if (told === 'acknowledged') {
      this.#history.require(isHad, () => `${tag} is acknowledged, and no application had it`);
      this.#history.require(up.work !== 'begun', () => `${tag} is acknowledged, and no application is through with it`);
    }
    if (told === 'unknown' && up.kind === 'message') {
      const { brokenAt, standing } = this.#account(up.connection);
      const hasEnded = standing !== 'going on';
      // what was put back to be sent again may come to its end while it waits
      const isTrue = hasEnded || brokenAt === this.#history.at || (up.mayRepeat && brokenAt >= up.sentAt);
      this.#history.require(isTrue, () => `${tag} is in doubt, and nothing was lost`);
    }
    if (told === 'not_sent')
      this.#history.require(this.#isExcused(up, code), () => `${tag} was not sent for no reason: ${String(code)}`);
    if (told === 'sent')
      this.#history.require(this.#wire !== 'holdfast.v1' || up.lane === null, () => `${tag} is only sent`);
  }

  heardDown(connection: string, tag: string, text: string): void {
    const down = this.#down.get(tag);
    this.#history.note(() => `${connection} gets ${tag}`);
    if (!down) return this.#history.fail(`${connection} gets ${tag}, which nobody sent`);
    this.#history.require(!down.isHeard, () => `${connection} gets ${tag} a second time`);
    this.#history.require(text === down.text, () => `${connection} gets ${tag} as ${text.slice(0, 80)}`);
    down.isHeard = true;
    this.#inOrder(`${connection} ${down.session}`, down);
    this.#enter(connection, down.session);
  }

  /** A socket is gone: what was on its way may be in doubt, where no session outlives it. */
  socketLost(connection: string): void {
    if (this.#wire !== 'holdfast.v1') this.#account(connection).brokenAt = this.#history.at;
  }

  /** The application empties the queue. */
  purged(connection: string): void {
    this.#account(connection).purgedAt = this.#history.at;
  }

  /** The application is told that a session is lost. */
  lostSession(connection: string): void {
    const account = this.#account(connection);
    account.brokenAt = this.#history.at;
    account.isToldOfLoss = true;
  }

  /** The application is told that the connection has ended, or begins. */
  turned(connection: string, to: Standing): void {
    const account = this.#account(connection);
    // one that is called back while it ends goes on with its session, or begins another: it was asked to
    const isCalledBack = account.standing === 'ending' && to === 'going on';
    if (to === 'ending' || isCalledBack) account.isToldOfLoss = true;
    if (to === 'ended' || isCalledBack) account.brokenAt = this.#history.at;
    account.standing = to;
    if (to !== 'going on') account.endedAt = this.#history.at;
    if (to !== 'ended') return;
    if (account.session !== undefined) account.past.add(account.session);
    account.session = undefined;
  }

  // ---- the servers' applications

  hadUp(tag: string, place: string, { text, type }: Content): void {
    this.#history.note(() => `${place} gets ${tag}`);
    const up = this.#up.get(tag);
    if (!up) return this.#history.fail(`${place} gets ${tag}, which nobody sent`);
    const { places, mayRepeat, told, content } = up;
    const isWhole = text === content.text && (type === content.type || this.#wire !== 'holdfast.v1');
    this.#history.require(isWhole, () => `${place} gets ${tag} as ${String(type)} ${text.slice(0, 80)}`);
    const session = this.#places.get(place)?.session ?? '';
    const isBetween = places.some((other) => this.#areBoth(other, place));
    // a plain server does not know a message again by its key; a session that is over has taken along what it knew
    const isForRepeating =
      up.session === session
        ? this.#movesOf(session) > up.moves || (mayRepeat && this.#wire !== 'holdfast.v1')
        : mayRepeat;
    const isKnown = places.length > 0 && !isBetween && !isForRepeating;
    const isAgain = places.includes(place) || isKnown;
    this.#history.require(!isAgain, () => `${place} gets ${tag}, which ${places.join(' and ')} had`);
    this.#history.require(told !== 'not_sent', () => `${place} gets ${tag}, which was not sent`);
    // what was accepted is written down, and nobody sends it again
    this.#history.require(
      up.kind !== 'message' || told !== 'acknowledged' || isBetween,
      () => `${place} gets ${tag}, which is acknowledged`,
    );
    if (up.lane !== null) this.#inOrder(`${place} ${up.lane}`, up);
    places.push(place);
    up.moves = this.#movesOf(session);
    up.session = session;
  }

  /** An application that has a message works on it, and only then it counts. @returns To be called when it is through. */
  worksOn(tag: string): () => void {
    const up = this.#up.get(tag);
    if (up?.work === 'none') up.work = 'begun';
    return () => {
      if (up) up.work = 'done';
    };
  }

  sentDown(entry: DownEntry): void {
    this.#down.set(entry.tag, { ...entry, order: ++this.#order, told: undefined, isHeard: false });
  }

  toldDown(tag: string, told: Told): void {
    const down = this.#down.get(tag);
    if (!down) return;
    this.#history.note(() => `a server is told that ${tag} is ${told}`);
    down.told = told;
    if (told === 'acknowledged')
      this.#history.require(down.isHeard, () => `a server is told that ${tag} was accepted, and no application had it`);
  }

  // ---- the end

  /** What is still to be told; `null` for nothing. */
  get open(): string | null {
    for (const { told, tag } of this.#up.values()) if (told === undefined) return tag;
    return null;
  }

  /** What must hold when everything is over. */
  close(): void {
    for (const { told, tag, places, isLast } of this.#up.values()) {
      this.#history.require(!isLast || places.length > 0, () => `nothing went wrong any more, and nobody had ${tag}`);
      this.#history.require(told !== undefined, () => `nobody was told what became of ${tag}`);
      if (told === 'not_sent') this.#history.require(places.length === 0, () => `${tag} was not sent, and is had`);
    }
    for (const { told, tag, isHeard, isLast } of this.#down.values()) {
      this.#history.require(!isLast || isHeard, () => `nothing went wrong any more, and nobody heard ${tag}`);
      if (told === 'not_sent') this.#history.require(!isHeard, () => `${tag} was not sent, and is had`);
    }
  }

  // a server that another has taken a session from may not know yet
  #areBoth(one: string, other: string): boolean {
    const [first, second] = [this.#places.get(one), this.#places.get(other)];
    if (!first || first.session !== second?.session) return false;
    return this.#history.at - Math.max(first.since, second.since) <= UNKNOWING_MS;
  }

  #movesOf(session: string): number {
    return this.#moves.get(session) ?? 0;
  }

  #isExcused({ excuses, connection, sentAt, isEnding }: Up, code = ''): boolean {
    const { standing, endedAt, purgedAt } = this.#account(connection);
    if (code === 'PURGED') return purgedAt >= sentAt;
    return (
      excuses.includes(code) || (ENDINGS.includes(code) && (isEnding || standing !== 'going on' || endedAt >= sentAt))
    );
  }

  #account(connection: string): Account {
    let account = this.#accounts.get(connection);
    if (!account) {
      account = {
        session: undefined,
        past: new Set(),
        isToldOfLoss: false,
        brokenAt: -1,
        endedAt: -1,
        purgedAt: -1,
        standing: 'ended',
      };
      this.#accounts.set(connection, account);
    }
    return account;
  }

  #inOrder(lane: string, { tag, order }: { tag: string; order: number }): void {
    const last = this.#last.get(lane) ?? 0;
    this.#history.require(order > last, () => `${lane} gets ${tag} out of order`);
    this.#last.set(lane, order);
  }

  // a message shows which session it is
  #enter(connection: string, session: string): void {
    const account = this.#account(connection);
    if (session === account.session) return;
    this.#history.require(
      !account.past.has(session),
      () => `${connection} gets a message of ${session}, which is over`,
    );
    if (account.session !== undefined && this.#wire === 'holdfast.v1') {
      account.past.add(account.session);
      this.#history.require(
        account.isToldOfLoss,
        () => `${connection} is in ${session}, and was not told that it lost ${String(account.session)}`,
      );
    }
    account.isToldOfLoss = false;
    account.session = session;
  }
}
