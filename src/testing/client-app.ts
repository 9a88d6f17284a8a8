import type { Connection, EnhancedWebSocketService, MessageError, Receipt, SendOptions } from '../index.ts';
import type { Book } from './book.ts';
import type { Chance } from './chance.ts';
import type { History } from './history.ts';
import { HOSTILE, LAST_WORD, payloadOf, tagOf, textOf } from './payload.ts';

export interface ClientAppOptions {
  service: EnhancedWebSocketService;
  history: History;
  book: Book;
  nextTag: () => string;
  /** Does something later, when its device runs. */
  later: (ms: number, deed: () => void) => void;
  /** Draws what handlers do in the middle of an event; `null` for handlers that only listen. */
  whims: Chance | null;
  /** Whether it can ask: a plain wire has no replies. */
  asks: boolean;
  /** Whether it may be spoken to by anybody: who speaks on a plain wire nobody knows. */
  isExposed: boolean;
  /** Whether its queue may have no room. */
  isCramped: boolean;
}

const REQUEST_MS = 5_000;
const NO_ROOM = ['QUEUE_FULL', 'DROPPED_FOR_ROOM'];
// how messages are taken back
const RECALLS = ['at once', 'later', 'by a signal', 'by a signal that is over'] as const;

/** A message, and how it is sent. */
interface Parcelled {
  payload: string;
  isBytes: boolean;
  /** How the application takes it back, and when, in ms from now. */
  recall: { how: (typeof RECALLS)[number]; afterMs: number } | null;
}

interface Sent {
  receipt: Receipt;
  tag: string;
  mayRepeat: boolean;
  /** How often its end was told. */
  settled: number;
}

/** What the application on the client does with one connection, and what it is told. */
export class ClientApp {
  readonly connection: Connection<unknown>;
  /** Whether it wants to be connected. */
  isWanted = true;
  /** Called once in the middle of what it is told next. */
  atNext: (() => void) | null = null;
  #isCalm = false;
  readonly #options: ClientAppOptions;
  readonly #byId = new Map<string, Sent>();
  // requests that have no answer, and when each was asked, in ms of the run
  readonly #asked = new Map<string, number>();

  constructor(connection: Connection<unknown>, options: ClientAppOptions) {
    this.connection = connection;
    this.#options = options;
    const { service, book } = options;
    const { id } = connection;
    connection.subscribe((message) => {
      this.#hear(message);
    });
    connection.onRequest((message) => {
      this.#hear(message);
      return `re:${tagOf(message)}`;
    });
    service.on('status', ({ connectionId, previous, current }) => {
      if (connectionId === id) this.#turned(previous, current);
    });
    service.on('closed', ({ connectionId }) => {
      if (connectionId === id) book.socketLost(id);
    });
    service.on('discontinuity', ({ connectionId, why, inDoubt }) => {
      if (connectionId !== id) return;
      options.history.note(`${id} is told of a discontinuity: ${why}, ${inDoubt} in doubt`);
      book.lostSession(id);
    });
    service.on('settled', ({ connectionId, messageId }) => {
      const sent = connectionId === id ? this.#byId.get(messageId) : undefined;
      if (sent) sent.settled += 1;
    });
  }

  /** What keeps it from being at rest; `null` for nothing. */
  get unrest(): string | null {
    const { state, messages } = this.connection.status;
    const { id } = this.connection;
    if (state !== 'open') return `${id} is ${state}`;
    if (messages.waiting > 0) return `${messages.waiting} messages of ${id} wait`;
    return this.#asked.size > 0 ? `${this.#asked.size} requests of ${id} have no answer` : null;
  }

  /** Sends something, in some way. */
  send(chance: Chance): void {
    if (this.#options.asks && chance.happens(0.1)) {
      this.#ask(chance);
      return;
    }
    const tag = `c${this.#options.nextTag()}`;
    const payload = payloadOf(tag, chance);
    this.#send(tag, optionsOf(chance, tag), {
      payload,
      isBytes: chance.happens(0.1),
      recall: chance.happens(0.05) ? { how: chance.pick(RECALLS), afterMs: chance.between(0, 2_000) } : null,
    });
  }

  /** Sends what must arrive, and be answered. */
  lastWord(): void {
    const tag = `c${this.#options.nextTag()}`;
    this.#send(tag, {}, { payload: `${tag} ${LAST_WORD}`, isBytes: false, recall: null });
  }

  #send(tag: string, wanted: SendOptions, { payload, isBytes, recall }: Parcelled): void {
    const { book, history, isCramped, later } = this.#options;
    const { how, afterMs = 0 } = recall ?? {};
    const controller = how?.startsWith('by') ? new AbortController() : null;
    if (how === 'by a signal that is over') controller?.abort();
    const options = controller ? { ...wanted, signal: controller.signal } : wanted;
    const { connection } = this;
    history.note(() => `${connection.id} sends ${tag} ${Object.keys(options).join(' ')}`);
    const mayRepeat = options.idempotencyKey !== undefined;
    book.sentUp({
      tag,
      connection: connection.id,
      mayRepeat,
      lane: isOrdered(options) ? `${connection.id} ${options.priority ?? 'normal'}` : null,
      kind: options.volatile === true ? 'volatile' : 'message',
      content: { text: payload, type: options.type },
      excuses: [
        ...excusesOf(options),
        ...(recall === null ? [] : [controller ? 'SEND_ABORTED' : 'SEND_CANCELLED']),
        ...(isCramped ? NO_ROOM : []),
      ],
      isLast: payload.endsWith(LAST_WORD),
    });
    const receipt = connection.send(isBytes ? new TextEncoder().encode(payload) : payload, options);
    this.#byId.set(receipt.id, { receipt, tag, mayRepeat, settled: 0 });
    receipt.settled.then(
      ({ outcome }) => {
        book.toldUp(tag, outcome);
      },
      (error: unknown) => {
        const { outcome, code } = error as MessageError;
        book.toldUp(tag, outcome, code);
      },
    );
    const takeBack = (): void => {
      if (controller) controller.abort();
      else this.#cancel(receipt);
    };
    if (how === 'at once') takeBack();
    else if (how) later(afterMs, takeBack);
  }

  #cancel(receipt: Receipt): void {
    const { history } = this.#options;
    const isTaken = receipt.cancel();
    const { id, fate } = receipt;
    history.note(
      () => `${this.connection.id} takes ${this.#byId.get(id)?.tag ?? id} back${isTaken ? '' : ', in vain'}`,
    );
    history.require(!isTaken || fate === 'dropped' || fate === 'unknown', () => `${id} was taken back, and is ${fate}`);
  }

  close(): void {
    this.#options.history.note(`${this.connection.id} is closed by its application`);
    this.isWanted = false;
    void this.connection.close();
  }

  /** From now on it closes nothing any more. */
  calm(): void {
    this.#isCalm = true;
  }

  connect(): void {
    this.isWanted = true;
    this.connection.connect().catch(() => undefined);
  }

  /** What must hold at every moment: each message has one fate, they add up, and no more wait than may. */
  checkBooks(mostWaiting: number): void {
    const { accepted, sent, acknowledged, dropped, unknown, waiting } = this.connection.status.messages;
    const { history } = this.#options;
    const { id } = this.connection;
    history.require(
      accepted === sent + acknowledged + dropped + unknown + waiting,
      () => `${id}: ${accepted} accepted, ${sent + acknowledged} well, ${dropped + unknown} not, ${waiting} wait`,
    );
    history.require(waiting <= mostWaiting, () => `${waiting} messages of ${id} wait, and ${mostWaiting} may`);
  }

  /** The same of its queue, which takes no more than so many; what goes back to it had its place before. */
  checkQueue(most: number): void {
    const isNew = ({ id }: { id: string }): boolean => this.#byId.get(id)?.mayRepeat === false;
    const queued = this.connection.inspectQueue().filter(isNew).length;
    this.#options.history.require(
      queued <= most,
      () => `${queued} messages are in the queue of ${this.connection.id}, which has room for ${most}`,
    );
  }

  /** What must hold while its device runs: no request waits for its answer past its time. */
  checkRequests(): void {
    const { history } = this.#options;
    for (const [tag, at] of this.#asked)
      history.require(history.at - at <= REQUEST_MS, () => `${tag} has no answer, and its time is over`);
  }

  /** What must hold when everything is over. */
  checkFates(): void {
    const { history } = this.#options;
    for (const { receipt, tag, settled } of this.#byId.values())
      history.require(
        settled === 1 && receipt.fate !== 'waiting' && receipt.fate !== 'handed',
        () => `${tag} is ${receipt.fate}, and its end was told ${settled} times`,
      );
  }

  #ask(chance: Chance): void {
    const { nextTag, book, history, isCramped } = this.#options;
    const tag = `r${nextTag()}`;
    const options = { timeoutMs: REQUEST_MS, ...(chance.happens(0.3) && { idempotencyKey: `k${tag}` }) };
    const mayRepeat = 'idempotencyKey' in options;
    history.note(() => `${this.connection.id} asks ${tag}`);
    const text = payloadOf(tag, chance);
    book.sentUp({
      tag,
      connection: this.connection.id,
      mayRepeat,
      lane: null,
      kind: 'request',
      content: { text },
      excuses: ['REQUEST_TIMEOUT', 'NO_CORRELATION', ...(isCramped ? NO_ROOM : [])],
      isLast: false,
    });
    this.#asked.set(tag, history.at);
    this.connection.request(text, options).then(
      (reply) => {
        this.#asked.delete(tag);
        book.toldUp(tag, 'acknowledged');
        history.require(reply === `re:${tag}`, () => `${tag} was answered with ${String(reply)}`);
      },
      (error: unknown) => {
        this.#asked.delete(tag);
        const { outcome, code } = error as MessageError;
        book.toldUp(tag, outcome, code);
      },
    );
  }

  #hear(message: unknown): void {
    const { book, whims, isExposed, history } = this.#options;
    // a reply that nobody waits for any more is a message like any other
    if (typeof message === 'string' && message.startsWith('re:')) return;
    // whoever welcomes a client may speak to it, as long as it keeps the protocol
    if (message === HOSTILE.fair) return;
    const tag = tagOf(message);
    history.require(message !== HOSTILE.foul, () => `${this.connection.id} gets what broke the protocol`);
    // of somebody else's
    if (isExposed && !tag.startsWith('s')) return;
    book.heardDown(this.connection.id, tag, textOf(message));
    if (whims?.happens(0.1)) this.send(whims);
    if (whims?.happens(0.01)) this.#closeForAWhile(whims);
    this.#interrupt();
  }

  #interrupt(): void {
    const deed = this.atNext;
    this.atNext = null;
    deed?.();
  }

  #closeForAWhile(chance: Chance): void {
    if (this.#isCalm) return;
    this.close();
    this.#options.later(chance.pick([0, 5, 3_000]), () => {
      this.connect();
    });
  }

  #turned(previous: string, current: string): void {
    const { history, book, whims } = this.#options;
    const { id } = this.connection;
    history.note(`${id}: ${previous} → ${current}`);
    const hasEnded = current === 'closed' || current === 'failed' || current === 'idle';
    book.turned(id, hasEnded ? 'ended' : current === 'closing' ? 'ending' : 'going on');
    this.#interrupt();
    if (!whims?.happens(0.2)) return;
    if (hasEnded && this.isWanted) this.connect();
    else if (whims.happens(0.8)) this.send(whims);
    else if (whims.happens(0.5)) void this.connection.connect().catch(() => undefined);
    else this.#closeForAWhile(whims);
  }
}

function excusesOf({ volatile, ttlMs, coalesceKey }: SendOptions): string[] {
  return [
    ...(volatile === true ? ['VOLATILE_DROPPED'] : []),
    ...(ttlMs === undefined ? [] : ['EXPIRED']),
    ...(coalesceKey === undefined ? [] : ['SUPERSEDED']),
  ];
}

function isOrdered({ volatile, coalesceKey }: SendOptions): boolean {
  return volatile !== true && coalesceKey === undefined;
}

function optionsOf(chance: Chance, tag: string): SendOptions {
  if (chance.happens(0.4)) return {};
  return {
    ...(chance.happens(0.1) && { volatile: true }),
    ...(chance.happens(0.5) && { idempotencyKey: `k${tag}` }),
    ...(chance.happens(0.3) && { priority: chance.pick(['critical', 'high', 'normal', 'low'] as const) }),
    ...(chance.happens(0.2) && { ttlMs: Math.floor(chance.between(1, 2_000)) }),
    ...(chance.happens(0.1) && { coalesceKey: chance.pick(['one', 'other']) }),
    ...(chance.happens(0.2) && { type: 'note', headers: { lang: 'en' } }),
  };
}
