import { table, type Column } from '../examples/demo/table.ts';
import type { Comparison, Spread } from './rounds.ts';

/** What is printed together: some candidates, measured the same way. */
export interface Section {
  title: string;
  /** The figures that are shown, in this order. */
  figures: readonly FigureColumn[];
  results: readonly Comparison[];
  /** What the ratios are to. @default raw */
  base?: string;
  /** What the project has set itself, and whether it gets there. */
  bars?: readonly Bar[];
}

/** A figure that is not to be above a bound, or not below one. */
export interface Bar {
  name: string;
  value: number;
  most?: number;
  least?: number;
  goal?: number;
}

/** Whether it gets there; what was not measured does not. */
export function isMet({ value, most = Infinity, least = -Infinity }: Pick<Bar, 'value' | 'most' | 'least'>): boolean {
  return value <= most && value >= least;
}

export interface FigureColumn {
  key: string;
  heading: string;
  digits: number;
  /** Its ratio to the base says nothing. */
  isBare?: boolean;
}

/** Tells of each section as soon as it is there, and keeps them all. */
export function reported(report: (section: Section) => void): { sections: Section[]; tell: typeof report } {
  const sections: Section[] = [];
  return {
    sections,
    tell: (section) => {
      sections.push(section);
      report(section);
    },
  };
}

/**
 * A section as a table: of each figure the median, then its ratio to the base, the median with the least and the most. Under it the bars.
 */
export function printed({ title, figures, results, base = 'raw', bars = [] }: Section): string {
  const hasRatios = results.some(({ ratios }) => Object.keys(ratios).length > 0);
  const columns: Column[] = [
    { heading: '', side: 'left' },
    ...figures.flatMap(({ heading, isBare }): Column[] => [
      { heading, side: 'right' },
      ...(isBare ? [] : [{ heading: hasRatios ? `of ${base}` : 'least to most', side: 'left' } as const]),
    ]),
  ];
  const rows = results.map(({ name, values, ratios }) => [
    name,
    ...figures.flatMap(({ key, digits, isBare }) => {
      const [value, ratio] = [values[key], ratios[key]];
      const cells = value ? [value.median.toFixed(digits), ratio ? withSpread(ratio) : range(value, digits)] : ['', ''];
      return isBare ? cells.slice(0, 1) : cells;
    }),
  ]);
  const lines = [...(rows.length > 0 ? table(columns, rows) : []), ...(bars.length > 0 ? verdicts(bars) : [])];
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

function verdicts(bars: readonly Bar[]): string[] {
  const columns: Column[] = [
    { heading: '', side: 'left' },
    ...['measured', 'bound', 'goal'].map((heading): Column => ({ heading, side: 'right' })),
    { heading: '', side: 'left' },
  ];
  return table(
    columns,
    bars.map((bar) => [
      bar.name,
      bar.value.toFixed(3),
      bar.least === undefined ? `≤ ${bar.most?.toFixed(2) ?? ''}` : `≥ ${bar.least.toFixed(2)}`,
      bar.goal?.toFixed(2) ?? '',
      verdict(bar),
    ]),
  );
}

function verdict(bar: Bar): string {
  const { value, least, goal } = bar;
  if (!isMet(bar)) return 'NOT met';
  if (goal === undefined) return 'met';
  return (least === undefined ? value <= goal : value >= goal) ? 'met, goal too' : 'met, goal not';
}

function withSpread(ratio: Spread): string {
  return `${ratio.median.toFixed(2)} (${range(ratio, 2)})`;
}

function range({ least, most }: Spread, digits: number): string {
  return `${least.toFixed(digits)} to ${most.toFixed(digits)}`;
}
