import { table, type Column } from '../examples/demo/table.ts';
import type { Comparison, Spread } from './rounds.ts';

/** What is printed together: some candidates, measured the same way. */
export interface Section {
  title: string;
  /** The figures that are shown, in this order. */
  figures: readonly FigureColumn[];
  results: readonly Comparison[];
}

export interface FigureColumn {
  key: string;
  heading: string;
  digits: number;
}

/** A section as a table: of each figure the median, then its ratio to raw, the median with the least and the most. */
export function printed({ title, figures, results }: Section): string {
  const hasRatios = results.some(({ ratios }) => Object.keys(ratios).length > 0);
  const columns: Column[] = [
    { heading: '', side: 'left' },
    ...figures.flatMap(({ heading }): Column[] => [
      { heading, side: 'right' },
      { heading: hasRatios ? 'of raw' : 'least to most', side: 'left' },
    ]),
  ];
  const rows = results.map(({ name, values, ratios }) => [
    name,
    ...figures.flatMap(({ key, digits }) => {
      const [value, ratio] = [values[key], ratios[key]];
      if (!value) return ['', ''];
      return [value.median.toFixed(digits), ratio ? withSpread(ratio) : range(value, digits)];
    }),
  ]);
  return [title, ...table(columns, rows).map((line) => `  ${line}`)].join('\n');
}

function withSpread(ratio: Spread): string {
  return `${ratio.median.toFixed(2)} (${range(ratio, 2)})`;
}

function range({ least, most }: Spread, digits: number): string {
  return `${least.toFixed(digits)} to ${most.toFixed(digits)}`;
}
