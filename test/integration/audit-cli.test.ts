import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Verification } from '../../src/audit/index.ts';
import { smallLog } from '../support/audit-chain.ts';
import { filesOf, textOf } from '../support/audit-command.ts';

const cli = join(tmpdir(), `holdfast-audit-${process.pid}.mjs`);

beforeAll(() =>
  build({
    entryPoints: [resolve(import.meta.dirname, '../../src/cli/main.ts')],
    ...{ outfile: cli, bundle: true, platform: 'node', target: 'node20', format: 'esm', external: ['ws'] },
    logLevel: 'error',
  }),
);
afterAll(() => rm(cli, { force: true }));

async function run(...args: string[]) {
  const child = spawn(process.execPath, [cli, 'audit', ...args]);
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    if (args.includes('--follow')) child.kill('SIGINT');
  });
  const code = await new Promise((done) => child.on('close', done));
  return { code, stdout, stderr };
}

describe('holdfast audit as a process', () => {
  test('verifies segments in files, and ends with what it found', async () => {
    const lines = await smallLog();
    const [, path = ''] = await filesOf({
      'out.000001.jsonl': textOf(lines.slice(0, 5)),
      'out.jsonl': textOf(lines.slice(5)),
    });
    const { code, stdout, stderr } = await run('verify', '--json', path);
    expect([code, (JSON.parse(stdout) as Verification).records, stderr]).toEqual([0, 17, '']);
    const [broken = ''] = await filesOf({ 'out.jsonl': textOf(lines.toReversed()) });
    expect(await run('verify', broken)).toMatchObject({ code: 2 });
    expect(await run('verify', `${broken}.none`)).toMatchObject({ code: 66, stdout: '' });
  });

  test('follows a log until it is interrupted', async () => {
    const [path = ''] = await filesOf({ 'out.jsonl': textOf(await smallLog()) });
    expect(await run('tail', '--follow', '-n', '1', path)).toMatchObject({ code: 130, stderr: 'Interrupted.\n' });
  });
});
