/** What one run of a candidate measured, by name. */
export type Measure<Figure extends string = string> = Readonly<Record<Figure, number>>;

/** The middle, the least and the most of some numbers. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** One candidate, over all rounds. */
export interface Comparison {
  name: string;
  values: Record<string, Spread>;
  /** Each run against the mean of the raw runs just before and just after it; empty where nothing is compared. */
  ratios: Record<string, Spread>;
}

/** What is held against raw. */
export interface Candidate<Figure extends string = string> {
  name: string;
  run: () => Promise<Measure<Figure>>;
}

/** How often everybody has a turn. */
export interface Turns {
  rounds: number;
  /** After how many others raw has another one. @default once a round */
  every?: number;
  /** So many rounds before the first are thrown away, for they measure the compiler. @default 1 */
  leading?: number;
}

/**
 * Runs candidates and raw in turn, raw first, last, and after every so many, for the machine is shared and noisy: a figure is only worth what
 * its neighbours say. Raw has ratios too, of each run to the one before it: they are the noise.
 */
export async function interleaved<Figure extends string>(
  raw: () => Promise<Measure<Figure>>,
  candidates: readonly Candidate<Figure>[],
  { rounds, every = Infinity, leading = 1 }: Turns,
): Promise<Comparison[]> {
  for (let round = 0; round < leading; round++) {
    await raw();
    for (const { run } of candidates) await run();
  }
  const anchors = [await raw()];
  // each with the number of the anchor before it
  const own = candidates.map((): { measure: Measure; before: number }[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run }] of candidates.entries()) {
      if (index > 0 && index % every === 0) anchors.push(await raw());
      own[index]?.push({ measure: await run(), before: anchors.length - 1 });
    }
    anchors.push(await raw());
  }
  return [
    { name: 'raw ws', values: spreads(anchors), ratios: spreads(anchors.slice(1).map(over(anchors))) },
    ...candidates.map(({ name }, index) => {
      const measures = (own[index] ?? []).map(({ measure }) => measure);
      const neighbours = (own[index] ?? []).map(({ before }) => meanOf(anchors.slice(before, before + 2)));
      return { name, values: spreads(measures), ratios: spreads(measures.map(over(neighbours))) };
    }),
  ];
}

/** Figures of what is compared with nothing. */
export function alone(name: string, measures: readonly Measure[]): Comparison {
  return { name, values: spreads(measures), ratios: {} };
}

/** Who loses, doubles or reorders is called so, and not averaged away. */
export function marked(one: Comparison): Comparison {
  return (one.values['faults']?.most ?? 0) > 0 ? { ...one, name: `${one.name} INVALID` } : one;
}

/** The value below which a share of some numbers lies. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const at = (sorted.length - 1) * share;
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  // in between, where no number stands: half of an even count is not its upper half
  return below === above ? below : below + (above - below) * (at % 1);
}

function spreads(measures: readonly Measure[]): Record<string, Spread> {
  return byFigure(measures, (numbers) => ({
    median: quantile(numbers, 0.5),
    least: Math.min(...numbers),
    most: Math.max(...numbers),
  }));
}

function meanOf(measures: readonly Measure[]): Measure {
  return byFigure(measures, (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length);
}

const over =
  (others: readonly Measure[]) =>
  (measure: Measure, index: number): Measure =>
    byFigure([measure, others[index] ?? {}], ([number = Number.NaN, other = Number.NaN]) => number / other);

function byFigure<Value>(measures: readonly Measure[], value: (numbers: number[]) => Value): Record<string, Value> {
  const figures = Object.keys(measures[0] ?? {});
  return Object.fromEntries(
    figures.map((figure) => [figure, value(measures.map((measure) => measure[figure] ?? Number.NaN))]),
  );
}
