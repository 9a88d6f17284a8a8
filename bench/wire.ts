import { keepResults } from './keeping.ts';
import { bytes, chat, records, terminal, variedTerminal, type Payloads } from './payloads.ts';
import { interleaved, marked, type Comparison, type Measure } from './rounds.ts';
import { reported, type FigureColumn, type Section } from './section.ts';
import { APART, BURSTS, SINGLES, SMALL_BURSTS, type Shape } from './turns.ts';
import { barsOf, type Costs } from './wire-bars.ts';
import { holdfast, holdfastDeflate, holdfastWindow, raw, rawDeflate, type Way } from './wire-clients.ts';
import { carry, type Direction, type Load, type WireFigure } from './wire-run.ts';
import { startWireServer, type WireServerProcess } from './wire-server-process.ts';

const COUNTING_ROUNDS = 2;
const TIMING_ROUNDS = 7;
const SHAPES: readonly (Shape & { messages: number })[] = [
  { ...BURSTS, messages: 2_000 },
  { ...SMALL_BURSTS, messages: 2_000 },
  { ...SINGLES, messages: 2_000 },
  { ...APART, messages: 500 },
];
const STREAMS: readonly Payloads[] = [chat, terminal, variedTerminal, records, bytes];
const OTHERS: readonly Way[] = [rawDeflate, holdfast, holdfastDeflate, holdfastWindow];
const TIMED: readonly (Shape & { messages: number })[] = [
  { ...BURSTS, messages: 20_000 },
  { ...SINGLES, messages: 10_000 },
];

const COSTS: readonly FigureColumn[] = [
  { key: 'bytes', heading: 'bytes/message', digits: 1 },
  { key: 'back', heading: 'of them back', digits: 2, isBare: true },
  { key: 'frames', heading: 'frames/1,000', digits: 1, isBare: true },
  { key: 'framesBack', heading: 'back', digits: 1, isBare: true },
];
const SPEEDS: readonly FigureColumn[] = [
  { key: 'clientMicros', heading: 'client CPU µs', digits: 2 },
  { key: 'serverMicros', heading: 'server CPU µs', digits: 2 },
  { key: 'perSecond', heading: 'messages/s', digits: 0 },
];

/** What a message costs on its way, beside raw JSON over `ws` in the same interleaved run. Writes `bench/results/wire.*` as well. */
export async function benchWire(report: (section: Section) => void): Promise<void> {
  const { sections, tell } = reported(report);
  const server = await startWireServer();
  try {
    const costs: Costs[] = [];
    for (const payloads of STREAMS)
      for (const direction of ['up', 'down'] as const) tell(await costsOf(server, { payloads, direction }, costs));
    for (const payloads of [chat, terminal]) for (const shape of TIMED) tell(await speedsOf(server, payloads, shape));
    tell({ title: 'what the project asks of the wire', figures: [], results: [], bars: barsOf(costs) });
  } finally {
    server.stop();
  }
  keepResults(ACCOUNT, sections);
}

async function costsOf(
  server: WireServerProcess,
  { payloads, direction }: { payloads: Payloads; direction: Direction },
  costs: Costs[],
): Promise<Section> {
  const results: Comparison[] = [];
  for (const shape of SHAPES) {
    const load = { payloads, direction, shape, messages: shape.messages };
    const compared = await compare(server, load, { isCounting: true, rounds: COUNTING_ROUNDS });
    costs.push({ payloads, direction, shape, compared });
    results.push(...compared.map((one) => ({ ...one, name: `${shape.name}: ${one.name}` })));
  }
  const way = direction === 'up' ? 'client to server' : 'server to client';
  const title = `${payloads.name}, ${way}, bytes and frames at the server's socket, acknowledgements included`;
  return { title, figures: COSTS, results };
}

async function speedsOf(
  server: WireServerProcess,
  payloads: Payloads,
  shape: (typeof TIMED)[number],
): Promise<Section> {
  const load: Load = { payloads, direction: 'up', shape, messages: shape.messages };
  return {
    title: `${payloads.name}, client to server, ${shape.name}, until the server has all ${shape.messages}`,
    figures: SPEEDS,
    results: await compare(server, load, { isCounting: false, rounds: TIMING_ROUNDS }),
  };
}

async function compare(
  server: WireServerProcess,
  load: Load,
  { isCounting, rounds }: { isCounting: boolean; rounds: number },
): Promise<Comparison[]> {
  const run = (way: Way) => (): Promise<Measure<WireFigure>> => carry({ server, way, load, isCounting });
  const others = OTHERS.map((way) => ({ name: way.name, run: run(way) }));
  const compared = await interleaved(run(raw), others, { rounds });
  return compared.map(marked);
}

const ACCOUNT = {
  name: 'wire',
  title: 'What the wire costs',
  notes: `Medians; in brackets the least and the most of the rounds, each round held against the raw runs just before and after it.
Bytes and frames are those of the server's TCP socket, both directions together, from the welcome on; 9,999 messages went before those that are
counted, so positions have five digits. A frame back is an acknowledgement. Each message is checked at its receiver for order, loss,
repetition and contents; a run that fails is INVALID.`,
};
