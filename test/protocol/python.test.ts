import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import { FRAME_VECTORS, VIOLATION_VECTORS } from './vectors.ts';

const decoder = fileURLToPath(new URL('decoder.py', import.meta.url));
const run = spawnSync('python3', [decoder], { encoding: 'utf8' });

// where there is no python3 nothing can be proven by it, and a machine that should have it says so
const isMissing = run.error !== undefined && process.env['CI'] !== 'true';

describe('a decoder in another language, written from PROTOCOL.md alone', () => {
  test('says of every vector what the vector says', ({ skip }) => {
    if (isMissing) skip('python3 is not installed: `apt-get install python3`');
    expect([run.error, run.stderr]).toEqual([undefined, '']);
    const said = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(said).toEqual([
      ...FRAME_VECTORS.map(({ name, means }) => ({ name, means })),
      ...VIOLATION_VECTORS.map(({ name, close }) => ({ name, close })),
    ]);
  });
});
