import { execFileSync, spawn } from 'node:child_process';
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

import type { Break } from './mutant.ts';
import { verdictOn, type Report, type Verdict } from './verdict.ts';

export const ROOT = join(import.meta.dirname, '../..');

// what takes longer than this does not end
const MOST_MS = 240_000;

/** Which tests are run. */
export interface Selection {
  /** Beginnings of the paths of their files. */
  tests: readonly string[];
  /** One of them alone. */
  title?: string;
  /** Whether all are run, whatever fails. @default until the first fails */
  isWhole?: boolean;
}

/** The project once more, to be broken. */
export class Copy {
  readonly #path = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'));

  constructor() {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
    const files = listed.toString().split('\0');
    for (const file of files.filter((name) => name !== '' && existsSync(join(ROOT, name)))) {
      mkdirSync(dirname(join(this.#path, file)), { recursive: true });
      copyFileSync(join(ROOT, file), join(this.#path, file));
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.#path, 'node_modules'));
  }

  /** Runs tests with some rules broken, which are mended afterwards. */
  async run(breaks: readonly Break[], selection: Selection): Promise<Verdict> {
    const whole = new Map<string, string>();
    try {
      for (const { file, from, to } of breaks) {
        const path = join(this.#path, file);
        const text = readFileSync(path, 'utf8');
        if (!whole.has(path)) whole.set(path, text);
        if (!text.includes(from)) throw new Error(`This is not in ${file}: ${from}`);
        writeFileSync(
          path,
          text.replace(from, () => to),
        );
      }
      return await this.#tested(selection);
    } finally {
      for (const [path, text] of whole) writeFileSync(path, text);
    }
  }

  remove(): void {
    rmSync(this.#path, { recursive: true });
  }

  async #tested({ tests, title, isWhole = false }: Selection): Promise<Verdict> {
    const report = join(this.#path, 'report.json');
    rmSync(report, { force: true });
    const options = ['run', '--project', 'unit', '--pool', 'threads', '--reporter', 'json', '--outputFile', report];
    if (title !== undefined) options.push('--testNamePattern', literal(title));
    if (!isWhole) options.push('--bail', '1');
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...options, ...tests], {
      cwd: this.#path,
      stdio: 'ignore',
      timeout: MOST_MS,
    });
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return verdictOn(status, existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Report) : null);
  }
}

function literal(text: string): string {
  return `^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`;
}
