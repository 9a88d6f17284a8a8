import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createVitest, type Reporter, type TestModule, type Vitest } from 'vitest/node';

import type { Break } from './mutant.ts';
import { verdictOn, type Outcome, type Verdict } from './verdict.ts';

export const ROOT = join(import.meta.dirname, '../..');

// what takes longer than this does not end
const MOST_MS = 240_000;

/** Which tests are run. */
export interface Selection {
  /** Beginnings of the paths of their files. */
  tests: readonly string[];
  /** One of them alone. */
  title?: string;
}

/** The project once more, to be broken. */
export class Copy {
  readonly #path = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'));
  #vitest: Vitest | undefined;
  // of the run that goes on
  #outcomes: Outcome[] = [];

  constructor() {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
    const files = listed.toString().split('\0');
    for (const file of files.filter((name) => name !== '' && existsSync(join(ROOT, name)))) {
      mkdirSync(dirname(join(this.#path, file)), { recursive: true });
      copyFileSync(join(ROOT, file), join(this.#path, file));
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.#path, 'node_modules'));
  }

  /** Runs tests with some rules broken, which are mended afterwards. Ends at the first that fails. */
  async run(breaks: readonly Break[], selection: Selection): Promise<Verdict> {
    const vitest = await this.#started();
    const whole = new Map<string, string>();
    const write = (path: string, text: string): void => {
      writeFileSync(path, text);
      vitest.invalidateFile(path);
    };
    try {
      for (const { file, from, to } of breaks) {
        const path = join(this.#path, file);
        const text = readFileSync(path, 'utf8');
        if (!whole.has(path)) whole.set(path, text);
        if (!text.includes(from)) throw new Error(`This is not in ${file}: ${from}`);
        write(
          path,
          text.replace(from, () => to),
        );
      }
      return await this.#tested(vitest, selection);
    } finally {
      for (const [path, text] of whole) write(path, text);
    }
  }

  async remove(): Promise<void> {
    await this.#vitest?.close();
    rmSync(this.#path, { recursive: true });
  }

  async #tested(vitest: Vitest, { tests, title }: Selection): Promise<Verdict> {
    this.#outcomes = [];
    if (title === undefined) vitest.resetGlobalTestNamePattern();
    else vitest.setGlobalTestNamePattern(new RegExp(`^ ?${literal(title)}$`));
    const specifications = await vitest.globTestSpecifications([...tests]);
    const { unhandledErrors } = await ended(vitest.runTestSpecifications(specifications));
    const outside = { file: '', passed: 0, failed: [], errors: unhandledErrors.map(String) };
    return verdictOn([...this.#outcomes, outside]);
  }

  // one for all runs, which reads once what is not broken
  async #started(): Promise<Vitest> {
    // its own record has the results of former runs as well
    const reporter: Reporter = {
      onTestModuleEnd: (module) => {
        this.#outcomes.push(outcomeOf(module));
      },
    };
    this.#vitest ??= await createVitest('test', {
      root: this.#path,
      project: ['unit'],
      watch: false,
      bail: 1,
      // on a machine that is busy
      testTimeout: 60_000,
      pool: 'threads',
      maxWorkers: 1,
      reporters: [reporter],
    });
    return this.#vitest;
  }
}

function outcomeOf(module: TestModule): Outcome {
  const failed = [...module.children.allTests('failed')].map((test) => ({
    title: test.fullName.replaceAll(' > ', ' '),
    messages: test.result().errors?.map(({ message }) => message) ?? [],
  }));
  const passed = [...module.children.allTests('passed')].length;
  return { file: module.relativeModuleId, passed, failed, errors: module.errors().map(({ message }) => message) };
}

/** @throws When it does not end: what hangs in a worker cannot be told to. */
async function ended<Value>(run: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`The tests have not ended within ${MOST_MS} ms.`));
    }, MOST_MS);
  });
  try {
    return await Promise.race([run, hung]);
  } finally {
    clearTimeout(timer);
  }
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
