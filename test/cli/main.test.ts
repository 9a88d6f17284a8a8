import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import type { Examination } from '../../src/cli/step.ts';
import { textOf } from '../support/audit-command.ts';
import { realStory } from '../support/audit-story.ts';
import { selfSigned } from '../support/certificate.ts';
import { until } from '../support/deadline.ts';
import { startEndpoint } from '../support/endpoints.ts';
import { startServer } from '../support/server.ts';

interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Called once it runs. */
  onStart?: (interrupt: () => void) => void;
}

const root = resolve(import.meta.dirname, '../..');
let directory = '';

/** The command as one file, beside `ws` and without it. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-'));
  for (const name of ['with', 'without']) {
    await build({
      entryPoints: [join(root, 'src/cli/main.ts')],
      outfile: join(directory, name, 'cli.mjs'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      external: ['ws'],
      logLevel: 'error',
    });
  }
  await mkdir(join(directory, 'with/node_modules'));
  await symlink(join(root, 'node_modules/ws'), join(directory, 'with/node_modules/ws'), 'junction');
}, 30_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(args: readonly string[], { cwd = 'with', env, onStart }: RunOptions = {}) {
  const child = spawn(process.execPath, [join(directory, cwd, 'cli.mjs'), ...args], {
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  onStart?.(() => child.kill('SIGINT'));
  const code = await new Promise((done) => child.on('close', done));
  return { code, stdout, stderr };
}

describe('the command as a process', { timeout: 30_000 }, () => {
  test('is a script, and tells the version of the package', async () => {
    expect(await readFile(join(directory, 'with/cli.mjs'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('prints no colours into a pipe, and ends with 0 where nothing is amiss', async () => {
    const server = await startEndpoint({ options: { handleProtocols: () => false } });
    const { code, stdout, stderr } = await run(['doctor', server.url]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/\n\n✓ passed: 9 passed, 4 skipped, in /);
    expect(stdout).not.toContain('\u001b');
    expect(server.requests[0]?.headers['user-agent']).toMatch(/^holdfast-doctor\/\d+\.\d+\.\d+$/);
  });

  test('cuts no record in a pipe', async () => {
    const log = join(directory, 'log.jsonl');
    await writeFile(log, textOf(await realStory()));
    const { code, stdout } = await run(['audit', 'tail', '-n', '1000', log]);
    expect([code, stdout.match(/ on socket\.closed \(.*\]\n/g)?.length]).toEqual([0, 3]);
    const explained = await run(['audit', 'explain', log]);
    for (const line of explained.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('prints one JSON document, and ends with 1 for a warning where it is strict', async () => {
    const server = await startEndpoint({ options: { handleProtocols: () => false } });
    const args = ['doctor', '--json', '--protocol', 'chat', server.url];
    const { code, stdout } = await run(args);
    expect([code, (JSON.parse(stdout) as Examination).verdict]).toEqual([0, 'warning']);
    expect(await run([...args, '--strict'])).toMatchObject({ code: 1 });
  });

  test('ends with 2 for a failure, and with 64 where it is not understood', async () => {
    const server = await startServer({ upgrade: 401 });
    expect(await run(['doctor', server.url])).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('401') as string,
    });
    expect(await run(['nurse'])).toMatchObject({ code: 64, stdout: '' });
  });

  test('ends with 69 without ws, and says how to get it', async () => {
    const { code, stderr } = await run(['doctor', 'ws://127.0.0.1'], { cwd: 'without' });
    expect([code, stderr]).toEqual([69, 'The doctor needs the package ws, which is not there: npm install ws\n']);
  });

  test('ends with 130 when it is interrupted, and leaves the server', async () => {
    const server = await startServer({ upgrade: 'hold' });
    const { code, stderr } = await run(['doctor', server.url], {
      onStart: (interrupt) => void until('it is there', () => server.requests.length === 1).then(interrupt),
    });
    expect([code, stderr]).toEqual([130, 'Interrupted.\n']);
    await until('no connection is left', () => server.tcp.size === 0);
  });

  test('trusts the authorities that Node is told of, and warns of a certificate that ends soon', async () => {
    const keyPair = selfSigned({ daysLeft: 5 });
    const NODE_EXTRA_CA_CERTS = join(directory, 'authority.pem');
    await writeFile(NODE_EXTRA_CA_CERTS, keyPair.cert);
    const server = await startEndpoint({ keyPair, options: { handleProtocols: () => false } });
    const { stdout } = await run(['doctor', '--json', server.url], { env: { NODE_EXTRA_CA_CERTS } });
    const { steps } = JSON.parse(stdout) as Examination;
    expect(steps.find(({ id }) => id === 'tls')).toMatchObject({
      verdict: 'warning',
      facts: { daysLeft: 4, problem: null },
    });
  });

  test('finds out that a certificate is for another host', async () => {
    const keyPair = selfSigned({ host: 'example.com' });
    const NODE_EXTRA_CA_CERTS = join(directory, 'other.pem');
    await writeFile(NODE_EXTRA_CA_CERTS, keyPair.cert);
    const server = await startEndpoint({ keyPair });
    const { code, stdout } = await run(['doctor', server.url], { env: { NODE_EXTRA_CA_CERTS } });
    expect(code).toBe(2);
    expect(stdout).toContain('it is for another host');
  });
});
