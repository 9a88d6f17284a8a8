/** What became of the tests of one file. */
export interface Outcome {
  /** From the root of the repository. */
  file: string;
  passed: number;
  failed: readonly { title: string; messages: readonly string[] }[];
  /** What went wrong outside of every test. */
  errors: readonly string[];
}

/** What became of a run of tests. */
export type Verdict =
  /** Every test passed. */
  | { kind: 'passed' }
  /** An assertion failed: this is the first. */
  | { kind: 'failed'; by: string }
  /** Something ended it that proves nothing: a machine that is busy does the same to code that is right. */
  | { kind: 'undecided'; why: string };

const LATE = /\b(Test|Hook) timed out in \d+\s?ms/;

export function verdictOn(outcomes: readonly Outcome[]): Verdict {
  const failed = outcomes.flatMap(({ file, failed }) =>
    failed.map(({ title, messages }) => ({
      by: `\`${file}\`: ${title}`,
      isLate: messages.length > 0 && messages.every((message) => LATE.test(message)),
    })),
  );
  const [proof] = failed.filter(({ isLate }) => !isLate);
  if (proof) return { kind: 'failed', by: proof.by };
  const [late] = failed;
  if (late) return { kind: 'undecided', why: `timed out: ${late.by}` };
  const [error] = outcomes.flatMap(({ errors }) => errors);
  if (error !== undefined) return { kind: 'undecided', why: `could not begin: ${error.split('\n')[0] ?? ''}` };
  if (outcomes.every(({ passed }) => passed === 0)) return { kind: 'undecided', why: 'no test ran' };
  return { kind: 'passed' };
}
