import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

const programs = {
  server: fileURLToPath(new URL('./server.ts', import.meta.url)),
  client: fileURLToPath(new URL('./client.ts', import.meta.url)),
};

export type ProgramName = keyof typeof programs;

/** Makes the programs ready in a directory: bundled from the source, for a process that is to start at once. */
export async function bundlePrograms(directory: string): Promise<void> {
  await build({
    entryPoints: programs,
    outdir: directory,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
  });
}

/** One of the programs, in a process that does what it is asked, and can be stopped and killed. */
export class Obedient {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'close');
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it wrote there so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Whether the kernel knows it still: one that has ended does until its parent has heard of it. */
  get isThere(): boolean {
    try {
      return process.kill(this.pid, 0);
    } catch {
      return false;
    }
  }

  /** Waits for what it says next, when it is well. @throws Error when it ends instead. */
  async says(): Promise<unknown> {
    const ended = this.#ended.then(([code, signal]) => {
      throw new Error(`The process ended with ${String(code ?? signal)}: ${this.#stderr}`);
    });
    const [said] = (await Promise.race([once(this.#child, 'message'), ended])) as [unknown];
    return said;
  }

  /** Asks it something by its name. @returns What it answers. */
  async ask<Answer = null>(name: string): Promise<Answer> {
    const said = this.says();
    this.#child.send(name);
    return ((await said) as { answered: Answer }).answered;
  }

  /** Stops its clock: the kernel still answers for it, it does not. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Resolves with its exit code, or the signal, once it has ended by itself; after the deadline by force. */
  async end(deadlineMs = 5_000): Promise<unknown> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs);
    const [code, signal] = await this.#ended;
    clearTimeout(timer);
    return code ?? signal;
  }

  /** Ends it on the spot; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Starts a program, which is killed when the test is over. Resolves once it is ready. */
export async function startObedient(
  program: ProgramName,
  { directory, args }: { directory: string; args: readonly (string | number)[] },
): Promise<Obedient> {
  const child = fork(join(directory, `${program}.cjs`), args.map(String), {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const obedient = new Obedient(child);
  onTestFinished(() => obedient.kill());
  await obedient.says();
  return obedient;
}
