import { styleText } from 'node:util';

import type { Problem, Verification } from '../audit/index.ts';
import { wrap, type Style } from './report.ts';
import { plainText } from './secrecy.ts';
import { counted } from './step.ts';

const MARKS = {
  intact: ['✓', 'green'],
  open: ['!', 'yellow'],
  broken: ['✗', 'red'],
} as const satisfies Record<Verification['verdict'], readonly [symbol: string, colour: string]>;
const FEW_PROBLEMS = 10;
const MIN_WIDTH = 30;
const MAX_TEXT = 200;

/** What is to be said of a log, as lines for people. */
export function verificationLines(verification: Verification, style: Style & { isAll: boolean }): string[] {
  const { verdict, records, segments, runs, problems, counts, notes, signatures, checkpoints } = verification;
  const width = Math.max(style.width, MIN_WIDTH);
  const listed = (texts: readonly string[]) =>
    texts.flatMap((text) => wrap(text, width - 2).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`));
  const [mark, colour] = MARKS[verdict];
  const badge = `${mark} ${verdict}`;
  const numbers = [counted(records, 'record'), counted(segments, 'segment'), counted(runs, 'run')].join(', ');
  const shown = style.isAll ? problems : problems.slice(0, FEW_PROBLEMS);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const facts = [
    ...rangeOf(verification),
    ...(signatures.verified > 0
      ? [
          `Signed: ${counted(signatures.verified, 'seal')} by ${namesOf(signatures.keys)}, up to record ${signatures.through}.`,
        ]
      : []),
    ...(checkpoints ? [`Checkpoints: ${checkpoints.agreed} of ${namesOf([checkpoints.of ?? '?'])} agree.`] : []),
  ];
  return [
    ...wrap(`${badge}: ${numbers}`, width).map((line) => line.replace(badge, paint(badge, colour, style))),
    ...facts.flatMap((text) => wrap(text, width)),
    ...(shown.length > 0 ? ['', 'Problems', ...listed(shown.map(problemText))] : []),
    ...(total > shown.length ? listed([`and ${total - shown.length} more`]) : []),
    ...(notes.length > 0 ? ['', 'Notes', ...listed(notes)] : []),
  ];
}

function rangeOf({ first, last }: Verification): string[] {
  if (!first || !last) return [];
  return [
    `Records ${first.seq} to ${last.seq}, from ${timeText(first.at)} to ${timeText(last.at)}.`,
    `Last hash: ${last.hash}`,
  ];
}

function problemText({ kind, seq, line, segment, why }: Problem): string {
  const where = `record ${seq}, line ${line}${segment === null ? '' : `, segment ${segment}`}`;
  return plainText(`${kind} (${where}): ${why}`, 2 * MAX_TEXT);
}

function namesOf(names: readonly string[]): string {
  return plainText(names.join(', '), MAX_TEXT);
}

function timeText(at: unknown): string {
  const time = new Date(typeof at === 'number' ? at : Number.NaN);
  return Number.isNaN(time.getTime()) ? 'no time' : time.toISOString();
}

function paint(text: string, colour: 'green' | 'yellow' | 'red', { isColoured }: Style): string {
  // whether the output takes colours is decided already
  return isColoured ? styleText(colour, text, { validateStream: false }) : text;
}
