import { describe, expect, test } from 'vitest';

import { keepEveryPromise } from './portions.ts';
import { run } from './run.ts';

describe('the client and the server on holdfast.v1, with every frame seen', () => {
  test.each([42, 7])('are the same again with the seed %i, to the last line', { timeout: 60_000 }, async (seed) => {
    const histories: string[] = [];
    const told = (history: string): unknown => histories.push(history);
    await run(seed, {}, { told });
    await run(seed, {}, { told });
    expect(histories[0]).toContain('from now on it is calm');
    expect(histories[1]).toBe(histories[0]);
  });

  keepEveryPromise('wire');
});
