import { afterEach, describe, expect, test, vi } from 'vitest';

import { platformSignals, silentSignals, type Signal } from '../../src/transport/signals.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { stubPage } from '../support/page.ts';

const TICK_MS = 5_000;

afterEach(() => {
  vi.unstubAllGlobals();
});

function watch(clock = new SimulatedClock()): { clock: SimulatedClock; heard: Signal[]; end: () => void } {
  const heard: Signal[] = [];
  const end = platformSignals(clock).subscribe((signal) => heard.push(signal));
  return { clock, heard, end };
}

describe('the platform’s signals', () => {
  test('report network and page as they change', () => {
    const page = stubPage();
    const { heard } = watch();
    page.goes('offline');
    page.goes('online');
    page.turns('hidden');
    page.turns('visible');
    expect(heard).toEqual(['network.offline', 'network.online', 'page.hidden', 'page.visible']);
  });

  test('report at once what is unusual from the start, and nothing else', () => {
    stubPage({ onLine: false, visibilityState: 'hidden' });
    expect(watch().heard).toEqual(['network.offline', 'page.hidden']);
    stubPage();
    expect(watch().heard).toEqual([]);
  });

  test('report a page that is left for the back/forward cache as frozen, and as visible on the way back, once each (pain 37)', () => {
    const page = stubPage();
    const { heard } = watch();
    page.leaves(true);
    expect(heard).toEqual(['page.frozen']);
    page.returns();
    expect(heard).toEqual(['page.frozen', 'page.visible']);
  });

  test('report a page that is left for good as hidden, for nothing is kept of it', () => {
    const page = stubPage();
    const { heard } = watch();
    page.leaves(false);
    expect(heard).toEqual(['page.hidden']);
  });

  test.each(['hidden', 'visible'] as const)(
    'report a page that is frozen where it is, and runs on %s',
    (visibility) => {
      const page = stubPage();
      const { heard } = watch();
      page.turns('hidden');
      page.is('frozen');
      page.is('frozen');
      page.is('resumed');
      if (visibility === 'visible') page.turns('visible');
      const after = visibility === 'visible' ? ['page.hidden', 'page.visible'] : ['page.hidden'];
      expect(heard).toEqual(['page.hidden', 'page.frozen', ...after]);
    },
  );

  test('report nothing when a page is shown for the first time', () => {
    const page = stubPage();
    const { heard } = watch();
    page.returns();
    expect(heard).toEqual([]);
  });

  test('leave no listener and no timer when they end (pain 62)', () => {
    const page = stubPage();
    const { clock, heard, end } = watch();
    expect([page.listeners(), clock.pending()]).toEqual([7, 1]);
    end();
    expect([page.listeners(), clock.pending()]).toEqual([0, 0]);
    page.goes('offline');
    page.leaves(true);
    page.returns();
    clock.advance(60_000);
    expect(heard).toEqual([]);
  });

  test('report nothing of network and page where there is neither', () => {
    vi.stubGlobal('navigator', undefined);
    const { clock, heard } = watch();
    clock.advance(60_000);
    expect(heard).toEqual([]);
  });

  test('report waking up when a timer comes late, once (pain 4)', () => {
    const { clock, heard } = watch();
    clock.advance(TICK_MS - 1);
    clock.sleep(3_600_000);
    clock.advance(0);
    expect(heard).toEqual(['system.woke']);
    clock.advance(10 * TICK_MS);
    expect(heard).toHaveLength(1);
    clock.sleep(60_000);
    clock.advance(0);
    expect(heard).toHaveLength(2);
  });

  test.each([
    { lateMs: 2_000, woke: [] },
    { lateMs: 2_001, woke: ['system.woke'] },
  ])('take a tick that is $lateMs ms late for $woke', ({ lateMs, woke }) => {
    const { clock, heard } = watch();
    clock.sleep(TICK_MS + lateMs);
    clock.advance(0);
    expect(heard).toEqual(woke);
  });

  test('end for good when a listener ends them while it hears one', () => {
    const clock = new SimulatedClock();
    const end = platformSignals(clock).subscribe(() => end());
    clock.sleep(60_000);
    clock.advance(0);
    expect(clock.pending()).toBe(0);
  });

  test('do not keep a process alive by watching (pain 54)', () => {
    const unref = vi.fn();
    const clock = { now: () => 0, setTimeout: () => ({ unref }), clearTimeout: () => undefined };
    platformSignals(clock).subscribe(() => undefined);
    expect(unref).toHaveBeenCalledTimes(1);
  });

  test('touch nothing before somebody subscribes (pain 47)', () => {
    const page = stubPage({ onLine: false });
    const clock = new SimulatedClock();
    platformSignals(clock);
    expect([page.listeners(), clock.pending()]).toEqual([0, 0]);
  });
});

test('silent signals report nothing, and can be ended', () => {
  const heard: Signal[] = [];
  silentSignals.subscribe((signal) => heard.push(signal))();
  expect(heard).toEqual([]);
});
