import { STEP_IDS, type Finding, type Step, type StepId } from './step.ts';

/** What is known so far, step by step. */
export class Journal {
  readonly steps: Step[] = [];
  readonly #onStep: (step: Step) => void;
  readonly #now: () => number;

  /** `now` is a clock in ms that never runs backwards. */
  constructor(onStep: (step: Step) => void, now: () => number) {
    this.#onStep = onStep;
    this.#now = now;
  }

  /** Takes what was found. */
  note(id: StepId, finding: Finding, durationMs = 0): void {
    const step = { id, ...finding, durationMs: Math.round(durationMs * 10) / 10 };
    this.steps.push(step);
    this.#onStep(step);
  }

  /** Notes what is found by doing something, and how long that took. */
  async take<Found extends Finding>(id: StepId, look: () => Promise<Found>): Promise<Found> {
    const startedAt = this.#now();
    const found = await look();
    const { verdict, detail, facts, advice } = found;
    this.note(id, { verdict, detail, ...(facts && { facts }), ...(advice && { advice }) }, this.#now() - startedAt);
    return found;
  }

  /** Notes as skipped what comes before a step, or up to the end, and was not noted. */
  skipTo(end: StepId | null): void {
    const last = end === null ? STEP_IDS.length : STEP_IDS.indexOf(end);
    const failed = this.steps.findLast(({ verdict }) => verdict === 'failed');
    const detail = failed ? `${failed.id} failed` : 'the connection had ended, or the time was up';
    for (const id of STEP_IDS.slice(0, last)) {
      if (!this.steps.some((step) => step.id === id)) this.note(id, { verdict: 'skipped', detail });
    }
  }
}
