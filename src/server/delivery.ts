import type { WindowLimits } from '../core/ledger.ts';
import { WireClose } from '../protocol/close-codes.ts';
import { ProtocolViolation } from '../protocol/violation.ts';
import { frameBytesOf, Run, weighed, weightOf, type WeighedMessage } from '../protocol/framing.ts';
import { InFlight } from './in-flight.ts';
import type { Link } from './link.ts';
import type { SessionStore, StoredMessage } from './store.ts';

export interface DeliveryOptions {
  sid: string;
  store: SessionStore;
  /** The position to acknowledge with the next batch, which tells the client of it. */
  tellAccepted: () => number;
  /** The client has been sent everything, for the first time on its socket. */
  caughtUp: () => void;
  /** The store lost what it should have kept, or keeps what the client cannot take: the session cannot go on. */
  broken: (cause: Error) => void;
  fault: (cause: unknown) => void;
}

const PAGE = { messages: 256, bytes: 65_536 };
// messages at hand that need not be read again
const MAX_AT_HAND = 1_024;

/**
 * Carries what the store keeps to the client: in order, each position once a socket, as far as the window allows. What a new socket has
 * missed and what is new are the same list, so that nothing comes between them.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  #link: Link | undefined;
  #top: number;
  // the last position that may have gone by an older socket, which its client listened to until it was welcomed here
  #sentBefore = 0;
  #inFlight: InFlight;
  #window: WindowLimits = { messages: 0, bytes: 0 };
  // what follows the last message sent, as far as it is at hand
  #atHand: WeighedMessage[] = [];
  #isBehind = false;
  #isReading = false;

  constructor(options: DeliveryOptions, { top, acknowledged }: { top: number; acknowledged: number }) {
    this.#options = options;
    this.#top = top;
    this.#inFlight = new InFlight(acknowledged);
  }

  /** The last position that is known to be in the store. */
  get top(): number {
    return this.#top;
  }

  /** The last position that the client has acknowledged. */
  get acknowledged(): number {
    return this.#inFlight.acknowledged;
  }

  /** A socket carries the session. `received`: the last position that its client has. */
  attach(link: Link, { received, top }: { received: number; top: number }): void {
    this.#link = link;
    this.#top = Math.max(this.#top, top);
    this.#sentBefore = top;
    // the socket before may have said more since, and the store may have forgotten that much
    this.#inFlight = new InFlight(Math.max(received, this.#inFlight.acknowledged));
    this.#atHand = [];
    this.#isBehind = true;
    const { m, b } = link.limits.win;
    this.#window = { messages: m, bytes: b };
  }

  detach(): void {
    this.#link = undefined;
    this.#atHand = [];
  }

  /** Whether the client has asked for nothing at all. */
  get isPaused(): boolean {
    return this.#window.messages === 0;
  }

  setWindow(window: WindowLimits): void {
    this.#window = window;
    this.pump();
  }

  /**
   * The client has accepted everything up to a position. @returns Whether that is news.
   *
   * @throws {ProtocolViolation} When so much was never sent.
   */
  acknowledge(upTo: number): boolean {
    if (upTo > this.#inFlight.sent && upTo <= this.#sentBefore) {
      this.#inFlight = new InFlight(upTo);
      this.#atHand = [];
      return true;
    }
    const isNews = this.#inFlight.acknowledge(upTo);
    if (isNews === null) throw new ProtocolViolation(`position ${upTo} was acknowledged and never sent`);
    return isNews;
  }

  /** Messages are in the store, from position `first` on. */
  appended(first: number, messages: readonly WeighedMessage[]): void {
    const isNext = first === this.#inFlight.sent + this.#atHand.length + 1;
    if (this.#link && isNext && this.#atHand.length < MAX_AT_HAND) this.#atHand.push(...messages);
    this.woken(first + messages.length - 1);
  }

  /** The store has messages up to a position. */
  woken(top: number): void {
    this.#top = Math.max(this.#top, top);
    this.pump();
  }

  /** Sends what may be sent. */
  pump(): void {
    const link = this.#link;
    if (!link?.isOpen) return;
    if (this.#mayGo() && this.#atHand.length > 0)
      link.batch(() => {
        this.#pour(link);
      });
    // it may be over by now
    if (link !== this.#link) return;
    if (this.#inFlight.sent >= this.#top) this.#caughtUp();
    else if (this.#mayGo()) void this.#read(link);
  }

  #mayGo(): boolean {
    return this.#inFlight.sent < this.#top && this.#inFlight.hasRoom(this.#window);
  }

  #pour(link: Link): void {
    let taken = 0;
    while (link.isOpen && taken < this.#atHand.length && this.#mayGo()) {
      const first = this.#inFlight.sent + 1;
      const run = new Run(link.limits.frame);
      for (let next = this.#atHand[taken]; next && this.#mayGo() && run.add(next); next = this.#atHand[taken]) {
        this.#inFlight.record(weightOf(next));
        taken += 1;
        if (frameBytesOf(next) > link.limits.frame) return this.#breakOff('a message is larger than the client takes');
      }
      link.sendBatch(run.frame(first, this.#options.tellAccepted()));
    }
    this.#atHand.splice(0, taken);
  }

  async #read(link: Link): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { store, sid, fault } = this.#options;
    const after = this.#inFlight.sent;
    try {
      const page = await store.read(sid, after, PAGE);
      // a page for a socket that is gone is no use to the next
      if (link === this.#link && this.#inFlight.sent === after) this.#take(page);
    } catch (cause) {
      fault(cause);
      // the next socket begins with what this one did not get
      link.close(WireClose.serverFault, 'a fault of the server');
    } finally {
      this.#isReading = false;
    }
    this.pump();
  }

  #take(page: readonly StoredMessage[]): void {
    if (page.length === 0) this.lost();
    else this.#atHand = page.map((message) => weighed(message));
  }

  /** The store knows nothing of messages that were sent: the session cannot go on. Without a socket, resuming it shows what is left. */
  lost(): void {
    if (this.#link) this.#breakOff('the store has lost messages');
  }

  #breakOff(what: string): void {
    this.detach();
    this.#options.broken(new Error(what));
  }

  #caughtUp(): void {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#options.caughtUp();
  }
}
