import { chartOf, keyOf, type Chart, type Curve } from './line-chart.ts';
import { svgOf } from './picture.ts';
import type { Section } from './section.ts';

/** What is drawn of each candidate, by how many connections it has. */
const FIGURES = [
  { key: 'start', title: 'start: client CPU µs' },
  { key: 'recover', title: 'lose and recover: client CPU µs' },
  { key: 'stop', title: 'stop: client CPU µs' },
  { key: 'heap', title: 'client heap kB' },
  { key: 'serverHeap', title: 'server heap kB' },
];
const COLUMNS = 3;
const FRAME = { width: 300, height: 200 };
const TOP = 92;
const LEFT = 12;

/** The title of the section about one connection of a candidate. */
export function lifeTitle(name: string): string {
  return `${name}${LIFE}`;
}

/** The title of the section about messages on so many connections. */
export function spreadTitle(connections: number): string {
  return `${SPREAD}${countText(connections)}`;
}

/** How many there are, as a row is called. */
export function countText(connections: number): string {
  return `${connections.toLocaleString('en')} ${connections === 1 ? 'connection' : 'connections'}`;
}

const LIFE = ': one of so many connections, CPU in µs';
const SPREAD = 'terminal, up, 100 a turn, dealt out to ';

/** Costs and throughput over the number of connections, a curve for each candidate. */
export function growthPicture(sections: readonly Section[]): string {
  const lives = sections.filter(({ title }) => title.endsWith(LIFE));
  const spreads = sections.filter(({ title }) => title.startsWith(SPREAD));
  const names = lives.map(({ title }) => title.slice(0, -LIFE.length));
  const crowds = lives[0]?.results.map(({ name }) => shortCount(name)) ?? [];
  const costs = FIGURES.map(({ key, title }): Chart => {
    const curves = lives.map(({ results }, colour) =>
      curveOf(
        colour,
        results.map(({ values }) => values[key]?.median),
      ),
    );
    return { title, marks: marksOf(crowds), curves };
  });
  const throughput: Chart = {
    title: 'capacity, messages a second',
    marks: marksOf(spreads.map(({ title }) => shortCount(title.slice(SPREAD.length)))),
    curves: names.map((name, colour) =>
      curveOf(
        colour,
        spreads.map(({ results }) => results.find((one) => one.name === name)?.values['capacity']?.median),
      ),
    ),
  };
  const charts = [...costs, throughput].map((chart, index) => {
    const x = LEFT + (index % COLUMNS) * FRAME.width;
    return chartOf(chart, { ...FRAME, x, y: TOP + Math.floor(index / COLUMNS) * (FRAME.height + 16) });
  });
  return svgOf({
    width: LEFT * 2 + COLUMNS * FRAME.width,
    height: TOP + Math.ceil(charts.length / COLUMNS) * (FRAME.height + 16),
    label: 'What each connection costs, and what all of them carry, by how many there are',
    title: 'What each connection costs, and what all of them carry together',
    legend: 'by the number of connections; medians',
    content: [keyOf(names, { x: LEFT + 4, y: 68, each: 180 }), ...charts].join('\n'),
  });
}

function curveOf(colour: number, values: readonly (number | undefined)[]): Curve {
  const points = values.map((value = Number.NaN, index) => ({ at: placeOf(index, values.length), value }));
  return { colour, points };
}

function marksOf(labels: readonly string[]): Chart['marks'] {
  return labels.map((label, index) => ({ at: placeOf(index, labels.length), label }));
}

// evenly, for each has ten times as many as the one before
function placeOf(index: number, count: number): number {
  return 0.04 + (0.92 * index) / Math.max(1, count - 1);
}

function shortCount(name: string): string {
  return name.split(' ')[0] ?? '';
}
