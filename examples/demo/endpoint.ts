import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Handshake } from './gate.ts';
import type { AppReport, Order, Report } from './server.ts';
import { KEY_VARIABLE } from './tokens.ts';

const SCRIPT = fileURLToPath(new URL('./server.ts', import.meta.url));
const START_WITHIN_MS = 40_000;

export interface EndpointOptions {
  wire: 'plain' | 'holdfast.v1';
  /** What the tokens of its clients are signed with; without one it asks for none. */
  key: string | undefined;
  /** Hears what its application says. */
  told: (report: AppReport) => void;
}

/** The parent's hand on one server process: starts it, hurts it, and hears what its application received. */
export class Endpoint {
  readonly #options: EndpointOptions;
  #child: ChildProcess | undefined;
  // 0 until the first start has found a free one; then every start takes the same
  #port = 0;
  #turnedAway = 0;
  readonly #handshakes: Handshake[] = [];

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How many connections were accepted only to be closed at once. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** The handshakes that it answered. */
  get handshakes(): readonly Handshake[] {
    return this.#handshakes;
  }

  /** Starts the process, on the port it had before if it had one; resolves when it listens. */
  async start(): Promise<void> {
    const child = fork(SCRIPT, [String(this.#port), this.#options.wire], {
      execArgv: ['--import', import.meta.resolve('tsx')],
      // what a process is called with, everybody can read
      env: { ...process.env, [KEY_VARIABLE]: this.#options.key },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error('A server process did not start in time.'));
      }, START_WITHIN_MS);
      child.on('error', reject);
      child.once('exit', () => {
        clearTimeout(timer);
        reject(new Error('A server process ended before it was ready.'));
      });
      child.on('message', (report: Report) => {
        if (report.type === 'turned-away') this.#turnedAway += 1;
        else if (report.type === 'handshake') this.#handshakes.push(report.handshake);
        else if (report.type === 'listening') {
          clearTimeout(timer);
          this.#port = report.port;
          resolve();
        } else this.#options.told(report);
      });
    });
  }

  /** Gives the server an order, and does not wait for it to be carried out. */
  order(order: Order): void {
    // one that has died cannot obey; the demo sees it by what does not happen
    this.#child?.send(order, () => undefined);
  }

  /** Ends the process as a crash would. Resolves when it is gone and everything it had reported is heard. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = Promise.all([once(child, 'exit'), child.connected ? once(child, 'disconnect') : undefined]);
    child.kill('SIGKILL');
    await gone;
  }

  /** The same for the last moments of the parent, when nothing can be waited for. */
  abandon(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Stops the process where it stands: its sockets stay, and the kernel goes on accepting new ones for it. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    this.#child?.kill('SIGCONT');
  }
}
