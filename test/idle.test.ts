import { describe, expect, test } from 'vitest';

import { Idle } from '../src/idle.ts';

describe('waiting for nothing to be left', () => {
  test('is over at once where nothing is left', () => {
    let told = 0;
    new Idle(() => true).once(() => (told += 1));
    expect(told).toBe(1);
  });

  test('is over once, when it is so, for all who wait', () => {
    let isIdle = false;
    const told: string[] = [];
    const idle = new Idle(() => isIdle);
    idle.once(() => told.push('one'));
    const forget = idle.once(() => told.push('other'));
    idle.once(() => told.push('third'));
    forget();
    idle.look();
    expect(told).toEqual([]);
    isIdle = true;
    idle.look();
    idle.look();
    expect(told).toEqual(['one', 'third']);
  });

  test('does not look where nobody waits: that may cost something', () => {
    let looks = 0;
    const idle = new Idle(() => {
      looks += 1;
      return true;
    });
    idle.look();
    expect(looks).toBe(0);
  });
});
