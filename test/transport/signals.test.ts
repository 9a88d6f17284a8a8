import { afterEach, describe, expect, test, vi } from 'vitest';

import { platformSignals, silentSignals, type Signal } from '../../src/transport/signals.ts';
import { SimulatedClock } from '../support/clock.ts';

const TICK_MS = 5_000;

afterEach(() => {
  vi.unstubAllGlobals();
});

function watch(clock = new SimulatedClock()): { clock: SimulatedClock; heard: Signal[]; end: () => void } {
  const heard: Signal[] = [];
  const end = platformSignals(clock).subscribe((signal) => heard.push(signal));
  return { clock, heard, end };
}

/** The globals of a page, with a count of the listeners on them. */
function page({ onLine = true, visibilityState = 'visible' } = {}): {
  window: EventTarget;
  document: EventTarget & { visibilityState: string };
  listeners: () => number;
} {
  let listeners = 0;
  const counted = (): EventTarget =>
    Object.assign(new EventTarget(), {
      addEventListener(this: EventTarget, type: string, listener: EventListener) {
        listeners += 1;
        EventTarget.prototype.addEventListener.call(this, type, listener);
      },
      removeEventListener(this: EventTarget, type: string, listener: EventListener) {
        listeners -= 1;
        EventTarget.prototype.removeEventListener.call(this, type, listener);
      },
    });
  const window = counted();
  const document = Object.assign(counted(), { visibilityState });
  vi.stubGlobal('navigator', { onLine });
  vi.stubGlobal('document', document);
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    vi.stubGlobal(name, window[name].bind(window));
  }
  return { window, document, listeners: () => listeners };
}

describe('the platform’s signals', () => {
  test('report network and page as they change', () => {
    const { window, document } = page();
    const { heard } = watch();
    window.dispatchEvent(new Event('offline'));
    window.dispatchEvent(new Event('online'));
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(heard).toEqual(['network.offline', 'network.online', 'page.hidden', 'page.visible']);
  });

  test('report at once what is unusual from the start, and nothing else', () => {
    page({ onLine: false, visibilityState: 'hidden' });
    expect(watch().heard).toEqual(['network.offline', 'page.hidden']);
    page();
    expect(watch().heard).toEqual([]);
  });

  test('leave no listener and no timer when they end (pain 62)', () => {
    const { window, document, listeners } = page();
    const { clock, heard, end } = watch();
    expect([listeners() > 0, clock.pending()]).toEqual([true, 1]);
    end();
    expect([listeners(), clock.pending()]).toEqual([0, 0]);
    window.dispatchEvent(new Event('offline'));
    document.dispatchEvent(new Event('visibilitychange'));
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
    const { listeners } = page({ onLine: false });
    const clock = new SimulatedClock();
    platformSignals(clock);
    expect([listeners(), clock.pending()]).toEqual([0, 0]);
  });
});

test('silent signals report nothing, and can be ended', () => {
  const heard: Signal[] = [];
  silentSignals.subscribe((signal) => heard.push(signal))();
  expect(heard).toEqual([]);
});
