import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { examine } from '../../src/cli/examination.ts';
import { readOptions } from '../../src/cli/options.ts';
import { STEP_IDS, type Step } from '../../src/cli/step.ts';
import { until } from '../support/deadline.ts';
import { startRawEndpoint } from '../support/endpoints.ts';

function start(url: string, signal: AbortSignal) {
  const understood = readOptions([url]);
  if (understood.wish !== 'examine') throw new Error('the options are wrong');
  const told: Step[] = [];
  const means = { WebSocket, userAgent: 'test', signal, onStep: (step: Step) => told.push(step) };
  return { told, examining: examine(understood.options, means) };
}

describe('an examination', () => {
  test('of what is no URL ends there, and shows nothing of it', async () => {
    const { told, examining } = start('hush hush', new AbortController().signal);
    const examination = await examining;
    expect(examination).toMatchObject({ url: '', verdict: 'failed', steps: told });
    expect(told.map(({ id }) => id)).toEqual(STEP_IDS);
    expect(told.filter(({ verdict }) => verdict === 'skipped')).toHaveLength(STEP_IDS.length - 1);
    expect(JSON.stringify(examination)).not.toContain('hush');
    expect(new Date(examination.startedAt).toISOString()).toBe(examination.startedAt);
  });

  test('can be ended at any time, and leaves no connection', async () => {
    const ending = new AbortController();
    const { url, tcp } = await startRawEndpoint((socket) => {
      socket.once('data', () => {
        ending.abort();
      });
    });
    const { examining } = start(url, ending.signal);
    await expect(examining).resolves.toMatchObject({ verdict: 'failed' });
    await until('no connection is left', () => tcp.size === 0);
  });
});
