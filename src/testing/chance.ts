import { drawFrom } from '../core/chance.ts';

/** Everything that is left to chance in one run: a function of its seed. */
export class Chance {
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
  }

  /** A number in [0, 1). */
  readonly draw = (): number => {
    const { seed, draw } = drawFrom(this.#seed);
    this.#seed = seed;
    return draw;
  };

  /** Another one, whose draws do not depend on how often this one is asked from now on. */
  fork(): Chance {
    return new Chance(Math.floor(this.draw() * 2 ** 32));
  }

  /** A whole number from 0 to below the bound. */
  below(bound: number): number {
    return Math.floor(this.draw() * bound);
  }

  /** A time, or any number, from the first bound to the second. */
  between(least: number, most: number): number {
    return least + this.draw() * (most - least);
  }

  /** Whether something happens that has this probability. */
  happens(probability: number): boolean {
    return this.draw() < probability;
  }

  /** One of a list that is not empty. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** Half of a list, in its order. */
  half<Item>(items: readonly Item[]): Item[] {
    return items.filter(() => this.happens(0.5));
  }

  /** Fills an array, as WebCrypto does. */
  readonly fill = (bytes: Uint8Array<ArrayBuffer>): void => {
    for (let index = 0; index < bytes.length; index++) bytes[index] = this.below(256);
  };
}
