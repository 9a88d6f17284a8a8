import { chat, terminal, type Payloads } from './payloads.ts';
import type { Comparison } from './rounds.ts';
import type { Bar } from './section.ts';
import { APART, BURSTS, type Shape } from './turns.ts';
import { holdfast, holdfastDeflate, holdfastWindow, type Way } from './wire-clients.ts';
import type { Direction } from './wire-run.ts';

/** What was counted of one load. */
export interface Costs {
  payloads: Payloads;
  direction: Direction;
  shape: Shape;
  compared: readonly Comparison[];
}

interface Rule {
  name: string;
  payloads: Payloads;
  shape: Shape;
  way: Way;
  figure: 'bytes of raw' | 'frames';
  most: number;
  goal?: number;
}

const RULES: readonly Rule[] = [
  { name: 'chat, frames per 1,000', payloads: chat, shape: BURSTS, way: holdfast, figure: 'frames', most: 10 },
  {
    name: 'chat, compressed frames per 1,000',
    payloads: chat,
    shape: BURSTS,
    way: holdfastDeflate,
    figure: 'frames',
    most: 10,
  },
  bytesOf('chat, compressed', [chat, BURSTS, holdfastDeflate], { most: 0.32, goal: 0.28 }),
  bytesOf('terminal, compressed', [terminal, BURSTS, holdfastDeflate], { most: 0.15, goal: 0.12 }),
  bytesOf('chat', [chat, APART, holdfast], { most: 1.2, goal: 1.1 }),
  bytesOf('terminal', [terminal, APART, holdfast], { most: 1.2, goal: 1.1 }),
  bytesOf('chat, with a window', [chat, APART, holdfastWindow], { most: 0.5, goal: 0.43 }),
  bytesOf('terminal, with a window', [terminal, APART, holdfastWindow], { most: 0.55, goal: 0.48 }),
];

/** What the project has set itself, held against what was counted. A run with a fault meets nothing. */
export function barsOf(costs: readonly Costs[]): Bar[] {
  return RULES.flatMap((rule) =>
    costs
      .filter(({ payloads, shape }) => payloads === rule.payloads && shape.name === rule.shape.name)
      .map(({ direction, compared }): Bar => {
        const own = compared.find(({ name }) => name === rule.way.name);
        const value = (rule.figure === 'frames' ? own?.values['frames'] : own?.ratios['bytes'])?.median ?? Number.NaN;
        const { name, most, goal } = rule;
        return {
          name: `${name}, ${rule.shape.name}, ${direction}`,
          value,
          most,
          ...(goal !== undefined && { goal }),
        };
      }),
  );
}

function bytesOf(
  what: string,
  [payloads, shape, way]: readonly [Payloads, Shape, Way],
  limits: { most: number; goal: number },
): Rule {
  return { name: `${what}, bytes of raw`, payloads, shape, way, figure: 'bytes of raw', ...limits };
}
