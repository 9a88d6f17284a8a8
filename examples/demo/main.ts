/**
 * `npm run demo` shows the main job: three services on real servers, hurt one after another. It exits with 0 only if
 * everything promised held. `-- --json` prints the figures instead of the account, `-- --seed 7` draws again what 7 drew, `-- --audit out.jsonl`
 * writes the audit log to a file, for `npx holdfast audit`.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { Account } from './account.ts';
import { figuresOf, tablesOf } from './figures.ts';
import { judge } from './promises.ts';
import { play, type PlayOptions } from './scenario.ts';
import { SecretScan } from './secret-scan.ts';
import type { Verdict } from './verdict.ts';

interface Wish {
  json: boolean;
  seed: number;
  auditPath: string | undefined;
}

const HANGS_AFTER_MS = 240_000;
const ENDS_WITHIN_MS = 5_000;
const INTERRUPTED = 130;
const MISUSED = 2;
const SEEDS = 100_000;

try {
  await main(wishOf());
} catch (error) {
  if (!(error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) throw error;
  process.stderr.write(
    `${(error as Error).message}\nUsage: npm run demo [-- [--json] [--seed <whole number>] [--audit <file>]]\n`,
  );
  process.exitCode = MISUSED;
}

function wishOf(): Wish {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, seed: { type: 'string' }, audit: { type: 'string' } },
  });
  const { json, seed = String(randomInt(SEEDS)), audit: auditPath } = values;
  if (/^\d{1,10}$/.test(seed)) return { json, seed: Number(seed), auditPath };
  throw Object.assign(new Error(`'${seed}' is no seed.`), { code: 'ERR_PARSE_ARGS_SEED' });
}

async function main({ json, seed, auditPath }: Wish): Promise<void> {
  const interruption = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      interruption.abort();
    });
  }
  // a reader that went away, as `head` does, is no reason to leave servers behind
  process.stdout.on('error', () => {
    interruption.abort();
  });
  const alarm = watch(HANGS_AFTER_MS, 'The demo hangs.');
  const colour = process.stdout.isTTY && process.stdout.hasColors();
  const scan = new SecretScan();
  const write = (text: string): void => {
    scan.search('line', text);
    if (!json) process.stdout.write(text);
  };
  const account = new Account(write, { colour });
  try {
    process.exitCode = (await show(account, { json, seed, auditPath, scan, signal: interruption.signal })) ? 0 : 1;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    process.stderr.write('Interrupted.\n');
    process.exitCode = INTERRUPTED;
  } finally {
    clearTimeout(alarm);
    watch(ENDS_WITHIN_MS, 'The demo is over, and something keeps its process alive.');
  }
}

async function show(account: Account, { json, ...options }: Wish & PlayOptions): Promise<boolean> {
  for (const line of header(account, options.seed)) account.print(line);
  const course = await play(account, options);
  const figures = figuresOf(course);
  // they are printed after the verdict
  options.scan.search('line', JSON.stringify(figures));
  const promises = judge(course);
  const broken = promises.filter(({ held }) => !held);
  const held = broken.length === 0;
  if (json) {
    process.stdout.write(`${JSON.stringify({ verdict: held ? 'held' : 'broken', ...figures, promises }, null, 2)}\n`);
    return held;
  }
  const lines = ['', ...tablesOf(figures), '', ...promises.flatMap((verdict) => verdictLines(verdict, account)), ''];
  for (const line of lines) account.print(line);
  account.print(
    held
      ? account.paint('green', `All ${promises.length} promises held.`)
      : account.paint('red', `${broken.length} of ${promises.length} promises did not hold.`),
  );
  return held;
}

function header(account: Account, seed: number): string[] {
  return [
    account.paint('bold', 'Holdfast: three connections, and what they hold through'),
    '',
    'terminal, chat and main are real ws servers on 127.0.0.1, each a process of its',
    'own. A client sends to all of them, while they are hurt one after another; then',
    'what it says of its messages is compared with what the applications at both ends',
    'received. chat speaks holdfast.v1, the others plain WebSocket; main has tokens.',
    'This takes about a minute, with shorter waits than the defaults.',
    '',
    `Chance is drawn from the seed ${seed}: -- --seed ${seed} draws the same again.`,
  ];
}

function verdictLines({ promise, held, detail }: Verdict, account: Account): string[] {
  const mark = held ? account.paint('green', '✓') : account.paint('red', '✗');
  return [`${mark} ${promise}`, ...detail.split('; ').map((line) => account.paint(held ? 'gray' : 'red', `  ${line}`))];
}

// does not keep the process alive itself: it is heard only if something else does
function watch(ms: number, complaint: string): NodeJS.Timeout {
  return setTimeout(() => {
    process.stderr.write(`${complaint} Still there: ${process.getActiveResourcesInfo().join(', ')}.\n`);
    process.exit(1);
  }, ms).unref();
}
