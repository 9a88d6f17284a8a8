import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import { audit } from '../../src/cli/audit.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** Runs `holdfast audit` and says what it printed. */
export async function runAudit(args: readonly string[], given: Partial<Terminal> = {}) {
  const printed: string[] = [];
  const complaints: string[] = [];
  const terminal: Terminal = {
    print: (text) => printed.push(text),
    complain: (text) => complaints.push(text),
    ...{ width: 80, isColoured: false, signal: new AbortController().signal },
    ...given,
  };
  const code = await audit(args, terminal);
  return { code, printed: printed.join(''), complaints: complaints.join('') };
}

/** Files in a directory that goes with the test; returns their paths. */
export async function filesOf(files: Record<string, string | Uint8Array>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return Object.keys(files).map((name) => join(folder, name));
}

export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
