import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

import { replay, verify } from '../../src/audit/index.ts';
import { readAuditFile } from '../../src/audit/node/index.ts';
import { makeDirectory } from '../support/directory.ts';
import { startServer } from '../support/server.ts';

const root = resolve(import.meta.dirname, '../..');

test('the example of the documentation writes a log that holds, and that the machines take again', async () => {
  const server = await startServer();
  const directory = makeDirectory();
  onTestFinished(directory.remove);
  const path = resolve(directory.path, 'audit.jsonl');
  const env = { ...process.env, CHAT_URL: server.url, AUDIT_LOG: path };
  const { stdout, stderr } = await promisify(execFile)('npx', ['tsx', 'examples/audit/main.ts'], { cwd: root, env });
  expect([stdout, stderr]).toEqual(['', '']);
  expect(server.received).toEqual(['{"type":"message","content":"hello"}']);
  expect(await verify(readAuditFile(path))).toMatchObject({ verdict: 'intact', problems: [] });
  expect(await replay(readAuditFile(path))).toMatchObject({ verdict: 'equal', skipped: 0 });
});
