import type { Counted, LostMessage, MessagesAccount } from './explanation.ts';
import { fieldsOf, numberOf, textOf } from './facts.ts';
import type { CountsRecord, FateRecord } from './record.ts';

type Numbers = Omit<Counted, 'at' | 'waiting' | 'stranded'>;

const KEYS = ['accepted', 'sent', 'acknowledged', 'dropped', 'unknown', 'refused', 'received'] as const;
const MOST_CODES = 64;
const MOST_LOSSES = 100;

/** What has become of the messages of one connection. Each count says what came of all of them so far; a new connection of the same id begins at nothing. */
export class Tally {
  /** Messages that are known to be lost, one by one. */
  lost = 0;
  readonly losses: LostMessage[] = [];
  readonly #from: number | null;
  /** Of connections before this one. */
  #before = nothing();
  #last = nothing();
  #waiting = 0;
  /** Those that waited when a count ended, and another began. */
  #stranded = 0;
  /** What was before the time asked about. */
  #base = nothing();
  #at: number | null = null;
  #isNew = true;

  constructor(from: number | null) {
    this.#from = from;
  }

  /** How it stands; `null` where nothing was counted. */
  get total(): Counted | null {
    return this.#at === null
      ? null
      : { at: this.#at, waiting: this.#waiting, stranded: this.#stranded, ...sumOf(this.#before, this.#last).numbers };
  }

  /** The same of the time asked about. */
  get account(): MessagesAccount | null {
    const { total } = this;
    if (!total) return null;
    const { numbers, droppedBy } = sumOf(sumOf(this.#before, this.#last), this.#base, -1);
    return { ...total, ...numbers, droppedBy: Object.fromEntries(droppedBy) };
  }

  /** Another process counts from here on. */
  restart(): void {
    this.#isNew = true;
  }

  count(record: CountsRecord, at: number): void {
    const numbers = Object.fromEntries(KEYS.map((key) => [key, numberOf(record[key]) ?? 0])) as unknown as Numbers;
    const codes = Object.entries(fieldsOf(record.droppedBy)).slice(0, MOST_CODES);
    const droppedBy = new Map(codes.map(([code, count]) => [code.slice(0, MOST_CODES), numberOf(count) ?? 0]));
    if (this.#isNew || KEYS.some((key) => numbers[key] < this.#last.numbers[key])) {
      this.#before = sumOf(this.#before, this.#last);
      this.#stranded += this.#waiting;
    }
    this.#isNew = false;
    this.#last = { numbers, droppedBy };
    this.#waiting = numberOf(record.waiting) ?? 0;
    this.#at = at;
    if (this.#from !== null && at < this.#from) this.#base = sumOf(this.#before, this.#last);
  }

  fate({ fate, direction, id, because }: FateRecord, at: number): void {
    if (direction !== 'out' || !(fate === 'dropped' || fate === 'unknown' || fate === 'refused')) return;
    if (this.#from !== null && at < this.#from) return;
    this.lost += 1;
    if (this.losses.length < MOST_LOSSES) this.losses.push({ at, id: textOf(id), fate, because: textOf(because) });
  }
}

interface Sum {
  numbers: Numbers;
  droppedBy: ReadonlyMap<string, number>;
}

function nothing(): Sum {
  return { numbers: Object.fromEntries(KEYS.map((key) => [key, 0])) as unknown as Numbers, droppedBy: new Map() };
}

function sumOf(one: Sum, other: Sum, sign = 1): Sum {
  const numbers = Object.fromEntries(KEYS.map((key) => [key, one.numbers[key] + sign * other.numbers[key]]));
  const codes = new Set([...one.droppedBy.keys(), ...other.droppedBy.keys()]);
  const pairs = [...codes]
    .slice(0, MOST_CODES)
    .map((code) => [code, (one.droppedBy.get(code) ?? 0) + sign * (other.droppedBy.get(code) ?? 0)] as const);
  return { numbers: numbers as unknown as Numbers, droppedBy: new Map(pairs.filter(([, count]) => count !== 0)) };
}
