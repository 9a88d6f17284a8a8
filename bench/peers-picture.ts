import { kindOf, svgOf } from './picture.ts';
import type { Section } from './section.ts';

/** A job that is drawn: the section that has it, and the ratio that counts. */
interface Column {
  heading: string;
  title: string;
  figure: string;
}

const COLUMNS: readonly Column[] = [
  { heading: 'up, 100 a turn', title: 'terminal, up, 100 a turn: what each end can carry', figure: 'capacity' },
  { heading: 'up, 1 a turn', title: 'terminal, up, 1 a turn: what each end can carry', figure: 'capacity' },
  { heading: 'down, 100 a turn', title: 'terminal, down, 100 a turn: what each end can carry', figure: 'capacity' },
  { heading: 'down, 1 a turn', title: 'terminal, down, 1 a turn: what each end can carry', figure: 'capacity' },
  { heading: 'requests, 100 open', title: 'round trips, 100 in flight', figure: 'perSecond' },
];
const LEFT = 250;
const COLUMN = 138;
const TOP = 96;
const ROW = 26;
const BAR = 14;
// a bar is as long as the logarithm of its ratio: half of a column for as much as this
const MOST = 16;
const HALF = 46;
const WIDTH = LEFT + COLUMNS.length * COLUMN + 16;

/** How much of raw everybody carries: a row for each, a column for each job, bars to both sides of raw. */
export function peersPicture(sections: readonly Section[]): string {
  const columns = COLUMNS.map(({ title, figure }) => {
    const results = sections.find((section) => section.title === title)?.results.slice(1) ?? [];
    return new Map(results.map(({ name, ratios }) => [name, ratios[figure]?.median]));
  });
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const height = TOP + names.length * ROW + 24;
  const headings = COLUMNS.map(
    ({ heading }, index) =>
      `<text class="soft" x="${middleOf(index)}" y="${TOP - 16}" text-anchor="middle">${heading}</text>`,
  );
  const rows = names.map((name, row) => rowOf(name, columns, TOP + row * ROW));
  const raw = COLUMNS.map(
    (_, index) =>
      `<line class="grid" stroke-width="2" x1="${middleOf(index)}" x2="${middleOf(index)}" y1="${TOP - 6}" y2="${height - 20}"/>`,
  );
  return svgOf({
    width: WIDTH,
    height,
    label: 'How much of a bare ws client and server everybody carries',
    title: 'How much of a bare ws on both ends everybody carries',
    legend: 'small JSON messages; the line is ws, to the right is more; logarithmic',
    content: [...headings, ...rows, ...raw].join('\n'),
  });
}

function rowOf(name: string, columns: readonly ReadonlyMap<string, number | undefined>[], y: number): string {
  const kind = kindOf(name);
  const cells = columns.flatMap((column, index) => {
    const ratio = column.get(name);
    return ratio === undefined ? [] : [cellOf(ratio, { kind, x: middleOf(index), y })];
  });
  return [`<text x="${LEFT - 12}" y="${y + 15}" text-anchor="end">${name}</text>`, ...cells].join('\n');
}

function cellOf(ratio: number, { kind, x, y }: { kind: string; x: number; y: number }): string {
  const length = Math.max(-HALF, Math.min(HALF, (Math.log(ratio) / Math.log(MOST)) * HALF));
  const [from, wide] = length < 0 ? [x + length, -length] : [x, length];
  // beside the bar, on the side that it does not reach
  const side = length < 0 ? 'start' : 'end';
  const at = length < 0 ? x + 5 : x - 5;
  return `<rect class="${kind}" x="${from.toFixed(1)}" y="${y + 4}" width="${wide.toFixed(1)}" height="${BAR}"/><text class="soft" x="${at}" y="${y + 15}" text-anchor="${side}">${ratio.toFixed(2)}</text>`;
}

function middleOf(column: number): number {
  return LEFT + column * COLUMN + COLUMN / 2;
}
