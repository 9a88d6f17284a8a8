import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const DEADLINE_MS = 30_000;

/** What a child process says next. */
export async function heard<Report>(child: ChildProcess): Promise<Report> {
  try {
    const [report] = (await once(child, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [Report];
    return report;
  } catch (cause) {
    throw new Error(`The other process said nothing for ${DEADLINE_MS} ms: some messages never arrived.`, { cause });
  }
}
