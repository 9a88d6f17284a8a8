import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

import type { Comparison, Spread } from './rounds.ts';
import { printed, type Section } from './section.ts';

const folder = fileURLToPath(new URL('./results/', import.meta.url));

/** Writes down what was measured, and where. */
export function keepResults(sections: readonly Section[]): void {
  mkdirSync(folder, { recursive: true });
  const setting = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${process.arch}`,
    'load over the last 15 min': loadavg()[2]?.toFixed(1),
    node: process.version,
    ...Object.fromEntries(['holdfast', 'ws', 'pako', 'xstate'].map((name) => [name, versionOf(name)])),
  };
  writeFileSync(`${folder}wire.json`, `${JSON.stringify({ setting, sections: sections.map(asPrinted) }, null, 2)}\n`);
  const facts = Object.entries(setting).map(([what, value]) => `- ${what}: ${value}`);
  const tables = sections.map((section) => `\`\`\`text\n${printed(section)}\n\`\`\``);
  writeFileSync(`${folder}wire.md`, `${[HEAD, facts.join('\n'), NOTES, ...tables].join('\n\n')}\n`);
}

const HEAD = '# What the wire costs\n\nWritten by `npm run bench -- wire`.';
const NOTES = `Medians; in brackets the least and the most of the rounds, each round held against the raw runs just before and after it.
Bytes and frames are those of the server's TCP socket, both directions together, from the welcome on; 9,999 messages went before those that are
counted, so positions have five digits. A frame back is an acknowledgement. Each message is checked at its receiver for order, loss,
repetition and contents; a run that fails is INVALID.`;

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
  return { ...section, results };
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
