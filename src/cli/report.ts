import { styleText } from 'node:util';

import { counted, durationText, type Examination, type Step, type Verdict } from './step.ts';

/** How a report is printed. */
export interface Style {
  /** Columns of the terminal. */
  width: number;
  isColoured: boolean;
}

const MARKS = {
  passed: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['–', 'gray'],
} as const satisfies Record<Verdict, readonly [symbol: string, colour: string]>;
// verdict, step and duration, before the details
const COLUMNS = [9, 11, 7] as const;
const GAP = 2;
const INDENT = COLUMNS.reduce((sum, column) => sum + column + GAP, 0);
// with less beside the columns, the details go below
const MIN_DETAIL = 30;
const MIN_WIDTH = 30;
const NARROW_INDENT = 4;

/** The lines of one step. */
export function stepLines({ id, verdict, durationMs, detail }: Step, style: Style): string[] {
  const width = Math.max(style.width, MIN_WIDTH);
  const duration = verdict === 'skipped' ? '' : durationText(durationMs);
  const text = duration === '' || durationMs > 0 ? duration : '';
  if (width - INDENT < MIN_DETAIL) {
    const head = `${badge(verdict, style)} ${[id, text].filter(Boolean).join(' ')}`;
    return [head, ...wrap(detail, width - NARROW_INDENT).map((line) => `${' '.repeat(NARROW_INDENT)}${line}`)];
  }
  const gap = ' '.repeat(GAP);
  const pad = ' '.repeat(COLUMNS[0] - verdict.length - GAP);
  const head = `${badge(verdict, style)}${pad}${gap}${id.padEnd(COLUMNS[1])}${gap}${text.padStart(COLUMNS[2])}${gap}`;
  return wrap(detail, width - INDENT).map((line, index) => `${index === 0 ? head : ' '.repeat(INDENT)}${line}`);
}

/** The lines after the last step: what came of it, and what to do about it. */
export function summaryLines({ steps, verdict, durationMs }: Examination, style: Style): string[] {
  const width = Math.max(style.width, MIN_WIDTH);
  const counts = (Object.keys(MARKS) as Verdict[])
    .map((each) => [each, steps.filter((step) => step.verdict === each).length] as const)
    .filter(([, count]) => count > 0)
    .map(([each, count]) => (each === 'warning' ? counted(count, each) : `${count} ${each}`));
  const summary = `${verdict}: ${counts.join(', ')}, in ${durationText(durationMs)}`;
  const [first = '', ...rest] = wrap(`${MARKS[verdict][0]} ${summary}`, width);
  const head = paint(first.slice(0, verdict.length + 2), verdict, style) + first.slice(verdict.length + 2);
  const advice = steps.flatMap((step) => (step.advice === undefined ? [] : [`${step.id}: ${step.advice}`]));
  return [
    '',
    head,
    ...rest,
    ...(advice.length > 0 ? ['', 'Advice'] : []),
    ...advice.flatMap((text) => wrap(text, width - GAP).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`)),
  ];
}

/** One JSON document. */
export function json(examination: Examination): string {
  return JSON.stringify(examination, null, 2);
}

// `10.9 %`, `0 unknown`, `12 ms`: a number stays with what it counts
const BREAK = / (?!m?s\b|(?<=(?:^|[\s(])[\d.,]*\d )[^\d\s])/;

/** Lines of at most so many characters; a word that is longer is cut, and a number stays with the word after it. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  const words = text.split(BREAK).flatMap((each) => (each.length > width ? each.split(' ') : [each]));
  for (const word of words.flatMap((each) => pieces(each, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  const characters = Array.from(word);
  if (characters.length <= width) return [word];
  return Array.from({ length: Math.ceil(characters.length / width) }, (_, index) =>
    characters.slice(index * width, (index + 1) * width).join(''),
  );
}

function badge(verdict: Verdict, style: Style): string {
  return paint(`${MARKS[verdict][0]} ${verdict}`, verdict, style);
}

function paint(text: string, verdict: Verdict, { isColoured }: Style): string {
  // whether the output takes colours is decided already
  return isColoured ? styleText(MARKS[verdict][1], text, { validateStream: false }) : text;
}
