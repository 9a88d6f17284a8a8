import { DecayingCount } from './core/decaying-count.ts';
import { TROUBLE_HALF_LIFE_MS, type Troubles as RecentTroubles } from './core/score.ts';
import type { ErrorCode, HoldfastError } from './errors.ts';
import type { HealthInfo, TroubleCount } from './health-info.ts';

type Kind = keyof HealthInfo['troubles'];

// messages that were lost against everybody's will; of others the application itself disposed
const LOST_MESSAGES: readonly ErrorCode[] = [
  'QUEUE_FULL',
  'DROPPED_FOR_ROOM',
  'EXPIRED',
  'MESSAGE_REJECTED',
  'OUTCOME_UNKNOWN',
  'SEND_FAILED',
];

/** What went wrong with one connection, each trouble once. Times in ms on a clock that never runs backwards. */
export class Troubles {
  readonly #counts: Partial<Record<Kind, DecayingCount>> = {};
  // what the last loss is reported as, in an `error` of its own
  #lossError: HoldfastError | undefined;

  /** An open connection is gone. */
  lost(error: HoldfastError, at: number): void {
    this.#lossError = error;
    this.#count('losses', at);
  }

  /** An error was told; that of a loss is no other trouble. */
  failed(error: HoldfastError, { at, isOpen }: { at: number; isOpen: boolean }): void {
    if (error === this.#lossError || error.category === 'fault') return;
    this.#count(isOpen ? 'errors' : 'failedAttempts', at);
  }

  missed(at: number): void {
    this.#count('missedPongs', at);
  }

  undelivered({ code }: HoldfastError, at: number): void {
    if (LOST_MESSAGES.includes(code)) this.#count('droppedMessages', at);
  }

  /** Of late. */
  recent(at: number): RecentTroubles {
    const { losses, missedPongs, failedAttempts, errors } = this.counts(at);
    return {
      losses: losses.recent,
      missedPongs: missedPongs.recent,
      failedAttempts: failedAttempts.recent,
      errors: errors.recent,
    };
  }

  /** Messages that were lost of late. */
  dropped(at: number): number {
    return this.#countOf('droppedMessages', at).recent;
  }

  counts(at: number): HealthInfo['troubles'] {
    return {
      losses: this.#countOf('losses', at),
      missedPongs: this.#countOf('missedPongs', at),
      failedAttempts: this.#countOf('failedAttempts', at),
      errors: this.#countOf('errors', at),
      droppedMessages: this.#countOf('droppedMessages', at),
    };
  }

  // most connections never know most of them
  #count(kind: Kind, at: number): void {
    (this.#counts[kind] ??= new DecayingCount(TROUBLE_HALF_LIFE_MS)).add(at);
  }

  #countOf(kind: Kind, at: number): TroubleCount {
    const count = this.#counts[kind];
    return count ? { recent: count.valueAt(at), total: count.total } : { recent: 0, total: 0 };
  }
}
