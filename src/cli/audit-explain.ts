import { copyAsTest, explain, ConfigurationError, type AuditSource, type Question } from '../audit/index.ts';
import { argumentsOf, linesOfLog, NoInputError, progressOn, UsageError, working } from './audit-file.ts';
import { EXIT } from './doctor.ts';
import { wrap } from './report.ts';
import { plainText } from './secrecy.ts';
import type { Terminal } from './terminal.ts';

const EXPLAIN_HELP = `Usage: holdfast audit explain [options] <file>

Says what an audit log tells of connections: when each was lost and why, what
was done, how long it took, and what it has cost. It verifies nothing.

  --why              each disconnect at length
  --downtime         when each connection was down, and for how long
  --losses           what has become of messages
  --connection <id>  only this connection
  --at <time>        how it was at that time, since when, and why
  --from <time>      what was from that time on
  --to <time>        what was up to that time
  --all              all disconnects in the summary, not the last ten
  --json             prints one JSON document
  --as-test          prints a test for Vitest that takes the turns of one
                     connection again: of --connection, or of the one with most
  --help             prints this

A time is one of ISO 8601, in UTC where it says no zone: 2026-01-31T14:03, or
milliseconds since 1970.

Exit codes: 0; 64 wrong usage; 66 a file cannot be read, is no audit log, or has
no such connection or nothing for a test; 130 interrupted.
`;

const OPTIONS = {
  why: { type: 'boolean', default: false },
  downtime: { type: 'boolean', default: false },
  losses: { type: 'boolean', default: false },
  connection: { type: 'string' },
  at: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  all: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  'as-test': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?)?(Z|[+-]\d\d:\d\d)?$/;
const MILLISECONDS = /^\d{1,15}$/;
const MIN_WIDTH = 40;
const ALL = Number.MAX_SAFE_INTEGER;
const FEW = 10;
const MAX_ID = 60;

/** `holdfast audit explain`: prints what a log tells of connections. Resolves with the exit code. */
export function auditExplain(args: readonly string[], terminal: Terminal): Promise<number> {
  return working('explain', terminal, async () => {
    const { values, file } = argumentsOf(args, OPTIONS);
    if (values.help) {
      terminal.print(EXPLAIN_HELP);
      return EXIT.passed;
    }
    if (file === undefined) throw new UsageError('The file is missing.');
    const { signal } = terminal;
    const question = questionOf(values);
    const onProgress = progressOn(terminal);
    const source = () => linesOfLog(file, { signal, ...(onProgress && { onProgress }) });
    const connection = values.connection !== undefined && { connection: nonEmpty(values.connection) };
    const window = { ...timeOf('from', values.from), ...timeOf('to', values.to) };
    const moment = timeOf('at', values.at);
    if (moment.at !== undefined && (values.from ?? values.to) !== undefined)
      throw new UsageError('--at goes with neither --from nor --to.');
    if ((window.from ?? -Infinity) > (window.to ?? Infinity)) throw new UsageError('--to must not be before --from.');
    if (values['as-test']) {
      if (question || moment.at !== undefined || values.json)
        throw new UsageError('--as-test goes with --connection, --from and --to alone.');
      if (connection) await mustHave(connection.connection, source());
      return printTest(terminal, () => copyAsTest(source(), { ...connection, ...window }));
    }
    const explanation = await explain(source(), {
      ...(question && { question }),
      ...connection,
      ...window,
      ...moment,
      ...(values.all && { most: ALL }),
    });
    if (connection && explanation.connections.length === 0) await mustHave(connection.connection, source());
    const lines = values.json
      ? [JSON.stringify(explanation, null, 2)]
      : explanation.lines.flatMap((line) => wrapped(line, terminal.width));
    terminal.print(`${lines.join('\n')}\n`);
    return EXIT.passed;
  });
}

// a connection that is on record may have nothing in the time asked about
async function mustHave(id: string, source: AuditSource): Promise<void> {
  const { connections, passedOver } = await explain(source);
  const ids = [...new Set(connections.map(({ connection }) => connection))];
  if (ids.includes(id) || passedOver > 0) return;
  const others = ids.length > FEW ? [...ids.slice(0, FEW), `${ids.length - FEW} more`] : ids;
  const there = others.map((each) => plainText(each, MAX_ID)).join(', ');
  const rest = ids.length === 0 ? 'there is none' : `there ${ids.length === 1 ? 'is' : 'are'} ${there}`;
  throw new NoInputError(`No connection ${plainText(id, MAX_ID)}; ${rest}.`);
}

async function printTest({ print, complain }: Terminal, write: () => Promise<string>): Promise<number> {
  try {
    print(await write());
    return EXIT.passed;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    complain('The log has no turn of such a connection that can be taken again.\n');
    return EXIT.noInput;
  }
}

function questionOf({ why, downtime, losses }: { why: boolean; downtime: boolean; losses: boolean }): Question | null {
  const asked: [Question, boolean][] = [
    ['disconnects', why],
    ['downtime', downtime],
    ['losses', losses],
  ];
  const [first, second] = asked.filter(([, isAsked]) => isAsked);
  if (second) throw new UsageError('Only one of --why, --downtime and --losses can be asked.');
  return first?.[0] ?? null;
}

function nonEmpty(id: string): string {
  if (id === '') throw new UsageError('--connection takes the id of a connection.');
  return id;
}

function timeOf<Name extends 'at' | 'from' | 'to'>(
  name: Name,
  text: string | undefined,
): Partial<Record<Name, number>> {
  if (text === undefined) return {};
  const zone = text.includes('T') && !/(Z|[+-]\d\d:\d\d)$/.test(text) ? 'Z' : '';
  const time = MILLISECONDS.test(text) ? Number(text) : ISO.test(text) ? Date.parse(`${text}${zone}`) : Number.NaN;
  if (Number.isNaN(time)) throw new UsageError(`--${name} takes a time such as 2026-01-31T14:03:00Z.`);
  return { [name]: time } as Partial<Record<Name, number>>;
}

// what is indented stays so
function wrapped(line: string, width: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const text = plainText(line.slice(indent.length), Infinity);
  return wrap(text, Math.max(MIN_WIDTH, width) - indent.length - 2).map((part, index) =>
    index === 0 ? `${indent}${part}` : `${indent}  ${part}`,
  );
}
