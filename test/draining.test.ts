import { describe, expect, test } from 'vitest';

import { drained, type DrainOptions } from '../src/draining.ts';
import { ConfigurationError } from '../src/errors.ts';
import { Line, OutboxRig } from './support/outbox.ts';
import { fateOf, microtasks, type Fate } from './support/service.ts';

function draining(r: OutboxRig, options: DrainOptions = {}): Fate<void> {
  return fateOf(drained(r.outbox, options, { clock: r.clock, source: { connectionId: 'c', serviceType: 's' } }));
}

describe('waiting for an empty queue', () => {
  test('is over at once where nothing waits', async () => {
    const r = new OutboxRig();
    const fate = draining(r);
    await microtasks();
    expect(fate.kind).toBe('resolved');
  });

  test('is over once every message has its fate, whichever it is', async () => {
    const r = new OutboxRig();
    const line = new Line();
    line.holds = true;
    const [sent, taken] = [r.push('a'), r.push('b')];
    const fate = draining(r);
    await r.attached(line);
    await r.turn(50);
    expect([fate.kind, taken.fate]).toEqual(['pending', 'handed']);
    line.drains();
    await r.turn(50);
    expect([fate.kind, sent.fate]).toEqual(['resolved', 'sent']);
  });

  test('is over when what waits is dropped', async () => {
    const r = new OutboxRig();
    r.push('a');
    const fate = draining(r);
    r.outbox.purge(() => true);
    await microtasks();
    expect(fate.kind).toBe('resolved');
  });

  test.each<[string, (r: OutboxRig, controller: AbortController) => unknown, string]>([
    ['by its deadline', (r) => r.clock.advance(100), 'DRAIN_DEADLINE'],
    [
      'by its signal',
      (_r, controller) => {
        controller.abort('enough');
      },
      'DRAIN_ABORTED',
    ],
  ])('ends %s, and the messages stay where they are', async (_how, ends, code) => {
    const r = new OutboxRig();
    const controller = new AbortController();
    const receipt = r.push('a');
    const fate = draining(r, { timeoutMs: 100, signal: controller.signal });
    ends(r, controller);
    await microtasks();
    expect(fate.error).toMatchObject({ code, connectionId: 'c' });
    expect([receipt.fate, r.clock.pending()]).toEqual(['waiting', 0]);
  });

  test('does not begin with a signal that was aborted before', async () => {
    const r = new OutboxRig();
    r.push('a');
    const fate = draining(r, { signal: AbortSignal.abort('early') });
    await microtasks();
    expect(fate.error).toMatchObject({ code: 'DRAIN_ABORTED', cause: 'early' });
  });

  test('leaves no timer and no listener behind', async () => {
    const r = new OutboxRig();
    const listeners = new Set<unknown>();
    const { signal } = new AbortController();
    signal.addEventListener = (_type: string, listener: unknown) => void listeners.add(listener);
    signal.removeEventListener = (_type: string, listener: unknown) => void listeners.delete(listener);
    r.push('a');
    draining(r, { timeoutMs: 100, signal });
    expect([r.clock.pending(), listeners.size]).toEqual([1, 1]);
    await r.attached();
    expect([r.clock.pending(), listeners.size]).toEqual([0, 0]);
  });

  test('takes no options that are none', async () => {
    const fate = draining(new OutboxRig(), { timeoutMs: -1 });
    await microtasks();
    expect(fate.error).toBeInstanceOf(ConfigurationError);
  });
});
