import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

import { verify } from '../../src/audit/index.ts';
import { FAULTS, simulate, type SimulateOptions } from '../../src/testing/index.ts';
import { planOf } from '../../src/testing/plan.ts';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('a simulation', () => {
  test('keeps every promise, and says what happened, with the audit log of it', async () => {
    const simulation = await simulate({ seed: 1 });
    expect(simulation).toMatchObject({ verdict: 'kept', breach: null, seed: 1, shrunk: null, again: null });
    expect(simulation.virtualMs).toBeGreaterThan(120_000);
    expect(simulation.messages).toBeGreaterThan(50);
    expect(simulation.history).toMatch(/^ +0\.0 {2}what may go wrong: /);
    expect(simulation.history).toContain('from now on it is calm');
    expect(await verify(simulation.audit)).toMatchObject({ verdict: 'intact', problems: [] });
  });

  test('is the same again with the same seed, to the last line and the last hash of its log', async () => {
    const [one, other] = [await simulate({ seed: 42 }), await simulate({ seed: 42 })];
    expect(other).toEqual(one);
    const { history } = await simulate({ seed: 43 });
    expect(history).not.toBe(one.history);
  });

  test('is the same in another process', { timeout: 60_000 }, async () => {
    const { history } = await simulate({ seed: 42 });
    const command = ['--import', 'tsx', 'test/simulation/main.ts', '--seed', '42'];
    const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 10_000_000 });
    expect(stdout).toContain(`history ${hash(history)}\nevery promise was kept\n`);
  });

  test('has only the faults that it is given', async () => {
    const { faults, history } = await simulate({ seed: 5, faults: ['cuts', 'offline'] });
    expect(faults).toEqual(['cuts', 'offline']);
    const struck = new Set([...history.matchAll(/fault: (.*)/g)].map(([, kind]) => kind));
    expect([...struck].sort()).toEqual(['cuts', 'offline']);
  });

  test('with no fault at all has one socket for each connection', async () => {
    const { history } = await simulate({ seed: 5, faults: [] });
    expect(history.match(/is dialled/g)?.length).toBe(history.match(/connecting → open/g)?.length);
    expect(history).not.toMatch(/fault:|backoff/);
  });

  test.each(FAULTS)('keeps every promise with %s alone', async (kind) => {
    for (let seed = 1; seed <= 4; seed++) expect((await simulate({ seed, faults: [kind] })).breach).toBeNull();
  });

  test('goes on for as long as it is told to, and until everything is at rest', async () => {
    const { history } = await simulate({ seed: 2, durationMs: 9_000 });
    expect(history).toMatch(/^ +6000\.0 {2}from now on it is calm$/m);
  });

  test('is held to the options of whoever asks for it', async () => {
    const { history } = await simulate({ seed: 3, faults: [], service: { wire: 'plain' } });
    expect(history).toContain('plain is dialled');
    const required = await simulate({ seed: 3, faults: [], service: { wire: 'required' } });
    expect(required.history).not.toContain('plain is dialled');
  });

  test('says which steps were taken: those before the client was destroyed, where that was on the way', async () => {
    const planned = (seed: number) => planOf({ seed, faults: [], durationMs: 6_000 });
    const seed = Array.from({ length: 100 }, (_, index) => index).find((index) => {
      const { abruptAt } = planned(index);
      return abruptAt !== null && abruptAt < 3_000;
    });
    const { steps, abruptAt } = planned(seed ?? 0);
    const simulation = await simulate({ seed: seed ?? 0, faults: [], durationMs: 6_000 });
    expect(simulation.steps).toEqual(steps.filter(({ at }) => at <= (abruptAt ?? 0)).map(({ number }) => number));
    expect(simulation.steps.length).toBeLessThan(steps.length);
  });

  test.each<[string, object]>([
    ['seed: must be a whole number from 0 on', { seed: 0.5 }],
    ['seed: must be a whole number from 0 on', { seed: '1' }],
    ['seed: is required', { seed: undefined }],
    ['durationMs: must be a number of milliseconds from 3000 to 86400000', { durationMs: 10 }],
    ['durationMs: must be a number of milliseconds from 3000 to 86400000', { durationMs: NaN }],
    ['durationMs: must be a number of milliseconds from 3000 to 86400000', { durationMs: 1e12 }],
    ['faults: must be a list of names of FAULTS', { faults: ['earthquakes'] }],
    ['faults: must be a list of names of FAULTS', { faults: 'cuts' }],
    ['steps: must be a list of numbers of steps', { steps: [0] }],
    ['steps: the plan has no step 9999', { steps: [1, 9_999] }],
    ['shrinkRuns: must be a whole number of at least 0', { shrinkRuns: -1 }],
    ['join: must be a function', { join: 'in' }],
    ['service: must be an object', { service: null }],
    ['service.pool: the servers of a simulation take no channels', { service: { pool: 'p' } }],
    ['service.credentials: a simulation has credentials of its own', { service: { credentials: () => 'mine' } }],
    ['service.profile: a simulation speaks in a way of its own', { service: { profile: {} } }],
    ['fault: unknown option', { fault: ['cuts'] }],
  ])('is refused with %s', async (message, options) => {
    await expect(simulate({ seed: 1, ...options })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      problems: [message],
    });
  });

  test('is refused with options that the service refuses', async () => {
    const service = { retri: {} } as SimulateOptions['service'];
    await expect(simulate({ seed: 1, ...(service && { service }) })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });
});

describe('whoever joins in', () => {
  test('gets the service and its connections before anything has come of them, and writes into the history', async () => {
    let opened = 0;
    const { history } = await simulate({
      seed: 1,
      join: ({ service, connections, note }) => {
        expect(connections.map(({ status }) => status.state)).toEqual(connections.map(() => 'connecting'));
        service.on('opened', ({ connectionId }) => {
          opened += 1;
          note(`hooray for ${connectionId}`);
        });
      },
    });
    expect(opened).toBeGreaterThan(0);
    expect(history.match(/hooray for/g)?.length).toBe(opened);
  });

  test('breaks the run with a rule of its own, which ends the history, and gets a shorter run to the same end', async () => {
    const join: SimulateOptions['join'] = ({ service, fail }) => {
      service.on('discontinuity', () => {
        fail('a session was lost');
      });
    };
    const broken = await firstBroken({ service: { wire: 'required' }, join });
    expect(broken).toMatchObject({ verdict: 'broken', breach: 'a session was lost' });
    expect(broken.history).not.toContain('BROKEN: a session was lost\n');
    const { shrunk, again } = broken;
    expect(shrunk?.breach).toBe('a session was lost');
    expect(shrunk?.steps.length).toBeLessThan(5);
    expect(shrunk?.history.length).toBeLessThan(broken.history.length);
    expect(broken.steps).toEqual(expect.arrayContaining([...(shrunk?.steps ?? [])]));
    // what is given to have it again is all that it takes
    const repeated = await simulate({
      ...again,
      seed: broken.seed,
      service: { wire: 'required' },
      join,
      shrinkRuns: 0,
    });
    expect(repeated.history).toBe(shrunk?.history);
  });

  test('that throws gets a run without any step, which is the same from wherever it is asked for', async () => {
    const error = new Error('no thanks');
    const join = (): never => {
      throw error;
    };
    const { shrunk, again, cause } = await simulate({ seed: 1, join });
    expect([shrunk?.steps, again?.steps, cause]).toEqual([[], [], error]);
    const repeated = await simulate({ seed: 1, ...again, join, shrinkRuns: 0 });
    expect(repeated.history).toBe(shrunk?.history);
  });

  test.each<[string, SimulateOptions['join'], RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no thanks');
      },
      /^join threw: Error: no thanks/,
    ],
    ['rejects', () => Promise.reject(new Error('no thanks')), /^join rejected: Error: no thanks/],
    [
      'has a listener that throws',
      ({ service }) => {
        service.on('opened', () => {
          throw new Error('no thanks');
        });
      },
      /^the client reports Error: no thanks/,
    ],
  ])('that %s is a breach like any other', async (_, join, breach) => {
    const simulation = await simulate({ seed: 1, shrinkRuns: 0, ...(join && { join }) });
    expect(simulation.verdict).toBe('broken');
    expect(simulation.breach).toMatch(breach);
  });

  test('that remembers other runs gets no shorter one that could not be had again', { timeout: 60_000 }, async () => {
    let opened = 0;
    const { breach, shrunk, again } = await simulate({
      seed: 1,
      join: ({ service, fail }) => {
        service.on('opened', () => {
          opened += 1;
          if (opened % 7 === 0) fail(`opened ${opened} times`);
        });
      },
    });
    expect([breach === null ? null : shrunk, again?.steps?.length === 0]).toEqual([null, false]);
  });
});

async function firstBroken(options: Omit<SimulateOptions, 'seed'>): ReturnType<typeof simulate> {
  for (let seed = 1; seed < 100; seed++) {
    const simulation = await simulate({ seed, ...options });
    if (simulation.breach !== null) return simulation;
  }
  throw new Error('No seed breaks it.');
}
