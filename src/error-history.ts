import type { ErrorCategory, ErrorCode, ErrorRecord, HoldfastError } from './errors.ts';

/** What has gone wrong, in numbers: each trouble once. A copy: it does not change. */
export interface ErrorStatistics {
  /** When counting began, in ms since the epoch. */
  since: number;
  total: number;
  /** After which the library went on by itself. */
  recoverable: number;
  unrecoverable: number;
  byCategory: Readonly<Partial<Record<ErrorCategory, number>>>;
  byCode: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Of errors that belong to a service. */
  byServiceType: Readonly<Record<string, number>>;
}

/** An error that happened: plain data, without what others wrote. */
export interface ErrorEntry extends ErrorRecord {
  /** When, in ms since the epoch. */
  at: number;
}

/** Which entries are wanted. Conditions that are left out hold always. */
export interface ErrorHistoryFilter {
  serviceType?: string;
  category?: ErrorCategory;
  /** The newest so many. @default all that are kept */
  limit?: number;
}

export interface ErrorHistoryOptions {
  /** Epoch ms. */
  now: () => number;
  /** How many entries are kept. */
  limit: () => number;
}

// told to whoever asks what became of a message, and no trouble: the application wanted it so
const ASKED_FOR: readonly ErrorCode[] = [
  'CLOSED_LOCALLY',
  'SEND_CANCELLED',
  'SEND_ABORTED',
  'SUPERSEDED',
  'PURGED',
  'VOLATILE_DROPPED',
];

/** What has gone wrong in one service: counted, and the last of it kept. */
export class ErrorHistory {
  readonly #options: ErrorHistoryOptions;
  #entries: ErrorEntry[] = [];
  #since: number;
  #recoverable = 0;
  readonly #byCategory = new Map<ErrorCategory, number>();
  readonly #byCode = new Map<ErrorCode, number>();
  readonly #byServiceType = new Map<string, number>();

  constructor(options: ErrorHistoryOptions) {
    this.#options = options;
    this.#since = options.now();
  }

  record(error: HoldfastError): void {
    const { code, category, serviceType, retryable } = error;
    if (ASKED_FOR.includes(code)) return;
    if (retryable) this.#recoverable += 1;
    count(this.#byCode, code);
    count(this.#byCategory, category);
    if (serviceType !== undefined) count(this.#byServiceType, serviceType);
    this.#entries.push(Object.freeze({ at: this.#options.now(), ...error.toJSON() }));
    this.#trim();
  }

  get statistics(): ErrorStatistics {
    const total = [...this.#byCode.values()].reduce((sum, each) => sum + each, 0);
    return {
      since: this.#since,
      total,
      recoverable: this.#recoverable,
      unrecoverable: total - this.#recoverable,
      byCategory: Object.fromEntries(this.#byCategory),
      byCode: Object.fromEntries(this.#byCode),
      byServiceType: Object.fromEntries(this.#byServiceType),
    };
  }

  /** The errors that were kept, oldest first. */
  entries({ serviceType, category, limit = Infinity }: ErrorHistoryFilter = {}): ErrorEntry[] {
    this.#trim();
    const wanted = this.#entries.filter(
      (entry) =>
        (serviceType === undefined || entry.serviceType === serviceType) &&
        (category === undefined || entry.category === category),
    );
    return wanted.slice(Math.max(0, wanted.length - limit));
  }

  /** Forgets everything; counting begins anew. */
  clear(): void {
    this.#entries = [];
    this.#since = this.#options.now();
    this.#recoverable = 0;
    for (const counts of [this.#byCategory, this.#byCode, this.#byServiceType]) counts.clear();
  }

  // the limit can have changed since
  #trim(): void {
    this.#entries.splice(0, Math.max(0, this.#entries.length - this.#options.limit()));
  }
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
