import type { End, Strand, Tap } from './cable.ts';
import { between, chanceOf, shuffled, type Draw } from './chance.ts';
import { pause } from './wait.ts';

export const KILL_KINDS = [
  'reset',
  'closed',
  'server hears late',
  'client hears late',
  'stalled',
  'no upgrade',
  'no hello',
  'no welcome',
  'just welcomed',
] as const;
export type KillKind = (typeof KILL_KINDS)[number];

/** One way to end a connection without a word. */
export interface Kill {
  /** How often a storm does it. */
  times: number;
  /** Whether it hits a new connection, which must not have carried anything yet. */
  isEarly: boolean;
  /** Does it. @returns Whether the connection was alive until then. */
  inflict: (strand: Strand, chance: { draw: Draw; signal: AbortSignal }) => Promise<boolean>;
}

const BOTH: readonly End[] = ['client', 'server'];

/** Every way to end a connection that the demo knows. */
export const KILLS: Record<KillKind, Kill> = {
  reset: { times: 10, isEarly: false, inflict: (strand) => Promise.resolve(strand.reset(...BOTH)) },
  closed: { times: 6, isEarly: false, inflict: (strand) => Promise.resolve(strand.close()) },
  // the client is back while the server still has the socket before
  'server hears late': { times: 4, isEarly: false, inflict: oneAfterTheOther('client', 'server') },
  // the client goes on sending to nobody
  'client hears late': { times: 4, isEarly: false, inflict: oneAfterTheOther('server', 'client') },
  stalled: {
    times: 8,
    isEarly: false,
    inflict: async (strand, { draw, signal }) => {
      strand.silence(draw() < 0.5 ? 'client' : 'server');
      await pause(between(20, 120, draw), signal);
      return strand.reset(...BOTH);
    },
  },
  // the first piece from the client asks for the upgrade, the second is the hello
  'no upgrade': { times: 4, isEarly: true, inflict: (strand) => resetAt(strand, isFromClient(1)) },
  'no hello': { times: 5, isEarly: true, inflict: (strand) => resetAt(strand, isFromClient(2)) },
  // the server has given the session another socket and another token, and the client hears of neither
  'no welcome': { times: 5, isEarly: true, inflict: (strand) => resetAt(strand, isWelcome()) },
  'just welcomed': {
    times: 4,
    isEarly: true,
    inflict: async (strand, { draw, signal }) => {
      if (!(await caught(strand, isWelcome(), { passes: true }))) return false;
      await pause(between(0, 15, draw), signal);
      return strand.reset(...BOTH);
    },
  },
};

/** A kill that is to be, with a chance of its own: when it comes changes nothing of how it is done. */
export interface Stroke {
  kind: KillKind;
  draw: Draw;
}

/** How many connections a storm ends. */
export const KILLS_IN_ALL = KILL_KINDS.reduce((sum, kind) => sum + KILLS[kind].times, 0);

/** The kills of a storm, in series: the first of each hits a connection in use, each further one the connection that the client makes next. */
export function seriesOf(draw: Draw): Stroke[][] {
  const kinds = KILL_KINDS.flatMap((kind) => Array.from({ length: KILLS[kind].times }, () => kind));
  const all = shuffled(kinds, draw).map((kind) => ({ kind, draw: chanceOf(between(0, 2 ** 32, draw)) }));
  const series = all.filter(({ kind }) => !KILLS[kind].isEarly).map((first) => [first]);
  for (const further of all.filter(({ kind }) => KILLS[kind].isEarly)) {
    series[Math.floor(between(0, series.length, draw))]?.push(further);
  }
  return series;
}

function oneAfterTheOther(first: End, second: End): Kill['inflict'] {
  return async (strand, { draw, signal }) => {
    const wasAlive = strand.reset(first);
    await pause(between(30, 150, draw), signal);
    strand.reset(second);
    return wasAlive;
  };
}

// instead of passing that piece of data on
async function resetAt(strand: Strand, isIt: Tap): Promise<boolean> {
  return (await caught(strand, isIt, { passes: false })) && strand.reset(...BOTH);
}

// waits for a piece of data, and says whether it came
async function caught(strand: Strand, isIt: Tap, { passes }: { passes: boolean }): Promise<boolean> {
  return await new Promise((resolve) => {
    strand.onceGone(() => {
      resolve(false);
    });
    strand.tap((from, count) => {
      if (!isIt(from, count)) return true;
      resolve(true);
      return passes;
    });
  });
}

function isFromClient(piece: number): Tap {
  return (from, count) => from === 'client' && count === piece;
}

// what the server says first after the hello
function isWelcome(): Tap {
  let saidHello = false;
  return (from, count) => {
    if (from === 'server') return saidHello;
    saidHello ||= count === 2;
    return false;
  };
}
