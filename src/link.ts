import type { FrameData, Transport, TransportEnd, TransportListener } from './transport/transport.ts';

/** What one socket tells, once each. */
export interface LinkReports {
  opened(link: Link): void;
  ended(end: TransportEnd, wasOpen: boolean): void;
  /** A pong came, with the mark of its ping. */
  ponged?(mark: string): void;
}

/** One socket in use: its transport, whoever reads it at present, and the signs of life it gave. */
export class Link implements TransportListener {
  readonly #reports: LinkReports;
  #transport: Transport | undefined;
  #wasOpen = false;
  #reader: ((data: FrameData) => void) | undefined;
  // frames that nobody has read yet
  readonly #unread: FrameData[] = [];
  // whether those that come without a reader are for the next one
  #isHeld = true;
  #signsOfLife = 0;
  #onHeard: (() => void) | undefined;

  /** @throws Whatever `open` throws: then there is no socket. */
  constructor(open: (listener: TransportListener) => Transport, reports: LinkReports) {
    this.#reports = reports;
    this.#transport = open(this);
  }

  /** The transport, until the link is disposed of. */
  get transport(): Transport | undefined {
    return this.#transport;
  }

  /** Inbound frames, pings and pongs so far. */
  get signsOfLife(): number {
    return this.#signsOfLife;
  }

  /** From now on frames go to this reader. What comes after the last reader has gone is dropped, as a closing WebSocket does. */
  read(reader: ((data: FrameData) => void) | undefined): void {
    this.#reader = reader;
    this.#isHeld = false;
    if (!reader) this.#unread.length = 0;
    // a reader may give way to another in the middle
    while (reader && this.#reader === reader) {
      const data = this.#unread.shift();
      if (data === undefined) return;
      reader(data);
    }
  }

  /** The reader gives way to another that is about to come, and hands back what it did not take. */
  hold(...untaken: FrameData[]): void {
    this.#reader = undefined;
    this.#isHeld = true;
    this.#unread.unshift(...untaken);
  }

  /** Calls back at the next sign of life, once. @returns Takes that back. */
  onceHeard(callback: () => void): () => void {
    this.#onHeard = callback;
    return () => {
      if (this.#onHeard === callback) this.#onHeard = undefined;
    };
  }

  dispose(): void {
    this.#onHeard = undefined;
    this.read(undefined);
    this.#transport?.dispose();
    this.#transport = undefined;
  }

  opened(): void {
    this.#wasOpen = true;
    this.#reports.opened(this);
  }

  received(data: FrameData): void {
    this.heard();
    // what waits comes first, also while it is being handed over
    if (this.#reader && this.#unread.length === 0) this.#reader(data);
    else if (this.#reader || this.#isHeld) this.#unread.push(data);
  }

  heard(mark?: string): void {
    this.#signsOfLife += 1;
    const callback = this.#onHeard;
    this.#onHeard = undefined;
    callback?.();
    if (mark !== undefined) this.#reports.ponged?.(mark);
  }

  ended(end: TransportEnd): void {
    this.#reports.ended(end, this.#wasOpen);
  }
}
