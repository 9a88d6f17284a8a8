import { chartOf, keyOf, type Curve } from './line-chart.ts';
import { svgOf } from './picture.ts';

const WIDTH = 860;
const HEIGHT = 300;
const ENDS = [
  { name: 'server', key: 'serverHeap' },
  { name: 'client', key: 'heap' },
] as const;

/** Heap of both ends over the minutes, in MB. */
export function endurancePicture(memories: readonly Readonly<Record<'heap' | 'serverHeap', number>>[]): string {
  const last = Math.max(1, memories.length - 1);
  const curves = ENDS.map(({ key }, colour): Curve => ({
    colour,
    points: memories.map((memory, minute) => ({ at: minute / last, value: memory[key] })),
  }));
  const marks = memories.flatMap((_, minute) =>
    (minute + 1) % 5 === 0 || minute === 0 ? [{ at: minute / last, label: `${minute + 1} min` }] : [],
  );
  return svgOf({
    width: WIDTH,
    height: HEIGHT,
    label: 'Heap of client and server over half an hour of traffic',
    title: 'Memory over half an hour of traffic, every connection lost once a minute',
    legend: 'MB in use after a collection, once a minute',
    content: [
      keyOf(
        ENDS.map(({ name }) => name),
        { x: 16, y: 68, each: 100 },
      ),
      chartOf({ title: '', marks, curves }, { x: 0, y: 66, width: WIDTH - 24, height: HEIGHT - 74 }),
    ].join('\n'),
  });
}
