import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

import { printed, type Section } from './section.ts';

const folder = fileURLToPath(new URL('./results/', import.meta.url));

/** Writes down what was measured, and where. */
export function keepResults(sections: readonly Section[]): void {
  mkdirSync(folder, { recursive: true });
  const setting = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${process.arch}`,
    node: process.version,
    ...Object.fromEntries(['holdfast', 'ws', 'pako', 'xstate'].map((name) => [name, versionOf(name)])),
  };
  writeFileSync(`${folder}wire.json`, `${JSON.stringify({ setting, sections }, null, 2)}\n`);
  const facts = Object.entries(setting).map(([what, value]) => `- ${what}: ${value}`);
  const tables = sections.map((section) => `\`\`\`text\n${printed(section)}\n\`\`\``);
  writeFileSync(`${folder}wire.md`, `${[HEAD, facts.join('\n'), NOTES, ...tables].join('\n\n')}\n`);
}

const HEAD = '# What the wire costs\n\nWritten by `npm run bench -- wire`.';
const NOTES = `Medians; in brackets the least and the most of the rounds, each round held against the raw runs just before and after it.
Bytes and frames are those of the server's TCP socket, both directions together, from the welcome on; before they are counted 9,999 messages
have made the positions as long as they get in a day. A frame back is an acknowledgement. Each message is checked at its receiver for order, loss,
repetition and contents; a run that fails is INVALID.`;

function versionOf(name: string): string {
  const path = name === 'holdfast' ? '../package.json' : `../node_modules/${name}/package.json`;
  const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string };
  return version;
}
