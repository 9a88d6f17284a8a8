import { adviceOn, type Advice, type AdviceFacts, type AdviceId } from './core/advice.ts';
import type { Recommendation } from './health-info.ts';

// what is measured by a time says itself for how long it has been too much
const AGES: readonly AdviceId[] = ['down', 'unmeasured', 'backlog-old'];

/** What is advised on one connection, and since when. */
export class Findings {
  #since: ReadonlyMap<AdviceId, number> = new Map();

  /** What holds now, the gravest first. `at`: epoch ms. */
  of(facts: AdviceFacts, at: number): Recommendation[] {
    const found = adviceOn(facts).map((advice) => ({
      ...advice,
      since: this.#since.get(advice.id) ?? beginningOf(advice, at),
    }));
    this.#since = new Map(found.map(({ id, since }) => [id, since]));
    return found;
  }

  /** The gravest of what is wrong now, in words; `undefined` where nothing is. */
  worst(facts: AdviceFacts): string | undefined {
    return adviceOn(facts).find(({ severity }) => severity !== 'info')?.text;
  }
}

function beginningOf({ id, because: { value, threshold } }: Advice, at: number): number {
  return AGES.includes(id) ? Math.max(0, Math.round(at - (value - threshold))) : at;
}
