import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a process does when it is asked to, by name. */
export type Orders = Record<string, (input: never) => unknown>;

/** Whom one can ask to do something, by name. */
export interface Asked<Known extends Orders> {
  ask<Name extends keyof Known & string>(
    order: Name,
    ...[input]: Parameters<Known[Name]> extends [] ? [] : Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>>;
}

interface Question {
  id: number;
  order: string;
  input: unknown;
}

interface Answer {
  id: number;
  output?: unknown;
  error?: string;
}

const DEADLINE_MS = 120_000;
// where each process leaves a profile of its time, if anywhere
const { HOLDFAST_PROFILES: PROFILES } = process.env;

/** A process that does what it is asked. */
export class Process<Known extends Orders> implements Asked<Known> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (output: never) => void; reject: (error: Error) => void }>();
  #asked = 0;

  /** `script`: beside this file. It has to call {@link obey}. */
  constructor(script: string, args: readonly string[] = []) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.#child = fork(path, args, {
      execArgv: ['--expose-gc', ...(PROFILES ? ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`] : []), '--import', 'tsx'],
    });
    this.#child.on('message', ({ id, output, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(output as never);
      else waiting?.reject(new Error(error));
    });
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${script} has ended with ${code}.`));
    });
  }

  ask<Name extends keyof Known & string>(
    order: Name,
    ...[input]: Parameters<Known[Name]> extends [] ? [] : Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${order} takes longer than ${DEADLINE_MS} ms.`));
      }, DEADLINE_MS);
      this.#waiting.set(id, {
        resolve: (output) => {
          clearTimeout(timer);
          resolve(output);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#child.send({ id, order, input } satisfies Question);
    });
  }

  stop(): void {
    this.#child.removeAllListeners('exit');
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** Does what the process that started this one asks, as often as it asks, and ends with it. */
export function obey(orders: Orders): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ id, order, input }: Question) => {
    const answer = (answered: Omit<Answer, 'id'>): void => {
      process.send?.({ id, ...answered } satisfies Answer);
    };
    Promise.resolve()
      .then(() => orders[order]?.(input as never))
      .then(
        (output) => {
          answer({ output });
        },
        (error: unknown) => {
          answer({ error: String((error as Error).stack) });
        },
      );
  });
}
