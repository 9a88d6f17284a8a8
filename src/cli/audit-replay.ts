import { replay, type Divergence, type Replay } from '../audit/index.ts';
import { argumentsOf, linesOfLog, progressOn, UsageError, working } from './audit-file.ts';
import { EXIT } from './doctor.ts';
import { wrap } from './report.ts';
import { plainText } from './secrecy.ts';
import { counted } from './step.ts';
import type { Terminal } from './terminal.ts';

const REPLAY_HELP = `Usage: holdfast audit replay [options] <file>

Steps the machines that are here through what is on record in an audit log, and
compares each state, transition, effect, delay and change with it. It verifies
nothing, and does nothing again.

  --json  prints one JSON document
  --help  prints this

Exit codes: 0 equal; 1 equal as far as it goes, but some turns were not
compared, or there were none, or a machine is of another version; 2 something
differs; 64 wrong usage; 66 a file cannot be read, or is no audit log;
130 interrupted.
`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const FEW = 10;
const MIN_WIDTH = 40;
const MAX_VALUE = 160;

/** `holdfast audit replay`: says whether the machines do again what a log says that they did. Resolves with the exit code. */
export function auditReplay(args: readonly string[], terminal: Terminal): Promise<number> {
  return working('replay', terminal, async () => {
    const { values, file } = argumentsOf(args, OPTIONS);
    if (values.help) {
      terminal.print(REPLAY_HELP);
      return EXIT.passed;
    }
    if (file === undefined) throw new UsageError('The file is missing.');
    const { signal } = terminal;
    const onProgress = progressOn(terminal);
    const found = await replay(linesOfLog(file, { signal, ...(onProgress && { onProgress }) }));
    const lines = values.json ? [JSON.stringify(found, null, 2)] : replayLines(found, terminal.width);
    terminal.print(`${lines.join('\n')}\n`);
    return exitCode(found);
  });
}

function exitCode({ verdict, skipped, otherMachines, unknownMachines }: Replay): number {
  if (verdict === 'diverged') return EXIT.failed;
  const isWhole = verdict === 'equal' && skipped + otherMachines.length + unknownMachines.length === 0;
  return isWhole ? EXIT.passed : EXIT.warnings;
}

const VERDICTS: Record<Replay['verdict'], string> = { equal: '✓ equal', diverged: '✗ diverged', empty: '! empty' };

/** What a replay has found, as lines for people. */
function replayLines(found: Replay, width: number): string[] {
  const { verdict, turns, actors, transitions, skipped, diverged, divergences, otherMachines, unknownMachines } = found;
  const numbers = `${counted(turns, 'turn')} of ${counted(actors, 'actor')} compared, ${counted(transitions, 'transition')}`;
  const texts = [
    `${VERDICTS[verdict]}: ${numbers}.`,
    ...divergences.slice(0, FEW).flatMap(divergenceTexts),
    ...(diverged > FEW ? [`And ${diverged - FEW} more that differ.`] : []),
    ...otherMachines.map(
      ({ machine, recorded, here }) =>
        `The machine ${shown(machine)} is of another version: on record is ${shown(recorded)}, here is ${shown(here)}.`,
    ),
    ...unknownMachines.map((machine) => `The machine ${shown(machine)} is not known here.`),
    ...(skipped > 0 ? [`${counted(skipped, 'turn')} not compared: ${SKIPPED}.`] : []),
  ];
  return texts.flatMap((text) => {
    const indent = /^ */.exec(text)?.[0] ?? '';
    return wrap(text.trim(), Math.max(MIN_WIDTH, width) - indent.length).map((line) => `${indent}${line}`);
  });
}

const SKIPPED =
  'what came before is not on record, the machine is not known here, or the actor has differed before and its state is not on record since';

function divergenceTexts({ seq, actor, machine, event, what, recorded, replayed }: Divergence): string[] {
  return [
    `Record ${seq}: ${shown(actor)} (${shown(machine)}) on ${shown(event)}: ${what} ${what === 'event' ? 'cannot be taken' : 'differs'}.`,
    `  recorded ${shown(valueText(recorded))}`,
    `  replayed ${shown(valueText(replayed))}`,
  ];
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

// whoever can write the log may have written anything
function shown(text: unknown): string {
  return plainText(String(text), MAX_VALUE);
}
