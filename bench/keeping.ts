import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

import type { Comparison, Spread } from './rounds.ts';
import { isMet, printed, type Section } from './section.ts';

const folder = fileURLToPath(new URL('./results/', import.meta.url));

/** What is to be said of some results. */
export interface Account {
  /** The bench's name, and that of its files. */
  name: string;
  title: string;
  notes: string;
  /** Packages whose versions matter as well. */
  versions?: readonly string[];
  /** What else it depends on. */
  facts?: Readonly<Record<string, string>>;
}

/** Writes down what was measured, and where. */
export function keepResults(account: Account, sections: readonly Section[]): void {
  const { name, title, notes, versions = [], facts } = account;
  mkdirSync(folder, { recursive: true });
  const setting = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${process.arch}`,
    'load over the last 15 min': loadavg()[2]?.toFixed(1),
    node: process.version,
    ...Object.fromEntries(['holdfast', 'ws', 'pako', 'xstate', ...versions].map((name) => [name, versionOf(name)])),
    ...facts,
  };
  writeFileSync(
    `${folder}${name}.json`,
    `${JSON.stringify({ setting, sections: sections.map(asPrinted) }, null, 2)}\n`,
  );
  const head = `# ${title}\n\nWritten by \`npm run bench -- ${name}\`.`;
  const lines = Object.entries(setting).map(([what, value]) => `- ${what}: ${value}`);
  const tables = sections.map((section) => `\`\`\`text\n${printed(section)}\n\`\`\``);
  writeFileSync(`${folder}${name}.md`, `${[head, lines.join('\n'), notes, ...tables].join('\n\n')}\n`);
}

// figures that a section does not print were not measured for it
function asPrinted(section: Section): Section {
  const keys = section.figures.map(({ key }) => key);
  const bared = new Set(section.figures.filter(({ isBare }) => isBare).map(({ key }) => key));
  const results = section.results.map(({ name, values, ratios }): Comparison => ({
    name,
    values: picked(values, keys),
    ratios: picked(
      ratios,
      keys.filter((key) => !bared.has(key)),
    ),
  }));
  const bars = section.bars?.map((bar) => ({ ...bar, isMet: isMet(bar) }));
  return { ...section, results, ...(bars && { bars }) };
}

function picked(spreads: Record<string, Spread>, keys: readonly string[]): Record<string, Spread> {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const spread = spreads[key];
      if (!spread) return [];
      const [median, least, most] = [spread.median, spread.least, spread.most].map(rounded) as [number, number, number];
      return [[key, { median, least, most }]];
    }),
  );
}

function rounded(number: number): number {
  return Number(number.toPrecision(5));
}

function versionOf(name: string): string {
  const path = name === 'holdfast' ? '../package.json' : `../node_modules/${name}/package.json`;
  const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string };
  return version;
}
