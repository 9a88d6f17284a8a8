import type { Credentials, HoldfastServerOptions, Session, ServerSocket } from '../server/index.ts';
import type { HoldfastError, MessageError, Profile } from '../index.ts';
import type { Book, Told } from './book.ts';
import type { Chance } from './chance.ts';
import type { SimulatedClock } from './clock.ts';
import type { History } from './history.ts';
import type { PlainEvents } from './plain-server.ts';
import { LAST_WORD, payloadOf, tagOf, textOf } from './payload.ts';
import type { ServerLife } from './server.ts';

export interface ServerAppOptions {
  /** Of its node. */
  name: string;
  clock: SimulatedClock;
  chance: Chance;
  history: History;
  book: Book;
  nextTag: () => string;
  /** Whether handlers take their time, and messages count once they are through. */
  isSlow: boolean;
  /** What a client's token must be. */
  isWelcome: (token: string | undefined) => boolean;
  /** How long a token is good for, in ms. */
  credentialsMs: number;
}

/** What the application on one server does: it writes down what it gets, answers what asks, and sends. */
export class ServerApp {
  readonly #options: ServerAppOptions;
  // its sessions and sockets, by what they are called in the book
  readonly #sessions = new Map<Session, string>();
  readonly #sockets = new Map<ServerSocket, string>();
  // what it has sent and heard no more of, and to whom
  readonly #sent = new Map<string, Session>();
  // what it was told that it will not arrive, while its session lived
  readonly #given = new Map<string, Session>();
  #places = 0;

  constructor(options: ServerAppOptions) {
    this.#options = options;
  }

  /** For each life of its server. */
  serve(life: ServerLife): Omit<HoldfastServerOptions, 'clock' | 'random' | 'store' | 'node'> {
    const { name, history, isWelcome, clock, credentialsMs } = this.#options;
    this.crashed();
    return {
      authenticate: ({ auth }: Credentials) => {
        if (!isWelcome(auth)) return null;
        return { principal: 'client', ...(credentialsMs < Infinity && { expiresAt: clock.now() + credentialsMs }) };
      },
      onSession: (session) => {
        this.#serve(session, life);
      },
      onError: ({ code, cause }: HoldfastError) => {
        if (!life.isOver) history.fail(`${name} reports ${code}: ${String(cause)}`);
      },
    };
  }

  /** For each socket of a plain wire. */
  readonly opened = (socket: ServerSocket): PlainEvents => {
    const place = this.#place();
    this.#sockets.set(socket, place);
    return {
      received: (data) => {
        if (data === PROBE) socket.send(ANSWER);
        else if (this.#had(data, place)) socket.send(this.#noted(place));
      },
      closed: () => {
        this.#sockets.delete(socket);
      },
    };
  };

  /** What keeps it from being at rest; `null` for nothing. What is for a client that is not there may wait. */
  get unrest(): string | null {
    for (const [tag, session] of this.#sent)
      if (session.state === 'attached') return `nobody has told a server what became of ${tag}`;
    for (const [tag, session] of this.#given)
      if (session.state === 'attached') return `a server has given up ${tag}, and its session lives`;
    return null;
  }

  /** Its server has died: so have its sessions here, and its sockets. */
  crashed(): void {
    const { book } = this.#options;
    for (const [{ id }, place] of this.#sessions) {
      book.moved(id);
      book.ends(place);
    }
    this.#sessions.clear();
    this.#sockets.clear();
    this.#sent.clear();
    this.#given.clear();
  }

  /** Sends to whoever is there. @returns Whether anybody is. */
  send(chance: Chance): boolean {
    const { book, nextTag, history } = this.#options;
    const tag = `s${nextTag()}`;
    const talks = [...this.#sessions.keys(), ...this.#sockets.keys()];
    if (talks.length === 0) return false;
    const to = chance.pick(talks);
    history.note(() => `${this.#options.name} sends ${tag}`);
    const text = payloadOf(tag, chance);
    if ('batch' in to) {
      book.sentDown({ tag, session: this.#sockets.get(to) ?? '', text, isLast: false });
      to.send(text);
      return true;
    }
    book.sentDown({ tag, session: to.id, text, isLast: false });
    this.#sent.set(tag, to);
    if (chance.happens(0.1)) this.#follow(tag, to.request(text, { timeoutMs: 5_000 }), 'request');
    else this.#follow(tag, to.send(text, chance.happens(0.2) ? { type: 'note' } : {}).settled, 'message');
    return true;
  }

  // what it gets is written down, if it is of the simulation. @returns Whether it is to be answered
  #had(data: unknown, place: string, type?: string): boolean {
    const [tag, text] = [tagOf(data), textOf(data)];
    if (tag !== '') this.#options.book.hadUp(tag, place, { text, type });
    return tag !== '' && text.endsWith(LAST_WORD);
  }

  // the answer to a last word
  #noted(session: string): string {
    const { book, nextTag } = this.#options;
    const tag = `s${nextTag()}`;
    const text = `${tag} ${LAST_WORD}`;
    book.sentDown({ tag, session, text, isLast: true });
    return text;
  }

  // of a session that is over nobody counts what is told
  #follow(tag: string, settled: Promise<unknown>, kind: 'message' | 'request'): void {
    const session = this.#sent.get(tag);
    const tell = (told: Told): void => {
      if (this.#sent.delete(tag)) this.#options.book.toldDown(tag, told);
    };
    settled.then(
      () => {
        tell('acknowledged');
      },
      (error: unknown) => {
        const isCounted = this.#sent.has(tag);
        tell((error as MessageError).outcome);
        // a request may have waited too long
        if (isCounted && session && kind === 'message') this.#given.set(tag, session);
      },
    );
  }

  #serve(session: Session, life: ServerLife): void {
    const { book, isSlow, clock, chance } = this.#options;
    const place = `${this.#place()} (${session.id.slice(0, 5)})`;
    this.#sessions.set(session, place);
    book.begins(place, session.id);
    if (session.isInherited) book.moved(session.id);
    session.on('ended', () => {
      if (life.isOver) return;
      this.#sessions.delete(session);
      book.ends(place);
      for (const [tag, to] of this.#sent) if (to === session) this.#sent.delete(tag);
      book.moved(session.id);
    });
    const acknowledge = isSlow ? 'processed' : 'received';
    const think = async (tag: string): Promise<void> => {
      if (!isSlow) return;
      const done = book.worksOn(tag);
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, thoughtMs(chance.draw()));
      });
      done();
    };
    session.onMessage(
      ({ data, type }) => {
        if (!life.isOver && this.#had(data, place, type)) session.send(this.#noted(session.id));
        return think(tagOf(data));
      },
      { acknowledge },
    );
    session.onRequest(
      async ({ data }) => {
        if (!life.isOver) this.#had(data, place);
        await think(tagOf(data));
        return `re:${tagOf(data)}`;
      },
      { acknowledge },
    );
  }

  #place(): string {
    return `${this.#options.name}/${++this.#places}`;
  }
}

// mostly up to 40 ms, and now and then up to a second
function thoughtMs(draw: number): number {
  return draw < 0.9 ? draw * 40 : (draw - 0.9) * 10_000;
}

const PROBE = 'ping';
const ANSWER = 'pong';

/** How a client speaks on a plain wire: browsers cannot probe it, so it has a probe of its own. */
export const SPEECH: Profile = { codec: 'plain', ping: () => PROBE, isPong: (message) => message === ANSWER };
