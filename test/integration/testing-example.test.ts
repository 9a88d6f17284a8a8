import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

test('the example of the documentation shows a message that outlives its socket, and keeps every promise', async () => {
  const { stdout, stderr } = await promisify(execFile)('npx', ['tsx', 'examples/testing/main.ts'], { cwd: root });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'the server has hello',
    'open again on socket 2: hello is acknowledged',
    'every promise was kept',
  ]);
});
