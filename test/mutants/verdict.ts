/** The part of a report of vitest (`--reporter=json`) that is read. */
export interface Report {
  testResults: {
    name: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] | null }[];
  }[];
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

/** @param status How the process ended; `null` when it was ended. */
export function verdictOn(status: number | null, report: Report | null): Verdict {
  if (status === 0) return { kind: 'passed' };
  if (status === null) return { kind: 'undecided', why: 'the run did not end' };
  const results = report?.testResults ?? [];
  const failed = results.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter((result) => result.status === 'failed')
      .map(({ fullName, failureMessages }) => ({
        by: `\`${name.slice(name.indexOf('/test/') + 1)}\`: ${fullName}`,
        isLate: failureMessages?.every((message) => LATE.test(message)) ?? false,
      })),
  );
  const [proof] = failed.filter(({ isLate }) => !isLate);
  if (proof) return { kind: 'failed', by: proof.by };
  const [late] = failed;
  if (late) return { kind: 'undecided', why: `timed out: ${late.by}` };
  return { kind: 'undecided', why: `could not begin: ${messageOf(results)}` };
}

function messageOf(results: Report['testResults']): string {
  const [message = 'no test was found'] = results.map(({ message }) => message).filter((message) => message !== '');
  return message.split('\n')[0] ?? '';
}
