/** A curve: values at places from 0, the left edge, to 1, the right one. */
export interface Curve {
  /** Which of the colours `c0` to `c4` of a picture. */
  colour: number;
  points: readonly { at: number; value: number }[];
}

export interface Chart {
  title: string;
  /** Marks below, at places from 0 to 1. */
  marks: readonly { at: number; label: string }[];
  curves: readonly Curve[];
}

interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

const HEADING = 24;
const FOOT = 22;
const SCALE = 52;
const STEPS = 4;

/** Curves over one scale that begins at nothing. What is no number is left out. */
export function chartOf({ title, marks, curves }: Chart, { x, y, width, height }: Frame): string {
  const values = curves.flatMap(({ points }) => points.map(({ value }) => value)).filter(Number.isFinite);
  const most = Math.max(0, ...values) || 1;
  const step = roundStep(most / STEPS);
  const steps = Math.ceil(most / step);
  const [left, right, top, bottom] = [x + SCALE, x + width - 8, y + HEADING, y + height - FOOT];
  const placeOf = (at: number): number => left + (right - left) * at;
  const levelOf = (value: number): number => bottom - ((bottom - top) * value) / (step * steps);
  const grid = Array.from({ length: steps + 1 }, (_, index) => {
    const level = levelOf(index * step).toFixed(1);
    const label = (index * step).toLocaleString('en', { maximumSignificantDigits: 6 });
    return `<line class="grid" x1="${left}" x2="${right}" y1="${level}" y2="${level}"/><text class="soft" x="${left - 6}" y="${Number(level) + 4}" text-anchor="end">${label}</text>`;
  });
  const feet = marks.map(
    ({ at, label }) =>
      `<text class="soft" x="${placeOf(at).toFixed(1)}" y="${bottom + 17}" text-anchor="middle">${label}</text>`,
  );
  const lines = curves.map(({ colour, points }) => {
    const places = points
      .filter(({ value }) => Number.isFinite(value))
      .map(({ at, value }) => `${placeOf(at).toFixed(1)},${levelOf(value).toFixed(1)}`);
    return `<polyline class="curve c${colour}" points="${places.join(' ')}"/>`;
  });
  return [`<text x="${left}" y="${y + 12}">${title}</text>`, ...grid, ...feet, ...lines].join('\n');
}

/** Which colour is whose, in one row. */
export function keyOf(names: readonly string[], { x, y, each }: { x: number; y: number; each: number }): string {
  return names
    .map((name, colour) => {
      const at = x + colour * each;
      return `<polyline class="curve c${colour}" points="${at},${y} ${at + 22},${y}"/><text class="soft" x="${at + 28}" y="${y + 4}">${name}</text>`;
    })
    .join('\n');
}

// 1, 2 or 5, and as many noughts as it takes
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((digit) => digit * power >= least) ?? 10) * power;
}
