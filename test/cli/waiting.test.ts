import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { waitFor } from '../../src/cli/waiting.ts';

describe('waiting', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function start(ms?: number) {
    const ending = new AbortController();
    const state = { isListening: false, report: (_value: string): void => undefined };
    const waiting = waitFor<string>(
      (report) => {
        Object.assign(state, { isListening: true, report });
        return () => (state.isListening = false);
      },
      { signal: ending.signal, ...(ms !== undefined && { ms }) },
    );
    return { ending, state, waiting };
  }

  test('ends with what is reported, and leaves neither listener nor timer', async () => {
    const { state, waiting } = start(1_000);
    expect(state.isListening).toBe(true);
    state.report('here');
    await expect(waiting).resolves.toBe('here');
    expect([state.isListening, vi.getTimerCount()]).toEqual([false, 0]);
  });

  test('hears what is reported at once', async () => {
    let isListening = true;
    const { signal } = new AbortController();
    const waiting = waitFor<string>(
      (report) => {
        report('now');
        return () => (isListening = false);
      },
      { ms: 1_000, signal },
    );
    await expect(waiting).resolves.toBe('now');
    expect([isListening, vi.getTimerCount()]).toEqual([false, 0]);
  });

  test('ends with the time', async () => {
    const { state, waiting } = start(1_000);
    vi.advanceTimersByTime(1_000);
    await expect(waiting).resolves.toBeNull();
    expect(state.isListening).toBe(false);
  });

  test('ends with the signal, and does not begin after it', async () => {
    const { ending, state, waiting } = start();
    ending.abort();
    await expect(waiting).resolves.toBeNull();
    expect([state.isListening, vi.getTimerCount()]).toEqual([false, 0]);
    const { signal } = ending;
    await expect(waitFor(() => expect.unreachable(), { signal })).resolves.toBeNull();
  });
});
