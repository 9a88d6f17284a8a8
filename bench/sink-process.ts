import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { heard } from './child.ts';
import type { SinkOrder, SinkReport } from './sink.ts';

const script = fileURLToPath(new URL('./sink.ts', import.meta.url));

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
    const ready = heard<SinkReport>(this.#child);
    this.#child.send(order);
    await ready;
  }

  /** Resolves with the CPU time that it took since its last connection, in µs, once it has all it expects. */
  async complete(): Promise<number> {
    const report = await heard<SinkReport>(this.#child);
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
  const report = await heard<SinkReport>(child);
  if (typeof report !== 'object' || !('port' in report)) throw new Error('The sink did not say where it listens.');
  return new SinkProcess(child, report.port);
}
