const { process: node } = globalThis as { process?: { env: Record<string, string | undefined> } };

/** By `npm run bench -- --verify`: everything that is promised of a message is checked while it is measured, and the figures are worth less. */
export const IS_VERIFYING = node?.env['HOLDFAST_VERIFY'] === '1';

/** What somebody holds who has sent a message. */
interface Promised<Outcome> {
  readonly settled: Promise<Outcome>;
}

/** What was promised of the messages that were sent. */
export class Promises<Outcome> {
  readonly #isKept: (outcome: Outcome) => boolean;
  #made: Promised<Outcome>[] = [];

  /** `isKept`: whether that is what was promised. A promise that rejects is broken. */
  constructor(isKept: (outcome: Outcome) => boolean) {
    this.#isKept = isKept;
  }

  made(promised: Promised<Outcome>): void {
    if (IS_VERIFYING) this.#made.push(promised);
  }

  /** Rejects when one of those made so far was broken. */
  async kept(): Promise<void> {
    for (const { settled } of this.#made.splice(0)) {
      const outcome = await settled;
      if (!this.#isKept(outcome))
        throw new Error(`A message had another end than was promised: ${JSON.stringify(outcome)}`);
    }
  }
}
