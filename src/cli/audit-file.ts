import { parseArgs, type ParseArgsConfig } from 'node:util';

import { HoldfastError } from '../index.ts';
import { EXIT } from './doctor.ts';
import { tameText } from './secrecy.ts';
import type { Terminal } from './terminal.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<Given extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: Given }>
>;

const LEAST_BYTES_SHOWN = 32 * 2 ** 20;
const BAR = 24;

/** Wrong usage: its message says what is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
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
    throw new UsageError((error as Error).message.split('. ')[0]?.replace(/\.?$/, '.'));
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
    if (!isOfFile(error)) throw error;
    complain(`${tameText(error.message)}\n`);
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

function isOfFile(error: unknown): error is Error {
  return (
    (error instanceof HoldfastError && error.code === 'AUDIT_UNREADABLE') ||
    (error instanceof Error && 'syscall' in error)
  );
}
