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
    const done = heard(this.#child, isDone);
    this.#child.send(order);
    await done;
  }

  /** Resolves once everything that the server was told to expect has come. */
  async complete(): Promise<void> {
    await heard(this.#child, isComplete);
  }

  /** What was counted since it was told to begin. */
  async report(): Promise<WireCosts> {
    const costs = heard(this.#child, areCosts);
    this.#child.send({ do: 'report' } satisfies WireOrder);
    return costs;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** Starts the server. */
export async function startWireServer(): Promise<WireServerProcess> {
  const child = fork(script, [], { execArgv: ['--import', 'tsx'] });
  const { port } = await heard(child, isPort);
  return new WireServerProcess(child, port);
}

// what comes late, after nobody waited for it any more, is no answer to anything else
const isDone = (report: WireReport): report is 'done' => report === 'done';
const isComplete = (report: WireReport): report is 'complete' => report === 'complete';
const areCosts = (report: WireReport): report is WireCosts => typeof report === 'object' && 'faults' in report;
const isPort = (report: WireReport): report is { port: number } => typeof report === 'object' && 'port' in report;
