// Draws the machines: writes what has changed or, with --check, fails on it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as machines from '../machines/index.ts';
import { drawingsOf, drifted, machinesOf } from './drawings.ts';

const root = dirname(import.meta.dirname);
const isCheck = process.argv.includes('--check');

function read(path: string): string | null {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

const drawings = drawingsOf(machinesOf(machines), read);
const changed = drifted(drawings, read);

for (const { path, text } of changed) {
  if (!isCheck) writeFileSync(join(root, path), text);
  console.log(isCheck ? `${path} is not what the machines say: run \`npm run draw\`` : `${path} is drawn anew`);
}
if (changed.length === 0) console.log(`${drawings.length} drawings are what the machines say`);
if (isCheck && changed.length > 0) process.exitCode = 1;
