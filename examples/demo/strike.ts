import type { Cable, Strand } from './cable.ts';
import { between, type Draw } from './chance.ts';
import { KILLS, seriesOf, type KillKind, type Stroke } from './kills.ts';
import { pause, until } from './wait.ts';

const BETWEEN_SERIES_MS = [60, 220] as const;
const RETURNS_WITHIN_MS = 5_000;

export interface StrikeOptions {
  draw: Draw;
  signal: AbortSignal;
  /** Hears of each kill. */
  killed: (kind: KillKind) => void;
}

/** Ends the connections of a cable at random instants. Gives up when the client does not come back. */
export async function strike(cable: Cable, { draw, signal, killed }: StrikeOptions): Promise<void> {
  // what the next connections are to suffer, one each
  const pending: Stroke[] = [];
  let underWay = 0;
  const inflict = async (stroke: Stroke, strand: Strand): Promise<void> => {
    underWay += 1;
    try {
      // a connection that ended by itself was not killed: the next one is
      if (await KILLS[stroke.kind].inflict(strand, { draw: stroke.draw, signal })) killed(stroke.kind);
      else pending.unshift(stroke);
    } catch {
      // the demo is aborted, which whoever waits for the next series is told as well
    } finally {
      underWay -= 1;
    }
  };
  cable.onStrand((strand) => {
    const stroke = pending.shift();
    if (stroke) void inflict(stroke, strand);
  });
  for (const [first, ...further] of seriesOf(draw)) {
    await pause(between(...BETWEEN_SERIES_MS, draw), signal);
    const isBack = await until(() => cable.newest !== undefined, { withinMs: RETURNS_WITHIN_MS, signal });
    if (!isBack || !cable.newest || !first) return;
    pending.push(...further);
    void inflict(first, cable.newest);
    await until(() => pending.length === 0 && underWay === 0, { withinMs: RETURNS_WITHIN_MS, signal });
  }
}
