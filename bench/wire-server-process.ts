import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { heard } from './child.ts';
import type { WireCosts, WireOrder, WireReport } from './wire-server.ts';

const script = fileURLToPath(new URL('./wire-server.ts', import.meta.url));

/** The server of the bench of the wire, in a process of its own. */
export class WireServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `ws://127.0.0.1:${port}`;
  }

  /** Resolves once the order is done. */
  async order(order: WireOrder): Promise<void> {
    const done = heard<WireReport>(this.#child);
    this.#child.send(order);
    await done;
  }

  /** Resolves once everything that the server was told to expect has come. */
  async complete(): Promise<void> {
    await heard<WireReport>(this.#child);
  }

  /** What was counted since it was told to begin. */
  async report(): Promise<WireCosts> {
    const costs = heard<WireReport>(this.#child);
    this.#child.send({ do: 'report' } satisfies WireOrder);
    const report = await costs;
    if (typeof report !== 'object' || !('faults' in report)) throw new Error('The server said something else.');
    return report;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** Starts the server. */
export async function startWireServer(): Promise<WireServerProcess> {
  const child = fork(script, [], { execArgv: ['--import', 'tsx'] });
  const report = await heard<WireReport>(child);
  if (typeof report !== 'object' || !('port' in report)) throw new Error('The server did not say where it listens.');
  return new WireServerProcess(child, report.port);
}
