import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

/** How a program ended. */
export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it reported last, as `report` of `scenarios.ts` does. */
  result: unknown;
  stderr: string;
}

export interface ProgramOptions {
  /** Options of Node itself. */
  node?: string[];
  args?: string[];
  /** A command and its arguments that run Node. @default none */
  under?: string[];
  /** After this time it is killed, and its end tells so. */
  deadlineMs?: number;
}

/** A scenario in a plain Node process: no test runner, no loader. */
export class Program {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #stdout = '';
  #stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it reported so far, oldest first. */
  get reports(): unknown[] {
    return this.#stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
  }

  /** Resolves when it has ended by itself, or at the deadline by force. */
  async end(deadlineMs = 10_000): Promise<ProgramEnd> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs);
    const [code, signal] = (await this.#closed) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    return { code, signal, result: this.reports.at(-1), stderr: this.#stderr };
  }

  /** Stops its clock. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

let directory = '';
let bundle = '';

/** Makes `startProgram` and `runProgram` ready for the tests of a file: bundles the scenarios from the source. */
export function usePrograms(): void {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-'));
    bundle = join(directory, 'scenarios.cjs');
    await build({
      entryPoints: [fileURLToPath(new URL('./scenarios.ts', import.meta.url))],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      logLevel: 'error',
    });
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
}

/** Starts a scenario by its name; it is killed when the test is over. */
export function startProgram(scenario: string, { node = [], args = [], under = [] }: ProgramOptions = {}): Program {
  const [command = '', ...rest] = [...under, process.execPath, ...node, bundle, scenario, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const program = new Program(child);
  onTestFinished(() => program.kill());
  return program;
}

/** Runs a scenario to its end. */
export async function runProgram(scenario: string, options: ProgramOptions = {}): Promise<ProgramEnd> {
  return startProgram(scenario, options).end(options.deadlineMs);
}
