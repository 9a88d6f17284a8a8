import { expect } from 'vitest';
import { WebSocket } from 'ws';

import { examine } from '../../src/cli/examination.ts';
import { readOptions } from '../../src/cli/options.ts';
import type { Examination, Step, StepId, Verdict } from '../../src/cli/step.ts';
import { until } from './deadline.ts';
import type { Endpoint } from './endpoints.ts';

/** What an examination finds at an endpoint where nothing is amiss, and no name, TLS, date or wish for silence is. */
export const SOUND = {
  address: 'passed',
  name: 'skipped',
  network: 'passed',
  tls: 'skipped',
  handshake: 'passed',
  subprotocol: 'passed',
  compression: 'passed',
  wire: 'passed',
  'round-trip': 'passed',
  idle: 'skipped',
  heartbeat: 'passed',
  close: 'passed',
  clock: 'skipped',
};

/** Examines an endpoint, and sees that nothing is left of that. */
export async function examined(
  { url, tcp }: Pick<Endpoint, 'url' | 'tcp'>,
  ...args: string[]
): Promise<Examination & { of: (id: StepId) => Step }> {
  const understood = readOptions([...args, url]);
  if (understood.wish !== 'examine') throw new Error('the options are wrong');
  const told: Step[] = [];
  const { signal } = new AbortController();
  const means = { WebSocket, userAgent: 'holdfast-doctor/1', signal, onStep: (step: Step) => told.push(step) };
  const examination = await examine(understood.options, means);
  expect(told).toEqual(examination.steps);
  await until('no connection is left', () => tcp.size === 0);
  const of = (id: StepId): Step => {
    const step = examination.steps.find((each) => each.id === id);
    if (!step) throw new Error(`The step ${id} is missing.`);
    return step;
  };
  return { ...examination, of };
}

/** The verdict of each step. */
export function verdicts({ steps }: Examination): Partial<Record<StepId, Verdict>> {
  return Object.fromEntries(steps.map(({ id, verdict }) => [id, verdict]));
}
