import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { herdPicture } from './herd-picture.ts';
import { stampede, type Course, type Outage, type Stampede } from './herd-run.ts';
import { OWN, PEERS } from './herd-ways.ts';
import { alone } from './rounds.ts';
import type { FigureColumn, Section } from './section.ts';

const CLIENTS = 10_000;
const SEED = 1;
const folder = fileURLToPath(new URL('./results/', import.meta.url));

const OUTAGES: readonly Outage[] = [
  outage('back at once', 0),
  outage('back after 5 s', 5_000),
  outage('back after 30 s', 30_000),
  outage('back after 5 s, having asked for 5 s', 5_000, 5_000),
];

const FIGURES: readonly FigureColumn[] = [
  { key: 'peak', heading: 'peak of returns', digits: 0, isBare: true },
  { key: 'peakOfAttempts', heading: 'of attempts', digits: 0, isBare: true },
  { key: 'halfMs', heading: '50 % after ms', digits: 0, isBare: true },
  { key: 'mostMs', heading: '95 %', digits: 0, isBare: true },
  { key: 'allMs', heading: '100 %', digits: 0, isBare: true },
];

/** What becomes of a server that all clients lose at once, by their way of coming back. In virtual time: the same in every run. */
export function benchHerd(report: (section: Section) => void): Promise<void> {
  const runs = OUTAGES.map((lost) => ({
    lost,
    courses: [...OWN, ...PEERS].map((way): Course => ({ way, seen: stampede(way, lost) })),
  }));
  for (const { lost, courses } of runs) report(sectionOf(lost, courses));
  mkdirSync(folder, { recursive: true });
  const setting = { clients: CLIENTS, seed: SEED, slotMs: 100 };
  const outages = runs.map(({ lost, courses }) => ({
    ...lost,
    ways: courses.map(({ way: { name, source }, seen }) => ({ name, source, ...figuresOf(seen) })),
  }));
  writeFileSync(`${folder}herd.json`, `${JSON.stringify({ setting, outages }, null, 2)}\n`);
  writeFileSync(`${folder}herd.md`, markdownOf(runs));
  writeFileSync(`${folder}herd.svg`, herdPicture(runs[0]?.courses ?? []));
  return Promise.resolve();
}

function outage(name: string, backAfterMs: number, retryAfterMs = 0): Outage {
  return { name, clients: CLIENTS, seed: SEED, backAfterMs, retryAfterMs };
}

function figuresOf({ peak, peakOfAttempts, halfMs, mostMs, allMs }: Stampede): Record<string, number | null> {
  const whole = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
  return { peak, peakOfAttempts, halfMs: whole(halfMs), mostMs: whole(mostMs), allMs: whole(allMs) };
}

function sectionOf({ name, clients }: Outage, courses: readonly Course[]): Section {
  return {
    title: `${clients} clients lose one server, which is ${name}; the peaks are of 100 ms, the times from its return`,
    figures: FIGURES,
    results: courses.map(({ way, seen }) =>
      alone(way.name, [
        Object.fromEntries(Object.entries(figuresOf(seen)).map(([key, value]) => [key, value ?? Number.NaN])),
      ]),
    ),
  };
}

function markdownOf(runs: readonly { lost: Outage; courses: readonly Course[] }[]): string {
  const tables = runs.map(({ lost, courses }) => {
    const rows = courses.map(({ way, seen }) => {
      const cells = Object.values(figuresOf(seen)).map((figure) => figure?.toLocaleString('en') ?? 'never');
      return `| ${[way.name, ...cells].join(' | ')} |`;
    });
    return [`## A server that is ${lost.name}`, '', HEAD, ...rows].join('\n');
  });
  const sources = [...OWN.slice(0, 1), ...PEERS].map(({ name, source }) => `- ${name.split(',')[0]}: ${source}`);
  return `${[INTRODUCTION, ...tables, `## Where the formulas stand\n\n${sources.join('\n')}`].join('\n\n')}\n`;
}

const HEAD =
  '| way of coming back | peak of returns in 100 ms | peak of attempts in 100 ms | 50 % back after ms | 95 % | 100 % |\n|---|--:|--:|--:|--:|--:|';
const INTRODUCTION = `# A herd that comes back

Written by \`npm run bench -- herd\`; the reading of it is in [NOTES.md](../NOTES.md).

${CLIENTS.toLocaleString('en')} clients lose one server at one instant. An attempt takes no time, and a server that is back takes all who come; times count from its return. Attempts
against a server that is down count in the peak of attempts. Everything is drawn from the seed ${SEED}, in virtual time: the figures are the same in every run.
\`stable before\`: the connection had been open for \`retry.stableMs\`; \`told by 1012\`: the server said that it restarts.

![Returns to a server that is back at once](herd.svg)`;
