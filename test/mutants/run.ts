// Breaks one rule after the other in a copy of the project, and writes down which test sees it: `npm run mutants`, or `npm run mutants -- <parts of the paths of files>`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Copy, ROOT } from './copy.ts';
import { MASKED, MUTANTS, type Masked, type Mutant } from './index.ts';
import { isShown, tableOf, type Seen, type Unmasked } from './table.ts';

const table = join(ROOT, 'visualizations/mutants.md');
// one test file seldom keeps more than one core busy
const COPIES = 2;

const parts = process.argv.slice(2);
const isWhole = parts.length === 0;
const isMeant = ({ file }: { file: string }): boolean => isWhole || parts.some((part) => file.includes(part));
const mutants = MUTANTS.filter(isMeant);
const masked = MASKED.filter(({ guards }) => guards.some(isMeant));
const copies = Array.from({ length: COPIES }, () => new Copy());

/** Does the same with each item, in as many copies at a time as there are. */
async function each<Item, Result>(items: readonly Item[], work: (item: Item, copy: Copy) => Promise<Result>) {
  const results: Result[] = [];
  const rest = [...items.entries()];
  const lane = async (copy: Copy): Promise<void> => {
    for (let next = rest.shift(); next; next = rest.shift()) results[next[0]] = await work(next[1], copy);
  };
  await Promise.all(copies.map(lane));
  return results;
}

function say(isRight: boolean, what: string): void {
  process.stdout.write(`${isRight ? 'seen' : 'NOT SEEN'}: ${what}\n`);
}

async function broken(mutant: Mutant, copy: Copy): Promise<Seen> {
  const verdict = await copy.run([mutant], { tests: mutant.tests });
  say(verdict.kind === 'failed', mutant.what + (verdict.kind === 'undecided' ? ` (${verdict.why})` : ''));
  return { mutant, verdict };
}

async function unmasked({ hazard, guards }: Masked, copy: Copy): Promise<Unmasked> {
  const selection = { tests: [hazard.file], title: hazard.title };
  const alone = [];
  for (const guard of guards)
    alone.push(
      await copy.run(
        guards.filter((other) => other !== guard),
        selection,
      ),
    );
  const outcome = { masked: { hazard, guards }, alone, none: await copy.run(guards, selection) };
  say(isShown(outcome), `${hazard.title} (${guards.length} guards)`);
  return outcome;
}

/** A suite that is red for another reason would see everything. */
async function isSound(): Promise<boolean> {
  const [copy] = copies;
  const tests = new Set([...mutants.flatMap((mutant) => mutant.tests), ...masked.map(({ hazard }) => hazard.file)]);
  const verdict = await copy?.run([], { tests: [...tests] });
  if (verdict?.kind === 'passed') return true;
  const why = verdict?.kind === 'failed' ? verdict.by : verdict?.why;
  process.stdout.write(`The tests fail with nothing broken, and would prove nothing: ${why}\n`);
  return false;
}

try {
  if (await isSound()) {
    const seen = await each(mutants, broken);
    const shown = await each(masked, unmasked);
    if (isWhole) writeFileSync(table, tableOf(seen, shown));
    const killed = seen.filter(({ verdict }) => verdict.kind === 'failed').length;
    const proven = shown.filter(isShown).length;
    process.stdout.write(`${killed} of ${seen.length} are seen, ${proven} of ${shown.length} are shown\n`);
    process.exitCode = killed < seen.length || proven < shown.length ? 1 : 0;
  } else process.exitCode = 2;
} finally {
  for (const copy of copies) await copy.remove();
}
