import { describe, expect, test } from 'vitest';

import { Relief } from '../src/relief.ts';
import type { Wire } from '../src/wire.ts';

class Watched {
  looks = 0;
  lowWaterBytes = -1;
  relieve: () => void = () => undefined;
  readonly wire = {
    look: () => {
      this.looks += 1;
    },
    onceRelieved: (lowWaterBytes: number, relieved: () => void) => {
      this.lowWaterBytes = lowWaterBytes;
      this.relieve = relieved;
      return () => undefined;
    },
  } as unknown as Wire;
}

describe('whoever waits for room on the line', () => {
  test('is told by the wire, which looks at once', () => {
    const relief = new Relief();
    const watched = new Watched();
    let told = 0;
    relief.wait(watched.wire, { lowWaterBytes: 7, relieved: () => (told += 1) });
    expect([watched.looks, watched.lowWaterBytes, told]).toEqual([1, 7, 0]);
    watched.relieve();
    expect(told).toBe(1);
  });

  test('is told by the wire that takes the place of a full one', () => {
    const relief = new Relief();
    const [full, next] = [new Watched(), new Watched()];
    let told = 0;
    relief.wait(full.wire, { lowWaterBytes: 7, relieved: () => (told += 1) });
    relief.watch(next.wire);
    expect([next.looks, next.lowWaterBytes]).toEqual([1, 7]);
    next.relieve();
    expect(told).toBe(1);
  });

  test('is told nothing once it has gone, and no wire is asked for nobody', () => {
    const relief = new Relief();
    const [full, next] = [new Watched(), new Watched()];
    let told = 0;
    relief.wait(full.wire, { lowWaterBytes: 7, relieved: () => (told += 1) })();
    full.relieve();
    relief.watch(next.wire);
    relief.watch(undefined);
    expect([told, next.looks]).toEqual([0, 0]);
  });

  test('waits for a wire, where there is none', () => {
    const relief = new Relief();
    const watched = new Watched();
    relief.wait(undefined, { lowWaterBytes: 7, relieved: () => undefined });
    relief.watch(watched.wire);
    expect(watched.looks).toBe(1);
  });
});
