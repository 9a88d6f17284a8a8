import { descents, repeats } from './sequence.ts';

/** What is known of one message. */
interface Entry {
  /** Whether the connection could not be used when it was sent. */
  waited: boolean;
  /** What its receipt said. */
  fate: 'pending' | 'handed' | 'acknowledged' | 'dropped' | 'unknown';
  /** Which socket was in use when its receipt settled; 0 for none. */
  generation: number;
  /** Why it was dropped. */
  code: string;
}

/** The messages of one service, in sums. Once everything has settled: `accepted` = `delivered` + `dropped` + `unknown`. */
export interface Sums {
  accepted: number;
  /** The server's application reported them, and no receipt calls them unknown. */
  delivered: number;
  /** The receipt said so: only holdfast.v1 does. */
  acknowledged: number;
  /** The receipt said that they will not be sent, by error code. */
  dropped: Record<string, number>;
  /**
   * On a plain wire: handed to a socket, and never reported by the server, which the client cannot tell. On holdfast.v1: the receipt
   * said that nobody knows.
   */
  unknown: number;
  /** How many whose receipt said so were reported by the server all the same. */
  unknownArrived: number;
  /** How many were sent while the connection could not be used, whatever became of them. */
  waited: number;
  /** How many of those are unknown. */
  waitedUnknown: number;
  /** How many came back. */
  echoed: number;
  /** How many of those the server's receipts call accepted; only on holdfast.v1. */
  echoesConfirmed: number;
}

/** The account of every message of one service, from what the receipts said and what the server really received. */
export class Ledger {
  // by number, from 1
  readonly #entries = new Map<number, Entry>();
  // the numbers as the server's application reported them, in that order
  readonly #received: number[] = [];
  readonly #echoes: number[] = [];
  #confirmedEchoes = 0;
  #lastEchoAt = 0;

  /** Begins the account of the next message; gives its number. */
  open(waited: boolean): number {
    const number = this.#entries.size + 1;
    this.#entries.set(number, { waited, fate: 'pending', generation: 0, code: '' });
    return number;
  }

  /** The receipt said: handed to the socket; 0 when there was none to hand it to. */
  handed(number: number, generation: number): void {
    Object.assign(this.#entry(number), { fate: 'handed', generation });
  }

  /** The receipt said: the server's application has accepted it. */
  acknowledged(number: number, generation: number): void {
    Object.assign(this.#entry(number), { fate: 'acknowledged', generation });
  }

  /** The receipt said: nobody knows. */
  inDoubt(number: number, generation: number): void {
    Object.assign(this.#entry(number), { fate: 'unknown', generation });
  }

  /** The receipt said: it will not be sent. */
  dropped(number: number, code: string): void {
    Object.assign(this.#entry(number), { fate: 'dropped', code });
  }

  /** The server's application received it. */
  received(number: number): void {
    this.#received.push(number);
  }

  /** The echo came back. */
  echoed(number: number): void {
    this.#echoes.push(number);
    this.#lastEchoAt = performance.now();
  }

  /** The receipt that the server's application has for an echo says: accepted. */
  echoConfirmed(): void {
    this.#confirmedEchoes += 1;
  }

  get lastEchoAt(): number {
    return this.#lastEchoAt;
  }

  /** The numbers as the server's application reported them. */
  get arrived(): readonly number[] {
    return this.#received;
  }

  /** The numbers as they came back. */
  get returned(): readonly number[] {
    return this.#echoes;
  }

  /** How many messages a socket took and the server has not reported. */
  unreportedOn(generation: number): number {
    return this.#unreported('handed', 'acknowledged').filter(([, entry]) => entry.generation === generation).length;
  }

  /** Whether the server has reported all that was acknowledged, and all that it reported has come back, as it knows. */
  get isReturned(): boolean {
    const reported = this.#received.length;
    return (
      this.#unreported('acknowledged').length === 0 && Math.min(this.#echoes.length, this.#confirmedEchoes) >= reported
    );
  }

  /** How many receipts have said nothing yet. */
  get pending(): number {
    return this.#count(({ fate }) => fate === 'pending');
  }

  get sums(): Sums {
    const unknown = this.#unknown();
    const received = new Set(this.#received);
    const arrived = [...received].filter((number) => this.#entries.get(number)?.fate === 'unknown').length;
    const dropped: Record<string, number> = {};
    for (const { fate, code } of this.#entries.values()) {
      if (fate === 'dropped') dropped[code] = (dropped[code] ?? 0) + 1;
    }
    return {
      accepted: this.#entries.size,
      delivered: received.size - arrived,
      acknowledged: this.#count(({ fate }) => fate === 'acknowledged'),
      dropped,
      unknown: unknown.length,
      unknownArrived: arrived,
      waited: this.#count(({ waited }) => waited),
      waitedUnknown: unknown.filter(([, { waited }]) => waited).length,
      echoed: this.#echoes.length,
      echoesConfirmed: this.#confirmedEchoes,
    };
  }

  /** How many messages became unknown with the sockets from one generation to before another. */
  unknownBetween(first: number, end: number): number {
    return this.#unknown().filter(([, { generation }]) => generation >= first && generation < end).length;
  }

  /** Numbers that the server received twice, or that came back twice. */
  get repeated(): number[] {
    return [...repeats(this.#received), ...repeats(this.#echoes)];
  }

  /** Numbers that arrived after a later one, at the server or back here. */
  get overtaken(): number[] {
    return [...descents(this.#received), ...descents(this.#echoes)];
  }

  /** Numbers whose receipt says what cannot be, or that came back without having been received. */
  get contradicted(): number[] {
    const received = new Set(this.#received);
    return [
      ...[...this.#entries.keys()].filter(
        (number) => this.#entry(number).fate === 'handed' && !this.#entry(number).generation,
      ),
      ...this.#received.filter((number) =>
        ['pending', 'dropped'].includes(this.#entries.get(number)?.fate ?? 'dropped'),
      ),
      ...this.#echoes.filter((number) => !received.has(number)),
    ];
  }

  /**
   * Messages that never arrived, which nothing excuses. An acknowledged one has arrived. A plain socket carries its messages in order,
   * so what its death can swallow is its tail: a gap before a delivered message, or on a socket that is still alive, is a loss.
   */
  lost(isDead: (generation: number) => boolean): number[] {
    const lastDelivered = new Map<number, number>();
    for (const number of this.#received) {
      const { generation } = this.#entry(number);
      lastDelivered.set(generation, Math.max(number, lastDelivered.get(generation) ?? 0));
    }
    const isExcused = (number: number, { fate, generation }: Entry): boolean =>
      fate === 'handed' && isDead(generation) && number >= (lastDelivered.get(generation) ?? 0);
    return this.#unreported('handed', 'acknowledged')
      .filter(([number, entry]) => !isExcused(number, entry))
      .map(([number]) => number);
  }

  #unknown(): [number, Entry][] {
    return [...this.#unreported('handed'), ...[...this.#entries].filter(([, { fate }]) => fate === 'unknown')];
  }

  #unreported(...fates: readonly Entry['fate'][]): [number, Entry][] {
    const received = new Set(this.#received);
    return [...this.#entries].filter(([number, { fate }]) => fates.includes(fate) && !received.has(number));
  }

  #count(condition: (entry: Entry) => boolean): number {
    return [...this.#entries.values()].filter(condition).length;
  }

  #entry(number: number): Entry {
    const entry = this.#entries.get(number);
    if (!entry) throw new Error(`There is no message ${number}.`);
    return entry;
  }
}
