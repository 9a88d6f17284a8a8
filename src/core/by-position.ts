// the front of the list is given back once this much of it is empty and it is half of the list
const TRIM_AT = 64;

/**
 * Items by their positions, which are given in ascending order and mostly taken out in it. A list and not a `Map`: one that is filled and
 * emptied for ever leaves its old tables chained to the new, and the collector of V8 keeps everything that was ever in them for long.
 */
export class ByPosition<Item> {
  // from the position #first on; what is before #head was taken out
  #items: (Item | undefined)[] = [];
  #first = 1;
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Puts an item at a position after all others. */
  set(position: number, item: Item): void {
    if (this.#size === 0 && this.#first + this.#items.length !== position) {
      this.#items = [];
      this.#first = position;
      this.#head = 0;
    }
    // positions in between have no item
    while (this.#first + this.#items.length < position) this.#items.push(undefined);
    this.#items.push(item);
    this.#size += 1;
  }

  get(position: number): Item | undefined {
    return this.#items[position - this.#first];
  }

  delete(position: number): void {
    if (this.get(position) === undefined) return;
    this.#items[position - this.#first] = undefined;
    this.#size -= 1;
    while (this.#head < this.#items.length && this.#items[this.#head] === undefined) this.#head += 1;
    if (this.#head < TRIM_AT || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#first += this.#head;
    this.#head = 0;
  }

  clear(): void {
    this.#items = [];
    this.#head = this.#size = 0;
  }

  /** The lowest position that has an item. */
  get lowest(): number | undefined {
    return this.#size === 0 ? undefined : this.#first + this.#head;
  }

  /** In ascending order. Items may be taken out meanwhile. */
  *[Symbol.iterator](): Iterator<[position: number, item: Item]> {
    const items = this.#items;
    const first = this.#first;
    for (let index = this.#head; index < items.length; index++) {
      const item = items[index];
      if (item !== undefined) yield [first + index, item];
    }
  }
}
