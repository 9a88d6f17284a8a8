import { SLOT_MS, type Course } from './herd-run.ts';
import { kindOf, svgOf } from './picture.ts';

const WIDTH = 860;
const LEFT = 210;
const RIGHT = 96;
const TOP = 64;
const ROW = 44;
const BAR = 34;
const LONGEST_MS = 5_000;

/** Returns over time, a row for each way: bars as high as the share of the clients that a 100 ms brings back. */
export function herdPicture(courses: readonly Course[]): string {
  const height = TOP + courses.length * ROW + 40;
  const clients = Math.max(...courses.map(({ seen }) => sum(seen.returned)));
  const rows = courses.map((course, index) => rowOf(course, { y: TOP + index * ROW, clients }));
  const title = `${clients.toLocaleString('en')} clients lose one server, which is back at once: who returns when`;
  const peak = `<text class="soft" x="${WIDTH - 16}" y="48" text-anchor="end">peak in 100 ms</text>`;
  return svgOf({
    width: WIDTH,
    height,
    label: 'Clients that return in each 100 ms after all of them lost one server',
    title,
    legend:
      'each bar is 100 ms, as high as the share of all clients that it brings back (square root, so that small ones show)',
    content: [peak, gridOf(height), ...rows].join('\n'),
  });
}

function rowOf({ way, seen }: Course, { y, clients }: { y: number; clients: number }): string {
  const base = y + ROW - 4;
  const kind = kindOf(way.name);
  const bars = seen.returned.flatMap((those, slot) => {
    if (those === 0) return [];
    const x = xOf(slot * SLOT_MS);
    const high = Math.max(1, Math.sqrt(those / clients) * BAR);
    const wide = xOf((slot + 1) * SLOT_MS) - x - 1;
    return [
      `<rect class="${kind}" x="${short(x)}" y="${short(base - high)}" width="${short(wide)}" height="${short(high)}"/>`,
    ];
  });
  return [
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${base + 0.5}" y2="${base + 0.5}"/>`,
    `<text x="${LEFT - 12}" y="${base - 8}" text-anchor="end">${way.name}</text>`,
    ...bars,
    `<text x="${WIDTH - 16}" y="${base - 8}" text-anchor="end">${seen.peak.toLocaleString('en')}</text>`,
  ].join('\n');
}

function gridOf(height: number): string {
  const bottom = height - 36;
  return Array.from({ length: LONGEST_MS / 1_000 + 1 }, (_, seconds) => {
    const x = xOf(seconds * 1_000);
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${bottom}" stroke-dasharray="2 4"/>
<text class="soft" x="${x}" y="${bottom + 20}" text-anchor="middle">${seconds} s</text>`;
  }).join('\n');
}

function xOf(ms: number): number {
  return LEFT + ((WIDTH - RIGHT - LEFT) * ms) / (LONGEST_MS + SLOT_MS);
}

function short(length: number): string {
  return String(Number(length.toFixed(1)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
