import type { ChildProcess } from 'node:child_process';
import { on } from 'node:events';

const DEADLINE_MS = 60_000;

/** What a child process says next; of what `isWanted`, if that is given. */
export async function heard<Report, Wanted extends Report = Report>(
  child: ChildProcess,
  isWanted: (report: Report) => report is Wanted = (report): report is Wanted => report !== undefined,
): Promise<Wanted> {
  try {
    for await (const [report] of on(child, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) }) as AsyncIterable<
      [Report]
    >)
      if (isWanted(report)) return report;
  } catch (cause) {
    throw new Error(`The other process said nothing for ${DEADLINE_MS} ms: some messages never arrived.`, { cause });
  }
  throw new Error('The other process says nothing any more.');
}
