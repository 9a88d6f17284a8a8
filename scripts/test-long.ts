// `npm run test:long [-- <seeds>]`: the fuzzers with 200,000 inputs each, both simulations with many seeds in worker threads, and ten minutes of real processes that are killed and frozen.
import { spawnSync } from 'node:child_process';

const SEEDS = 20_000;
const FUZZ_RUNS = '200000';
const SOAK_SECONDS = '600';

const seeds = Number(process.argv[2] ?? SEEDS);
if (!Number.isSafeInteger(seeds) || seeds < 1)
  throw new RangeError(`A whole number of seeds is wanted, not ${process.argv[2]}.`);

const vitest = ['vitest', 'run'];
const parts: { command: string[]; env?: Record<string, string> }[] = [
  {
    command: [...vitest, '--project', 'unit', '--project', 'models', 'test/protocol', 'test/server', 'test/models'],
    env: { HOLDFAST_FUZZ_RUNS: FUZZ_RUNS },
  },
  { command: ['tsx', 'test/simulation/main.ts', '--seeds', String(seeds)], env: { NODE_ENV: 'production' } },
  // it sees every frame, and takes longer over each
  {
    command: ['tsx', 'test/simulation/main.ts', '--of', 'wire', '--seeds', String(Math.ceil(seeds / 4))],
    env: { NODE_ENV: 'production' },
  },
  {
    command: [...vitest, '--project', 'integration', 'test/integration/soak'],
    env: { HOLDFAST_SOAK_SECONDS: SOAK_SECONDS },
  },
];

for (const { command, env } of parts) {
  process.stdout.write(`\n> ${command.join(' ')}\n`);
  const { status } = spawnSync('npx', command, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}
