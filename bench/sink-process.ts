import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { SinkOrder, SinkReport } from './sink.ts';

const script = fileURLToPath(new URL('./sink.ts', import.meta.url));
const DEADLINE_MS = 30_000;

/** The server of a bench, which runs in a process of its own and measures itself. */
export class SinkProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `ws://127.0.0.1:${port}`;
  }

  /** Makes it ready for the next connection. */
  async expect(order: SinkOrder): Promise<void> {
    const ready = heard(this.#child);
    this.#child.send(order);
    await ready;
  }

  /** Resolves with the CPU time that it took since its last connection, in µs, once it has all it expects. */
  async complete(): Promise<number> {
    const report = await heard(this.#child);
    if (typeof report !== 'object' || !('cpuMicros' in report)) throw new Error('The sink said something else.');
    return report.cpuMicros;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** Starts a sink. */
export async function startSink(): Promise<SinkProcess> {
  const child = fork(script, [], { execArgv: ['--import', 'tsx'] });
  const report = await heard(child);
  if (typeof report !== 'object' || !('port' in report)) throw new Error('The sink did not say where it listens.');
  return new SinkProcess(child, report.port);
}

async function heard(child: ChildProcess): Promise<SinkReport> {
  try {
    const [report] = (await once(child, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [SinkReport];
    return report;
  } catch (cause) {
    throw new Error(`The sink said nothing for ${DEADLINE_MS} ms: some messages never arrived.`, { cause });
  }
}
