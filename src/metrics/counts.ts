import type { PlainKey } from './catalog.ts';

/** What tells the series of a metric apart. `service` is the type of a service; empty where what was counted belongs to none. */
export type Labels = { readonly service: string } & Readonly<Record<string, string>>;

/** The value of one series. */
export interface Reading {
  readonly metric: PlainKey;
  readonly labels: Labels;
  readonly value: number;
}

/** Numbers that only rise, by metric and labels. */
export class Counts {
  readonly #readings = new Map<string, Reading>();

  increment(metric: PlainKey, labels: Labels): void {
    const key = keyOf(metric, labels);
    this.#readings.set(key, { metric, labels, value: (this.#readings.get(key)?.value ?? 0) + 1 });
  }

  /** Takes over a total that is counted elsewhere. One that is lower than before, or no number, changes nothing. */
  raise(metric: PlainKey, labels: Labels, total: number): void {
    const key = keyOf(metric, labels);
    const before = this.#readings.get(key);
    if (Number.isFinite(total) && total >= (before?.value ?? 0))
      this.#readings.set(key, { metric, labels, value: total });
  }

  get readings(): Reading[] {
    return [...this.#readings.values()];
  }
}

// in a fixed order of labels: each metric is counted in one place
function keyOf(metric: PlainKey, labels: Labels): string {
  return JSON.stringify([metric, ...Object.values(labels)]);
}
