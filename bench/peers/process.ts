import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { answerTo, Questions, type Answer, type Asked, type Orders, type Question } from './questions.ts';

// where each process leaves a profile of its time, if anywhere
const { HOLDFAST_PROFILES: PROFILES } = process.env;

/** A process that does what it is asked. */
export class Process<Known extends Orders> implements Asked<Known> {
  readonly #child: ChildProcess;
  readonly ask: Questions<Known>['ask'];

  /** `script`: beside this file. It has to call {@link obey}. */
  constructor(script: string, args: readonly string[] = []) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.#child = fork(path, args, {
      execArgv: ['--expose-gc', ...(PROFILES ? ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`] : []), '--import', 'tsx'],
    });
    const questions = new Questions<Known>((question) => this.#child.send(question));
    this.ask = questions.ask.bind(questions);
    this.#child.on('message', (answer: Answer) => {
      questions.answered(answer);
    });
    this.#child.on('exit', (code) => {
      questions.abandon(`${script} has ended with ${code}.`);
    });
  }

  stop(): void {
    this.#child.removeAllListeners('exit');
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** Does what the process that started this one asks, as often as it asks, and ends with it. */
export function obey(orders: Orders): void {
  // Node reads the stack of each socket's error, and what runs these scripts has it look up where that is in the sources: 14 MB from the first reset on
  process.setSourceMapsEnabled(false);
  process.on('disconnect', () => process.exit());
  process.on('message', (question: Question) => {
    void answerTo(question, orders).then((answer) => process.send?.(answer));
  });
}
