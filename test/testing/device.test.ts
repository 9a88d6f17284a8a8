import { describe, expect, test } from 'vitest';

import type { Signal } from '../../src/index.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { SimulatedDevice } from '../../src/testing/device.ts';

/** A device, and what happens on it: signals, and whatever else is written down. */
function watched() {
  const clock = new SimulatedClock();
  const device = new SimulatedDevice(clock);
  const happened: string[] = [];
  const unsubscribe = device.signals.subscribe((signal) => happened.push(signal));
  const set = (name: string, ms: number, then?: () => void): unknown =>
    device.clock.setTimeout(() => {
      happened.push(name);
      then?.();
    }, ms);
  const run = (name: string, then?: () => void): void => {
    device.run(() => {
      happened.push(name);
      then?.();
    });
  };
  return { clock, device, happened, unsubscribe, set, run };
}

/** What somebody hears who subscribes now. */
function heardLate(device: SimulatedDevice): Signal[] {
  const signals: Signal[] = [];
  device.signals.subscribe((signal) => signals.push(signal))();
  return signals;
}

describe('a simulated device', () => {
  test('tells each change of its network once, and its network hears of it', () => {
    const { device, happened } = watched();
    const network: boolean[] = [];
    device.onNetwork = (isOnline) => network.push(isOnline);
    device.goOnline();
    expect([device.isOnline, happened, network]).toEqual([true, [], []]);
    device.goOffline();
    device.goOffline();
    expect([device.isOnline, happened, network]).toEqual([false, ['network.offline'], [false]]);
    device.goOnline();
    device.goOnline();
    expect([device.isOnline, happened, network]).toEqual([true, ['network.offline', 'network.online'], [false, true]]);
  });

  test('tells each change of its page once', () => {
    const { device, happened } = watched();
    device.show();
    device.hide();
    device.hide();
    expect(device.isHidden).toBe(true);
    device.show();
    expect([happened, device.isHidden]).toEqual([['page.hidden', 'page.visible'], false]);
  });

  test('tells who comes late how it is', () => {
    const { device } = watched();
    expect(heardLate(device)).toEqual([]);
    device.goOffline();
    expect(heardLate(device)).toEqual(['network.offline']);
    device.hide();
    expect(heardLate(device)).toEqual(['network.offline', 'page.hidden']);
    device.goOnline();
    device.show();
    expect(heardLate(device)).toEqual([]);
  });

  test('tells nothing to who has unsubscribed, and counts those who listen', () => {
    const { device, happened, unsubscribe } = watched();
    expect(device.listenersLeft).toBe(1);
    unsubscribe();
    unsubscribe();
    device.hide();
    expect([device.listenersLeft, happened]).toEqual([0, []]);
  });

  test('has timers of its own, which can be cleared', () => {
    const { clock, device, happened, set } = watched();
    device.clock.clearTimeout(set('cleared', 5));
    device.clock.clearTimeout(undefined);
    const fired = set('a', 10);
    clock.advance(10);
    device.clock.clearTimeout(fired);
    expect([happened, clock.pending()]).toEqual([['a'], 0]);
    expect(() => device.clock.setTimeout(() => undefined, NaN)).toThrow(RangeError);
  });

  test('has a wall clock that can be set, and one for measuring that goes on', () => {
    const { clock, device, happened, set } = watched();
    const now = (): number => device.clock.now();
    const measured = (): number => device.clock.monotonicNow?.() ?? NaN;
    const [wallBefore, before] = [now(), measured()];
    set('on time', 100);
    device.setWall(-3_600_000);
    device.setWall(600_000);
    clock.advance(100);
    expect([now() - wallBefore, measured() - before]).toEqual([100 - 3_000_000, 100]);
    expect(happened).toEqual(['on time']);
  });
});

describe('a device that stands still', () => {
  test('holds back timers, signals and deeds, and gives them in order once it wakes', () => {
    const { clock, device, happened, set, run } = watched();
    set('timer at 20', 20);
    set('timer at 10', 10);
    device.sleep();
    expect(device.isStill).toBe(true);
    clock.advance(15);
    run('deed');
    device.goOffline();
    clock.advance(15);
    set('timer set meanwhile', 1_000);
    expect(happened).toEqual([]);
    device.wake();
    expect(happened).toEqual(['system.woke', 'timer at 10', 'deed', 'network.offline', 'timer at 20']);
    expect(device.isStill).toBe(false);
    clock.advance(1_000);
    expect(happened.at(-1)).toBe('timer set meanwhile');
  });

  test('tells that its page freezes, and is seen when it thaws', () => {
    const { clock, device, happened, set } = watched();
    set('a', 10);
    device.freeze();
    expect([happened, device.isStill, device.isHidden]).toEqual([['page.frozen'], true, true]);
    clock.advance(100);
    device.thaw();
    expect(happened).toEqual(['page.frozen', 'page.visible', 'a']);
    expect([device.isStill, device.isHidden]).toEqual([false, false]);
  });

  test('takes a second sleep, and a wake out of nothing, for nothing', () => {
    const { device, happened, run } = watched();
    device.wake();
    device.thaw();
    device.sleep();
    run('deed');
    device.sleep();
    expect(happened).toEqual([]);
    device.wake();
    expect(happened).toEqual(['system.woke', 'deed']);
  });

  test.each([
    [
      ['freeze', 'sleep', 'wake', 'thaw'],
      ['page.frozen', 'system.woke', 'page.visible', 'deed'],
    ],
    [
      ['sleep', 'freeze', 'wake', 'thaw'],
      ['system.woke', 'page.visible', 'deed'],
    ],
    [
      ['freeze', 'sleep', 'thaw', 'wake'],
      ['page.frozen', 'page.visible', 'system.woke', 'deed'],
    ],
  ] as const)('that does %j goes on after both have ended, and is told so first', (deeds, order) => {
    const { device, happened, run } = watched();
    const [first, second, third, last] = deeds;
    device[first]();
    device[second]();
    run('deed');
    device[third]();
    expect(happened).not.toContain('deed');
    device[last]();
    expect([happened, device.isHidden, device.isStill]).toEqual([order, false, false]);
  });

  test('tells at once only its network that the device is offline', () => {
    const { device, happened } = watched();
    const network: boolean[] = [];
    device.onNetwork = (isOnline) => network.push(isOnline);
    device.sleep();
    device.goOffline();
    expect([network, happened, device.isOnline]).toEqual([[false], [], false]);
  });

  test('does not fire a timer that is cleared while it is held', () => {
    const { clock, device, happened, set } = watched();
    const timers = [set('held', 10)];
    set('clears', 5, () => {
      for (const timer of timers) device.clock.clearTimeout(timer);
    });
    device.sleep();
    clock.advance(20);
    device.wake();
    expect(happened).toEqual(['system.woke', 'clears']);
  });

  test('runs at once what is done on it while it goes on', () => {
    const { device, happened, run } = watched();
    device.sleep();
    run('a', () => {
      run('a.a');
    });
    run('b');
    device.wake();
    expect(happened).toEqual(['system.woke', 'a', 'a.a', 'b']);
  });

  test('may be stopped again while it goes on, and keeps the order of what is left', () => {
    const { device, happened, run } = watched();
    device.sleep();
    run('a', () => {
      device.sleep();
      run('after b and c');
    });
    run('b');
    run('c');
    device.wake();
    expect([happened, device.isStill]).toEqual([['system.woke', 'a'], true]);
    run('last');
    device.wake();
    expect(happened.slice(2)).toEqual(['system.woke', 'b', 'c', 'after b and c', 'last']);
    expect(device.isStill).toBe(false);
  });

  test('may be stopped by who hears that it wakes', () => {
    const { device, happened, run } = watched();
    let stops = 1;
    device.signals.subscribe(() => {
      if (stops-- > 0) device.sleep();
    });
    device.sleep();
    run('a');
    device.wake();
    expect([happened, device.isStill]).toEqual([['system.woke'], true]);
    device.wake();
    expect(happened).toEqual(['system.woke', 'system.woke', 'a']);
  });
});
