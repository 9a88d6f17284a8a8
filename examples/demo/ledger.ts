/** What is known of one message. */
interface Entry {
  /** Whether the connection could not be used when it was sent. */
  waited: boolean;
  /** What its receipt said. */
  fate: 'pending' | 'handed' | 'dropped';
  /** Which socket it was handed to; 0 for none. */
  generation: number;
  /** Why it was dropped. */
  code: string;
}

/** The messages of one service, in sums. Once everything has settled: `accepted` = `delivered` + `dropped` + `unknown`. */
export interface Sums {
  accepted: number;
  /** The server's application reported them. */
  delivered: number;
  /** The receipt said that they will not be sent, by error code. */
  dropped: Record<string, number>;
  /** Handed to a socket, and never reported by the server: on a plain wire the client cannot tell. */
  unknown: number;
  /** How many were sent while the connection could not be used, whatever became of them. */
  waited: number;
  /** How many of those are unknown. */
  waitedUnknown: number;
  /** How many came back. */
  echoed: number;
}

/** The account of every message of one service, from what the receipts said and what the server really received. */
export class Ledger {
  // by number, from 1
  readonly #entries = new Map<number, Entry>();
  // the numbers as the server's application reported them, in that order
  readonly #received: number[] = [];
  readonly #echoes: number[] = [];
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

  get lastEchoAt(): number {
    return this.#lastEchoAt;
  }

  /** How many messages a socket took and the server has not reported. */
  unreportedOn(generation: number): number {
    return this.#unknown().filter(([, entry]) => entry.generation === generation).length;
  }

  /** How many receipts have said nothing yet. */
  get pending(): number {
    return this.#count(({ fate }) => fate === 'pending');
  }

  get sums(): Sums {
    const unknown = this.#unknown();
    const dropped: Record<string, number> = {};
    for (const { fate, code } of this.#entries.values()) {
      if (fate === 'dropped') dropped[code] = (dropped[code] ?? 0) + 1;
    }
    return {
      accepted: this.#entries.size,
      delivered: new Set(this.#received).size,
      dropped,
      unknown: unknown.length,
      waited: this.#count(({ waited }) => waited),
      waitedUnknown: unknown.filter(([, { waited }]) => waited).length,
      echoed: this.#echoes.length,
    };
  }

  /** How many unknown messages went to the sockets from one generation to before another. */
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
      ...this.#received.filter((number) => this.#entries.get(number)?.fate !== 'handed'),
      ...this.#echoes.filter((number) => !received.has(number)),
    ];
  }

  /**
   * Unknown messages that nothing excuses. A socket carries its messages in order, so what its death can swallow is its tail:
   * a gap before a delivered message, or on a socket that is still alive, is a loss.
   */
  lost(isDead: (generation: number) => boolean): number[] {
    const lastDelivered = new Map<number, number>();
    for (const number of this.#received) {
      const { generation } = this.#entry(number);
      lastDelivered.set(generation, Math.max(number, lastDelivered.get(generation) ?? 0));
    }
    return this.#unknown()
      .filter(([number, { generation }]) => !isDead(generation) || number < (lastDelivered.get(generation) ?? 0))
      .map(([number]) => number);
  }

  #unknown(): [number, Entry][] {
    const received = new Set(this.#received);
    return [...this.#entries].filter(([number, { fate }]) => fate === 'handed' && !received.has(number));
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

function repeats(numbers: readonly number[]): number[] {
  const seen = new Set<number>();
  return numbers.filter((number) => seen.size === seen.add(number).size);
}

function descents(numbers: readonly number[]): number[] {
  return numbers.filter((number, index) => number < (numbers[index - 1] ?? 0));
}
