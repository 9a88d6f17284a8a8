import { parseArgs, type ParseArgsConfig } from 'node:util';

import type { FlawedLine } from '../audit/index.ts';
import { readAuditFile, type ReadAuditFileOptions } from '../audit/node/index.ts';
import { HoldfastError } from '../index.ts';
import { EXIT } from './doctor.ts';
import { plainText, tameText } from './secrecy.ts';
import type { Terminal } from './terminal.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<Given extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: Given }>
>;

const LEAST_BYTES_SHOWN = 32 * 2 ** 20;
const BAR = 24;
const MAX_TEXT = 1_000;
// what every line of a log begins with, also one that was damaged further on
const LINE_START = '{"hash":"';

/** Wrong usage: its message says what is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A file that does not have what is asked of it: its message says so. */
export class NoInputError extends Error {
  override readonly name = 'NoInputError';
}

/**
 * Reads the lines of a log, as `readAuditFile` does, of a file that is one.
 *
 * @throws {NoInputError} Its first line is none of a log.
 */
export async function* linesOfLog(
  file: string,
  options: ReadAuditFileOptions,
): AsyncGenerator<string | FlawedLine, void> {
  let isFirst = true;
  for await (const line of readAuditFile(file, options)) {
    if (isFirst) mustBeOfLog(line, file);
    isFirst = false;
    yield line;
  }
}

/**
 * Reads the arguments of a command that takes one file.
 *
 * @throws {UsageError}
 */
export function argumentsOf<Given extends Options>(
  args: readonly string[],
  options: Given,
): { values: Parsed<Given>['values']; file: string | undefined } {
  let parsed: Parsed<Given>;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(argumentProblem(error as NodeJS.ErrnoException));
  }
  const [file, ...more] = parsed.positionals;
  if (more.length > 0) throw new UsageError('There is more than one file.');
  return { values: parsed.values, file };
}

/** Does the work of a command, and tells what keeps it from that. Resolves with the exit code. */
export async function working(
  name: string,
  { complain, signal }: Terminal,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) {
      complain('Interrupted.\n');
      return EXIT.interrupted;
    }
    if (error instanceof UsageError) {
      complain(`${tameText(error.message)} See holdfast audit ${name} --help.\n`);
      return EXIT.usage;
    }
    const problem = fileProblem(error);
    if (problem === null) throw error;
    complain(`${plainText(problem, MAX_TEXT)}\n`);
    return EXIT.noInput;
  }
}

/** A bar that is written over and over, where somebody watches and it takes a while. */
export function progressOn({ isWatched, complain }: Terminal): ((bytes: number, total: number) => void) | undefined {
  if (!isWatched) return undefined;
  let shown = -1;
  return (bytes, total) => {
    const percent = Math.floor((bytes / total) * 100);
    if (total < LEAST_BYTES_SHOWN || percent === shown) return;
    shown = percent;
    const full = Math.round((percent / 100) * BAR);
    complain(
      bytes < total ? `\r${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${percent} %` : `\r${' '.repeat(BAR + 6)}\r`,
    );
  };
}

function mustBeOfLog(line: string | FlawedLine, file: string): void {
  if (typeof line === 'string' && line.startsWith(LINE_START)) return;
  // what is not finished is not known: it may be the beginning of a log
  const isTorn = typeof line !== 'string' && line.flaw === 'torn';
  throw new NoInputError(isTorn ? `${file} has no whole line.` : `${file} is not an audit log.`);
}

/** What is wrong with the arguments, in words that do not speak of how they are read. */
function argumentProblem({ code, message }: NodeJS.ErrnoException): string {
  if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') return message.split('. ')[0]?.replace(/\.?$/, '.') ?? '';
  // it says `-n, --n <value>` of an option that is only known by its letter
  const name = (/'(-[^']+)'/.exec(message)?.[1] ?? '').replace(/ <value>$/, '').replace(/, --.$/, '');
  if (message.includes('does not take')) return `${name} takes no value.`;
  return `${name} takes a value${message.includes('ambiguous') ? ', which cannot begin with "-"' : ''}.`;
}

/** Why a file cannot be read; `null` of any other error. */
function fileProblem(error: unknown): string | null {
  if (error instanceof NoInputError) return error.message;
  if (error instanceof HoldfastError && error.code === 'AUDIT_UNREADABLE') return error.message;
  if (!(error instanceof Error && 'syscall' in error)) return null;
  const { code = '', path = 'What was given' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `There is no file ${path}.`;
  return code === 'EISDIR' ? `${path} is a directory.` : `${path} cannot be read: ${code}.`;
}
