import type { InboundData, Transport, TransportEnd, TransportListener } from './transport/transport.ts';

/** What one socket tells, once each. */
export interface LinkReports {
  opened(link: Link): void;
  ended(end: TransportEnd, wasOpen: boolean): void;
}

/** One socket in use: its transport, whoever reads it at present, and the signs of life it gave. */
export class Link implements TransportListener {
  readonly #reports: LinkReports;
  #transport: Transport | undefined;
  #wasOpen = false;
  #reader: ((data: InboundData) => void) | undefined;
  // frames that came before anybody read; handed over in order to the first reader
  #unread: InboundData[] = [];
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

  /** From now on frames go to this reader; without one they are kept. */
  read(reader: ((data: InboundData) => void) | undefined): void {
    this.#reader = reader;
    if (reader) for (const data of this.#unread.splice(0)) reader(data);
  }

  /** Calls back at the next sign of life, once. @returns Takes that back. */
  onceHeard(callback: () => void): () => void {
    this.#onHeard = callback;
    return () => {
      if (this.#onHeard === callback) this.#onHeard = undefined;
    };
  }

  dispose(): void {
    this.#reader = this.#onHeard = undefined;
    this.#unread = [];
    this.#transport?.dispose();
    this.#transport = undefined;
  }

  opened(): void {
    this.#wasOpen = true;
    this.#reports.opened(this);
  }

  received(data: InboundData): void {
    this.heard();
    if (this.#reader) this.#reader(data);
    else this.#unread.push(data);
  }

  heard(): void {
    this.#signsOfLife += 1;
    const callback = this.#onHeard;
    this.#onHeard = undefined;
    callback?.();
  }

  ended(end: TransportEnd): void {
    this.#reports.ended(end, this.#wasOpen);
  }
}
