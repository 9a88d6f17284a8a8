import { describe, expect, test } from 'vitest';

import { Idle } from '../src/idle.ts';

function waiting(isIdle: boolean): { idle: Idle; becomesIdle: () => void; told: string[] } {
  let now = isIdle;
  const idle = new Idle(() => now);
  const becomesIdle = (): void => {
    now = true;
    idle.look();
  };
  return { idle, becomesIdle, told: [] };
}

describe('the moment in which nothing is left to do', () => {
  test('is told at once when it is now', () => {
    const { idle, told } = waiting(true);
    idle.once(() => told.push('a'));
    expect(told).toEqual(['a']);
  });

  test('is told when it comes, to each in order of asking, once', () => {
    const { idle, becomesIdle, told } = waiting(false);
    idle.once(() => told.push('a'));
    idle.once(() => told.push('b'));
    idle.look();
    expect(told).toEqual([]);
    becomesIdle();
    idle.look();
    expect(told).toEqual(['a', 'b']);
  });

  test('is not told to who took it back', () => {
    const { idle, becomesIdle, told } = waiting(false);
    idle.once(() => told.push('a'))();
    becomesIdle();
    expect(told).toEqual([]);
  });

  test('is told anew to who asks again while being told', () => {
    const { idle, becomesIdle, told } = waiting(false);
    idle.once(() => {
      told.push('a');
      if (told.length < 3) idle.once(() => told.push('b'));
    });
    becomesIdle();
    expect(told).toEqual(['a', 'b']);
  });

  test('is not looked for while nobody waits: that may cost something', () => {
    let looks = 0;
    const idle = new Idle(() => {
      looks += 1;
      return false;
    });
    idle.look();
    idle.once(() => undefined)();
    idle.look();
    expect(looks).toBe(1);
  });
});
