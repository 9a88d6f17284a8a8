import { Emitter } from './core/emitter.ts';
import type { HoldfastError, InboundError } from './errors.ts';
import { MessageIteration } from './core/iteration.ts';
import type { Clock } from './transport/clock.ts';
import type { Payload } from './protocol/profile.ts';
import type { WireMeta } from './protocol/frames.ts';

/** What the peer sent beside a message. Only `holdfast.v1` has a place for it. */
export interface MessageMeta {
  /** What the peer calls this kind of message. */
  type?: string;
  headers?: Readonly<Record<string, string>>;
  /** Its idempotency key. */
  key?: string;
}

/** Called with each message, and what came beside it. */
export type MessageListener = (message: unknown, meta: MessageMeta | undefined) => unknown;

interface InboxEvents {
  message: Received;
  ended: HoldfastError | null;
}

interface Received {
  message: unknown;
  meta: MessageMeta | undefined;
}

interface Held {
  payload: Payload;
  meta: WireMeta | undefined;
}

export interface InboxOptions {
  clock: Clock;
  /** @throws {InboundError} When a frame is no message of this wire. */
  decode: (payload: Payload) => unknown;
  /** Hears of each frame that is no message; it goes no further. */
  undecodable: (error: InboundError) => void;
  /** Whether a message was for the connection itself, as an answer to a probe or to a request. */
  intercept: (message: unknown, meta: WireMeta | undefined) => boolean;
  /** Hears of each message before any subscriber does. */
  deliver: MessageListener;
  /** Hears what subscribers throw. */
  report: (cause: unknown) => void;
}

/** The way in: frames become messages and go to whoever listens, in order of arrival. */
export class Inbox {
  readonly #emitter: Emitter<InboxEvents>;
  readonly #options: InboxOptions;
  #received = 0;
  // nothing will ever come again
  #over = false;
  // whoever ends the connection inside a frame hears no more of that
  #hasEnded = false;
  // frames held back for a listener that is about to come, and the timer that ends the wait
  #held: { frames: Held[]; timer: unknown } | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#emitter = new Emitter(options.report);
  }

  /** Messages received so far. */
  get received(): number {
    return this.#received;
  }

  /**
   * A socket begins to be read. While nobody listens yet, what comes in the same turn is held back to the turn's end: a
   * peer's first frame can arrive together with the handshake, before the code that awaits the connection can subscribe.
   */
  attach(): void {
    this.#hasEnded = false;
    if (this.#held || this.#emitter.has('message')) return;
    const timer = this.#options.clock.setTimeout(() => {
      this.#release();
    }, 0);
    this.#held = { frames: [], timer };
  }

  receive(payload: Payload, meta?: WireMeta): void {
    if (this.#hasEnded) return;
    this.#received += 1;
    if (this.#held) this.#held.frames.push({ payload, meta });
    else this.#hand(payload, meta);
  }

  /** @returns Ends the subscription. */
  subscribe(listener: MessageListener): () => void {
    return this.#emitter.on('message', ({ message, meta }) => listener(message, meta));
  }

  /** The socket is read no more: what was held back has waited long enough. */
  detach(): void {
    this.#release();
  }

  /** The connection has ended: so does every iteration, normally or with the error that ended it. Nothing is handed over until another socket is read. */
  end(error: HoldfastError | null): void {
    this.#hasEnded = true;
    this.#emitter.emit('ended', error);
  }

  /** Lets go of every listener. */
  clear(): void {
    this.#release();
    this.#over = true;
    this.end(null);
    this.#emitter.clear();
  }

  #release(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    this.#options.clock.clearTimeout(held.timer);
    for (const { payload, meta } of held.frames) {
      if (this.#hasEnded) return;
      this.#hand(payload, meta);
    }
  }

  #hand(payload: Payload, wireMeta: WireMeta | undefined): void {
    let message: unknown;
    try {
      message = this.#options.decode(payload);
    } catch (error) {
      this.#options.undecodable(error as InboundError);
      return;
    }
    if (this.#options.intercept(message, wireMeta)) return;
    const meta = wireMeta && metaOf(wireMeta);
    this.#options.deliver(message, meta);
    this.#emitter.emit('message', { message, meta });
  }

  /** Messages from now on, over every reconnection, until the connection ends; see {@link MessageIteration}. */
  iterate(maxBuffered: number): MessageIteration {
    const iteration: MessageIteration = new MessageIteration(maxBuffered, () => {
      endMessages();
      endEnds();
    });
    const endMessages = this.subscribe((message) => {
      iteration.push(message);
    });
    const endEnds = this.#emitter.on('ended', (error) => {
      iteration.end(error);
    });
    if (this.#over) iteration.end(null);
    return iteration;
  }
}

function metaOf({ n: type, h: headers, k: key }: WireMeta): MessageMeta {
  const meta: MessageMeta = {};
  if (type !== undefined) meta.type = type;
  if (headers) meta.headers = headers;
  if (key !== undefined) meta.key = key;
  return meta;
}
