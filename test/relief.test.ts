import { describe, expect, test } from 'vitest';

import { Relief } from '../src/relief.ts';
import type { Wire } from '../src/wire.ts';

/** A wire that is relieved when the test says so. */
class Line {
  relieved: (() => void) | undefined;
  lowWaterBytes: number | undefined;
  looks = 0;

  get wire(): Wire {
    return {
      onceRelieved: (lowWaterBytes: number, relieved: () => void) => {
        this.lowWaterBytes = lowWaterBytes;
        this.relieved = relieved;
        return () => undefined;
      },
      look: () => {
        this.looks += 1;
      },
    } as Wire;
  }
}

function waiting(): { relief: Relief; told: string[]; wait: (wire?: Wire, name?: string) => () => void } {
  const relief = new Relief();
  const told: string[] = [];
  const wait = (wire?: Wire, name = 'told'): (() => void) =>
    relief.wait(wire, { lowWaterBytes: 7, relieved: () => told.push(name) });
  return { relief, told, wait };
}

describe('relief', () => {
  test('is asked of the wire that there is, which is looked at now', () => {
    const { told, wait } = waiting();
    const line = new Line();
    wait(line.wire);
    expect([line.lowWaterBytes, line.looks, told]).toEqual([7, 1, []]);
    line.relieved?.();
    expect(told).toEqual(['told']);
  });

  test('may come from a wire that takes the place of the one that was full', () => {
    const { relief, told, wait } = waiting();
    const [full, next] = [new Line(), new Line()];
    wait(full.wire);
    relief.watch(next.wire);
    expect([next.lowWaterBytes, next.looks]).toEqual([7, 1]);
    next.relieved?.();
    expect(told).toEqual(['told']);
  });

  test('waits for a wire where there is none', () => {
    const { relief, told, wait } = waiting();
    const line = new Line();
    wait();
    relief.watch(undefined);
    relief.watch(line.wire);
    line.relieved?.();
    expect(told).toEqual(['told']);
  });

  test('asks nothing of a new wire while nobody waits', () => {
    const { relief, wait } = waiting();
    const line = new Line();
    wait()();
    relief.watch(line.wire);
    expect(line.looks).toBe(0);
  });

  test('is not told to who took it back, nor to who waited before', () => {
    const { told, wait } = waiting();
    const [one, other] = [new Line(), new Line()];
    const end = wait(one.wire, 'first');
    wait(other.wire, 'second');
    end();
    one.relieved?.();
    other.relieved?.();
    expect(told).toEqual(['second']);
  });
});
