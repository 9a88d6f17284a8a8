import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { readAddress } from '../../src/cli/address.ts';
import type { Closing, Ending, RoundTrips, Said } from '../../src/cli/conduct.ts';
import { Journal } from '../../src/cli/journal.ts';
import { MOMENT_MS, observe } from '../../src/cli/observation.ts';
import { readOptions } from '../../src/cli/options.ts';
import type { Visit } from '../../src/cli/visit.ts';

/** A connection whose server does as it is told here. */
interface Script {
  first: Said | null;
  ending: Ending | null;
  isAnswering: boolean;
  trips: RoundTrips[];
  closing: Closing;
  /** Called with each thing that is done. */
  onDoing: (what: string, script: Script) => void;
}

function observed(given: Partial<Script>, args: readonly string[] = [], isSelected = false) {
  const understood = readOptions([...args, 'ws://127.0.0.1/']);
  const { target } = readAddress('ws://127.0.0.1/');
  if (understood.wish !== 'examine' || !target) throw new Error('the options are wrong');
  const done: unknown[] = [];
  const script: Script = {
    first: null,
    ending: null,
    isAnswering: true,
    trips: [],
    closing: { code: 1000, durationMs: 1, isLeftOpen: false },
    onDoing: () => undefined,
    ...given,
  };
  const doing = <Value>(what: string, value: Value): Promise<Value> => {
    done.push(what);
    script.onDoing(what.split(' ')[0] ?? '', script);
    return Promise.resolve(value);
  };
  const ending = new AbortController();
  const visit = {
    get first() {
      return script.first;
    },
    get ending() {
      return script.ending;
    },
    isAnswering: script.isAnswering,
    listen: ({ ms }: { ms: number }) => doing(`listen ${ms}`, ms),
    ping: (count: number) => doing(`ping ${count}`, script.trips.shift() ?? { sent: 1, samplesMs: [1] }),
    wait: (ms: number) => doing(`wait ${ms}`, ms),
    heartbeat: () => ({ pings: 0, watchedMs: 1, intervalMs: null }),
    close: () => doing('close', script.closing),
  };
  const journal = new Journal(
    () => undefined,
    () => 0,
  );
  const scene = {
    target,
    options: understood.options,
    journal,
    WebSocket,
    userAgent: '',
    tame: String,
    signal: ending.signal,
  };
  const observing = observe(scene, visit as unknown as Visit, isSelected);
  return { done, ending, observing, steps: () => journal.steps.map(({ id, verdict }) => `${id} ${verdict}`), journal };
}

const lost: Ending = { code: 1006, reason: '', problem: null };

describe('watching a connection', () => {
  test('listens a moment, pings, and closes', async () => {
    const { done, observing, steps } = observed({});
    await observing;
    expect(done).toEqual([`listen ${MOMENT_MS}`, 'ping 5', 'close']);
    expect(steps()).toEqual(['wire passed', 'round-trip passed', 'idle skipped', 'heartbeat passed', 'close passed']);
  });

  test('waits longer for a greeting where the wire was selected, and pings as often as is wished', async () => {
    const { done, observing, steps } = observed({}, ['--wire-timeout', '7', '--pings', '0'], true);
    await observing;
    expect(done).toEqual(['listen 7000', 'close']);
    expect(steps()).toContain('round-trip skipped');
  });

  test('ends with the connection, and says when', async () => {
    const onDoing = (what: string, script: Script): void => {
      if (what === 'ping') script.ending = lost;
    };
    const { observing, steps } = observed({ onDoing });
    await observing;
    expect(steps()).toEqual(['wire passed', 'round-trip failed']);
  });

  test('ends with the time', async () => {
    const watch = observed({ onDoing: (what) => what === 'ping' && watch.ending.abort() });
    await watch.observing;
    expect(watch.steps()).toEqual(['wire passed', 'round-trip warning']);
    expect(watch.journal.steps.at(-1)?.detail).toBe('the time of the run was up');
  });

  test('tells of an answer to the close that is broken', async () => {
    const onDoing = (what: string, script: Script): void => {
      if (what === 'close') script.ending = { ...lost, problem: 'Invalid frame' };
    };
    const { observing, steps } = observed({ onDoing });
    await observing;
    expect(steps().at(-1)).toBe('close failed');
  });
});

describe('silence', () => {
  test('is kept for as long as is wished, and the connection must answer a ping after it', async () => {
    const { done, observing, steps } = observed({}, ['--idle', '60']);
    await observing;
    expect(done).toEqual([`listen ${MOMENT_MS}`, 'ping 5', 'wait 60000', 'ping 1', 'close']);
    expect(steps()).toContain('idle passed');
  });

  test('may cut a connection without a word', async () => {
    const trips = [
      { sent: 5, samplesMs: [1] },
      { sent: 1, samplesMs: [] },
    ];
    const { observing, journal } = observed({ trips }, ['--idle', '60']);
    await observing;
    expect(journal.steps.find(({ id }) => id === 'idle')).toMatchObject({
      verdict: 'warning',
      detail: 'ended after 60.00 s: no answer to a ping after the silence',
    });
  });

  test('is not held against a server that answers no pings', async () => {
    const { done, observing, steps } = observed({ isAnswering: false }, ['--idle', '60']);
    await observing;
    expect(done).not.toContain('ping 1');
    expect(steps()).toContain('idle passed');
  });

  test('is not tried with a server that waits for a hello', async () => {
    const greeting = { versions: [1], node: 'n', capabilities: [], pingIntervalMs: null };
    const first = { isBinary: false, bytes: 9, afterMs: 1, greeting };
    const { observing, steps } = observed({ first }, ['--idle', '60'], true);
    await observing;
    expect(steps()).toContain('idle skipped');
  });
});
