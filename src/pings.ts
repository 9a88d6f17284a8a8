// more than are ever under way on a link that is alive; a diagnosis asks many at once, and a link may be shared by many that are diagnosed
const MOST = 32;
const MOST_ASKED = 512;

/** Hears of the round trip of a ping, in ms, and of the time that the peer's own clock showed, where its answer says that. */
export type Answered = (rttMs: number, peerMs?: number) => void;

interface Question {
  at: number;
  answered: Answered | undefined;
}

/** Pings by number, and the round trip of each that is answered: once, and only what was asked. Times in ms on one clock. */
export class Pings {
  readonly #questions = new Map<number, Question>();
  // those that somebody asked for himself
  readonly #asked = new Map<number, Question>();
  #last = 0;

  /** Takes down that a ping goes out now. @returns Its number, from 1. */
  ask(at: number, answered?: Answered): number {
    this.#last += 1;
    const [questions, most] = answered ? [this.#asked, MOST_ASKED] : [this.#questions, MOST];
    questions.set(this.#last, { at, answered });
    // what nobody answers is forgotten, the oldest first
    for (const oldest of questions.keys()) {
      if (questions.size <= most) break;
      questions.delete(oldest);
    }
    return this.#last;
  }

  /**
   * An answer came. @returns The round trip in ms; `null` for one that was not asked for, or came before, or on a clock that ran backwards, and for one that
   * somebody asked for himself: he is told.
   */
  answered(number: number, at: number, peerMs?: number): number | null {
    const question = this.#questions.get(number) ?? this.#asked.get(number);
    this.#questions.delete(number);
    this.#asked.delete(number);
    if (!question || !(at >= question.at)) return null;
    const rttMs = at - question.at;
    if (!question.answered) return rttMs;
    question.answered(rttMs, peerMs);
    return null;
  }

  /** The link is gone: nothing will be answered. */
  clear(): void {
    this.#questions.clear();
    this.#asked.clear();
  }
}
