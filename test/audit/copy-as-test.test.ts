import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from 'prettier';
import { describe, expect, onTestFinished, test } from 'vitest';

import { copyAsTest } from '../../src/audit/copy-as-test.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { realStory, Story, storyTime } from '../support/audit-story.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the text of a test with Vitest, inside the project: its imports are those of a user. */
async function run(texts: Record<string, string>): Promise<{ passed: string[]; failed: string[]; output: string }> {
  await mkdir(join(root, 'coverage'), { recursive: true });
  const folder = await mkdtemp(join(root, 'coverage/copied-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = `export default { root: ${JSON.stringify(folder)}, resolve: { alias: {
    'holdfast/audit': ${JSON.stringify(join(root, 'src/audit/index.ts'))} } }, test: { include: ['*.test.ts'], maxWorkers: 1 } };`;
  await writeFile(join(folder, 'vitest.config.mjs'), config);
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, `${name}.test.ts`), text);
  const bin = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [bin, 'run', '--config', join(folder, 'vitest.config.mjs'), '--reporter', 'json'];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: folder, timeout: 90_000 }, (_, stdout) => {
      resolve(stdout);
    });
  });
  const { testResults } = JSON.parse(output.slice(output.indexOf('{'))) as Report;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const titles = (status: string) => tests.filter((each) => each.status === status).map(({ title }) => title);
  return { passed: titles('passed'), failed: titles('failed'), output };
}

interface Report {
  testResults: { assertionResults: { title: string; status: string }[] }[];
}

describe('a log as a test', () => {
  test('passes, and fails where one state is another', { timeout: 120_000 }, async () => {
    const story = await realStory();
    const own = await copyAsTest(story, { title: "what the machine's life was" });
    const health = await copyAsTest(story, {
      actor: 'service/group:1/connection:terminal:one/health',
      title: 'health',
    });
    const later = await copyAsTest(story, { from: storyTime(6), title: 'later' });
    const wrong = own.replace("{ backoff: 'told' },", "{ backoff: 'waiting' },").replace(/what the/, 'wrong:');
    expect(wrong).not.toBe(own);
    const { passed, failed, output } = await run({ own, health, later, wrong });
    expect(passed.toSorted()).toEqual(['health', 'later', "what the machine's life was"]);
    expect(failed).toEqual(["wrong: machine's life was"]);
    expect(output).toContain('turn 7, socket.closed');
  });

  test('is readable, and in the format of Prettier', async () => {
    const story = await realStory();
    const text = await copyAsTest(story);
    expect(await check(text, { parser: 'typescript', printWidth: 120, singleQuote: true })).toBe(true);
    expect(text).toContain(`
    // 2026-01-01T00:00:05.000Z
    [
      {
        failure: {
          category: 'service_unavailable',
          closure: { code: 1012, initiator: 'peer', reason: '[redacted]', wasClean: true },`);
    expect(text).toContain(`
      { backoff: 'told' },
      [
        'stop health',`);
    expect(text.match(/from '.*'/g)).toEqual(["from 'holdfast/audit'", "from 'vitest'"]);
    expect(text).toContain('// An audit log from 2026-01-01T00:00:00.000Z to');
  });

  test('goes from the first state on record where the beginning is not', async () => {
    const log = new Story()
      .step(1, 'connecting')
      .state(2, 'open', { context: { generation: 1 } })
      .step(3, 'closed');
    const text = await copyAsTest(log.lines, { connection: 'chat:1' });
    expect(text).toContain(
      "const start: RehearsalStart = {\n    to: { live: { linked: { established: 'open' } } },\n    context: { generation: 1 },",
    );
    expect(text).not.toContain('00:00:01');
  });

  test('has nothing of a log but data', async () => {
    const event = { type: "');process.exit();//", text: '*/ `${process.exit()}` \u2028\n' };
    const log = new Story('service', 'a\nb').started(0).step(1, 'closed', { event, effects: ["'];process.exit();//"] });
    const text = await copyAsTest(log.lines, { title: "it's over');process.exit();//\n" });
    expect(text).toContain('test("it\'s over\');process.exit();//\\n", () => {');
    const code = text.replace(/(['"])(?:\\.|(?!\1).)*\1/g, '""').replace(/\/\/.*/g, '');
    expect(code).not.toContain('process');
    expect(await check(text, { parser: 'typescript', printWidth: 120, singleQuote: true })).toBe(true);
  });

  test('is refused where there is nothing to play again', async () => {
    const story = await realStory();
    await expect(copyAsTest([])).rejects.toBeInstanceOf(ConfigurationError);
    await expect(copyAsTest(story, { connection: 'nobody' })).rejects.toBeInstanceOf(ConfigurationError);
    await expect(copyAsTest(story, { connection: 'a', actor: 'b' })).rejects.toBeInstanceOf(ConfigurationError);
  });
});
