import { setTimeout as sleep } from 'node:timers/promises';

import type { AuditEntry, FlawedLine } from '../audit/index.ts';
import { argumentsOf, linesOfLog, UsageError, working } from './audit-file.ts';
import { recordText } from './audit-line.ts';
import { EXIT } from './doctor.ts';
import { plainJson, plainText } from './secrecy.ts';
import type { Terminal } from './terminal.ts';

const TAIL_HELP = `Usage: holdfast audit tail [options] <file>

Prints the last records of an audit log: number, time, actor, kind (none for a
step), from where to where, event, what was done. On a terminal it leaves out
what leads to the connection, and goes on below where a line is too long; in a
pipe each record is one line, in full. It verifies nothing.

  -n <count>      how many (default 10)
  --follow        goes on with what comes, also in later segments, until Ctrl-C
  --actor <text>  only records of actors whose path has this text in it
  --json          prints the lines, with marks that mislead the eye escaped
  --help          prints this

Exit codes: 0; 64 wrong usage; 66 a file cannot be read, or is no audit log;
130 interrupted.
`;

const OPTIONS = {
  n: { type: 'string', short: 'n', default: '10' },
  follow: { type: 'boolean', short: 'f', default: false },
  actor: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const POLL_MS = 250;
const MAX_COUNT = 100_000;

/** `holdfast audit tail`: prints the last records of a log, and those that come. Resolves with the exit code. */
export function auditTail(args: readonly string[], terminal: Terminal): Promise<number> {
  return working('tail', terminal, async () => {
    const { values, file } = argumentsOf(args, OPTIONS);
    if (values.help) {
      terminal.print(TAIL_HELP);
      return EXIT.passed;
    }
    if (file === undefined) throw new UsageError('The file is missing.');
    const count = /^\d{1,6}$/.test(values.n) ? Number(values.n) : Number.NaN;
    if (!(count <= MAX_COUNT)) throw new UsageError(`-n takes a whole number from 0 to ${MAX_COUNT}.`);
    const { signal } = terminal;
    let last: string[] | null = [];
    const print = (text: string): void => {
      if (!last) terminal.print(text);
      else if (last.push(text) > 2 * count) last = count > 0 ? last.slice(-count) : [];
    };
    const flush = (): void => {
      if (last && count > 0) terminal.print(last.slice(-count).join(''));
      last = null;
    };
    const onEnd = async (): Promise<boolean> => {
      flush();
      await sleep(POLL_MS, undefined, { signal });
      return true;
    };
    for await (const line of linesOfLog(file, { signal, ...(values.follow && { onEnd }) })) {
      const text = shown(line, { terminal, actor: values.actor, isJson: values.json });
      if (text !== null) print(`${text}\n`);
    }
    flush();
    return EXIT.passed;
  });
}

interface Wish {
  actor: string | undefined;
  isJson: boolean;
  terminal: Terminal;
}

/** A line as it is printed; `null` where it is not wished for. */
function shown(line: string | FlawedLine, { actor, isJson, terminal }: Wish): string | null {
  if (typeof line !== 'string') return actor === undefined && !isJson ? `(${line.bytes} bytes that are no line)` : null;
  const entry = entryOf(line);
  if (!entry)
    return actor === undefined && !isJson
      ? plainText(`(no record) ${line}`, terminal.isPiped ? Infinity : terminal.width)
      : null;
  const { actor: own } = entry.record as { actor?: unknown };
  if (actor !== undefined && !(typeof own === 'string' && own.includes(actor))) return null;
  return isJson ? plainJson(line) : recordText(entry, terminal);
}

function entryOf(line: string): AuditEntry | null {
  try {
    const entry = JSON.parse(line) as AuditEntry | null;
    return typeof entry?.record === 'object' && (entry.record as object | null) !== null ? entry : null;
  } catch {
    return null;
  }
}
