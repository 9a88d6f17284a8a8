import type { Break, Masked, Mutant } from './mutant.ts';
import type { Verdict } from './verdict.ts';

/** What became of a rule that was broken. */
export interface Seen {
  mutant: Mutant;
  verdict: Verdict;
}

/** What became of a hazard with each guard alone in place, in their order, and with none. */
export interface Unmasked {
  masked: Masked;
  alone: readonly Verdict[];
  none: Verdict;
}

/** Whether each guard keeps the hazard out alone, and nothing does without all of them. */
export function isShown({ alone, none }: Unmasked): boolean {
  return alone.every(({ kind }) => kind === 'passed') && none.kind === 'failed';
}

/** Everything that was found out, as Markdown. */
export function tableOf(seen: readonly Seen[], unmasked: readonly Unmasked[]): string {
  return `# What the tests see

Written by \`npm run mutants\`, after the same tests have passed with nothing broken: each rule of the code that stands here was broken alone, and the test that
saw it first, by an assertion that failed. A test that ran out of time, or could not begin, has seen nothing.

| what is wrong | where | seen by |
|---|---|---|
${seen.map(({ mutant, verdict }) => row(mutant.what, `\`${mutant.file}\``, seenBy(verdict))).join('')}
## Guards that hide one another

Where several guards keep the same thing out, the loss of one shows nowhere. So each of them is left alone with all the others broken, and must keep it out; and with
all of them broken it must be seen.

| what must hold | what is broken | where | the guard alone | with none of them |
|---|---|---|---|---|
${unmasked.map(rowsOf).join('')}`;
}

function rowsOf({ masked: { hazard, guards }, alone, none }: Unmasked): string {
  return guards
    .map(({ what, file }: Break, index) =>
      row(
        index === 0 ? hazard.title : '',
        what,
        `\`${file}\``,
        aloneBy(alone[index]),
        index === 0 ? seenBy(none, hazard.file) : '',
      ),
    )
    .join('');
}

function seenBy(verdict: Verdict, file?: string): string {
  switch (verdict.kind) {
    case 'failed':
      return file === undefined ? verdict.by : `seen by \`${file}\``;
    case 'passed':
      return '**nothing**';
    case 'undecided':
      return `**nothing: ${verdict.why}**`;
  }
}

function aloneBy(verdict: Verdict | undefined): string {
  return verdict?.kind === 'passed' ? 'keeps it out' : '**does not keep it out**';
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}
