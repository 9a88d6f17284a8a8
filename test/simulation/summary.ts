import type { Play, PlayName } from './plays.ts';
import type { Sights } from './sights.ts';
import type { Report } from './worker.ts';

/** What many runs were. */
export interface Runs {
  of: PlayName;
  play: Play;
  first: number;
  results: Report['results'];
  sights: Sights;
  seconds: number;
  workers: number;
}

/** What came of many runs, as Markdown. */
export function summaryOf({ of, play, first, results, sights, seconds, workers }: Runs): string {
  const broken = results.filter(({ breach }) => breach !== null).sort((one, other) => one.seed - other.seed);
  const virtualHours = results.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / 3_600_000;
  const [slowest] = [...results].sort((one, other) => other.ms - one.ms);
  const rate = results.length / seconds / workers;
  const count = results.length;
  // what lasts for a whole run does not strike
  const strikesOf = (fault: string): number | string =>
    results.reduce((sum, { strikes }) => sum + (strikes?.[fault] ?? 0), 0) || '–';
  const name = of === 'everything' ? '' : `--of ${of} `;
  return `# What the simulation ${of === 'everything' ? '' : `of the ${of} `}came to

Written by \`npm run simulate -- ${name}--seeds ${count} --first ${first} --write\`: the real client and the real server ${play.what}, in a time of their own.

- seeds: ${first} to ${first + count - 1}, ${count} runs of ${((virtualHours * 3_600) / count).toFixed(0)} virtual seconds on average, ${virtualHours.toFixed(1)} virtual hours in all
- broken promises: ${broken.length}${broken.map(({ seed, breach }) => `\n  - seed ${seed}: ${breach}`).join('')}
- speed: ${rate.toFixed(1)} runs a second and worker (${workers} workers, ${seconds.toFixed(0)} s)
- slowest seed: ${slowest?.seed} with ${slowest?.ms.toFixed(0)} ms

| what might go wrong | in so many runs | struck so often |
|---|---|---|
${play.faults.map((fault) => `| ${fault} | ${results.filter(({ faults }) => faults.includes(fault)).length} | ${strikesOf(fault)} |`).join('\n')}

| machine | states visited | transitions taken |
|---|---|---|
${sights.table.map(({ machine, states, transitions }) => `| ${machine} | ${states.seen} of ${states.defined} | ${transitions.seen} of ${transitions.defined} |`).join('\n')}

What no run takes, the models do: see [what the models cover](coverage.md).
`;
}
