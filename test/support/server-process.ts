import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('./echo-server.ts', import.meta.url));

/** An echoing WebSocket server in a process of its own, which can be killed, frozen and thawed. */
export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Stops its clock: the kernel still answers for it, it does not. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it on the spot; resolves when it is gone. */
  kill(): Promise<void> {
    return end(this.#child);
  }
}

/** Starts a server process, which is killed when the test is over. */
export async function startServerProcess(port = 0): Promise<ServerProcess> {
  const child = fork(script, [String(port)], { execArgv: ['--import', 'tsx'] });
  onTestFinished(() => end(child));
  const [actual] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(failed)])) as [number];
  return new ServerProcess(child, actual);
}

function failed([code]: unknown[]): never {
  throw new Error(`The server process ended with ${String(code)} before it listened.`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
