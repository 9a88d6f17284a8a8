import { adviceOn, type Advice, type AdviceFacts, type AdviceId } from './core/advice.ts';
import type { Recommendation } from './health-info.ts';

const RANKS: readonly Advice['severity'][] = ['critical', 'warning', 'info'];

/** What is advised on one connection, and since when. */
export class Findings {
  #since: ReadonlyMap<AdviceId, number> = new Map();

  /** What holds now, the gravest first. `at`: epoch ms. */
  of(facts: AdviceFacts, at: number): Recommendation[] {
    const found = adviceOn(facts).map((advice) => ({ ...advice, since: this.#since.get(advice.id) ?? at }));
    this.#since = new Map(found.map(({ id, since }) => [id, since]));
    return found.toSorted((one, other) => RANKS.indexOf(one.severity) - RANKS.indexOf(other.severity));
  }

  /** The gravest of what is wrong now, in words; `undefined` where nothing is. */
  worst(facts: AdviceFacts): string | undefined {
    const wrong = adviceOn(facts).filter(({ severity }) => severity !== 'info');
    return (wrong.find(({ severity }) => severity === 'critical') ?? wrong[0])?.text;
  }
}
