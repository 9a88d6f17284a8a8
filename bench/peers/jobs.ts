import type { Payloads } from '../payloads.ts';
import { quantile, type Measure } from '../rounds.ts';
import type { FigureColumn } from '../section.ts';
import type { Shape } from '../turns.ts';
import type { Pair } from './pairs.ts';

/** What is carried from one end to the other. */
export interface Load {
  payloads: Payloads;
  /** `up`: from the client to the server. */
  direction: 'up' | 'down';
  shape: Shape;
  messages: number;
  /** Over how many connections they are dealt out. @default 1 */
  connections?: number;
  /** How often it is carried before it is measured. @default 2 */
  leads?: number;
}

export type CarryingFigure = 'perSecond' | 'capacity' | 'clientMicros' | 'serverMicros' | 'bytes' | 'frames' | 'faults';
export type TripFigure = 'p50' | 'p99' | 'perSecond' | 'clientMicros' | 'serverMicros' | 'faults';
export type PaceFigure = 'p50' | 'p99' | 'receiverMicros' | 'faults';

/** What is shown of round trips. */
export const TRIP_COLUMNS: readonly (FigureColumn & { key: TripFigure })[] = [
  { key: 'p50', heading: 'p50 µs', digits: 0 },
  { key: 'p99', heading: 'p99 µs', digits: 0 },
  { key: 'perSecond', heading: 'requests/s', digits: 0 },
  { key: 'clientMicros', heading: 'client CPU µs', digits: 1, isBare: true },
  { key: 'serverMicros', heading: 'server CPU µs', digits: 1, isBare: true },
];

/** What is shown of messages that come at an even pace. */
export const PACE_COLUMNS: readonly (FigureColumn & { key: PaceFigure })[] = [
  { key: 'p50', heading: 'p50 µs', digits: 0 },
  { key: 'p99', heading: 'p99 µs', digits: 0 },
  { key: 'receiverMicros', heading: 'receiver CPU µs', digits: 2, isBare: true },
];

const LEAST_MESSAGES = 500;
// so often the same goes before what is measured: a process that has rested while others had their turns is slow at first, and the more so the less it leaves to the system
const LEADS = 2;
// of what comes at an even pace, this part of it
const LEAD = 0.25;
const LATE_MS = 300;
const COUNTED_MESSAGES = 2_000;
/** How many handshakes are under way. */
export const AT_ONCE = 64;

/**
 * Carries a load over a connection of its own. Per message: the time of the processor at each end, and the bytes of the server's socket in both directions. `capacity` is what the busier end
 * could carry in a second.
 */
export async function carry(pair: Pair, load: Load): Promise<Measure<CarryingFigure>> {
  const { candidate, client, server } = pair;
  const { payloads, direction, shape, connections = 1, leads = LEADS } = load;
  const [sender, receiver] = direction === 'up' ? [client, server] : [server, client];
  const messages = Math.max(LEAST_MESSAGES, Math.round(load.messages * (candidate.share ?? 1)));
  const stream = payloads.name;

  async function send() {
    const span = { stream, from: 0, to: messages };
    await receiver.ask('expect', { ...span, lanes: connections });
    const [began, arrival] = await Promise.all([sender.ask('pour', { ...span, shape }), receiver.ask('complete')]);
    return { ...arrival, seconds: (arrival.atMicros - began) / 1e6 };
  }

  await opened(pair, payloads.form, connections);
  let before = 0;
  for (let lead = 0; lead < leads; lead++) before += (await send()).faults;
  const [bytesBefore, framesBefore] = [await server.ask('bytes'), await server.ask('frames')];
  const { seconds, faults } = await send();
  const [clientCpu, serverCpu] = [await client.ask('cpuMicros'), await server.ask('cpuMicros')];
  const bytes = (await server.ask('bytes')) - bytesBefore;
  const frames = (await server.ask('frames')) - framesBefore;
  await client.ask('close');
  const [clientMicros, serverMicros] = [clientCpu / messages, serverCpu / messages];
  return {
    perSecond: messages / seconds,
    capacity: 1e6 / Math.max(clientMicros, serverMicros),
    clientMicros,
    serverMicros,
    bytes: bytes / messages,
    frames: (frames / messages) * 1_000,
    faults: before + faults,
  };
}

/** WebSocket frames in both directions for 1,000 messages of a load, in a run of its own that is not timed. */
export async function framesOf(pair: Pair, load: Load): Promise<number> {
  await pair.server.ask('tap', true);
  const { frames } = await carry(pair, { ...load, messages: COUNTED_MESSAGES, leads: 1 });
  await pair.server.ask('tap', false);
  return frames;
}

/** Asks, and waits for the answers. Times in µs, those of the processor for each question. */
export async function ask(
  pair: Pair,
  { count, inFlight }: { count: number; inFlight: number },
): Promise<Measure<TripFigure>> {
  const { candidate, client, server } = pair;
  const trips = Math.max(LEAST_MESSAGES, Math.round(count * (candidate.share ?? 1)));
  await opened(pair, 'json');
  await server.ask('echo', true);
  const before = await client.ask('trips', { count: trips, inFlight });
  await Promise.all([client.ask('begin'), server.ask('begin')]);
  const measured = await client.ask('trips', { count: trips, inFlight });
  const [clientCpu, serverCpu] = [await client.ask('cpuMicros'), await server.ask('cpuMicros')];
  await server.ask('echo', false);
  await client.ask('close');
  return {
    ...measured,
    clientMicros: clientCpu / trips,
    serverMicros: serverCpu / trips,
    faults: before.faults + measured.faults,
  };
}

/** How long messages are on their way at an even pace, in µs, and what each takes of its receiver's processor: who sends them is never at rest. */
export async function pace(
  pair: Pair,
  { direction, ...how }: { direction: 'up' | 'down'; perSecond: number; seconds: number },
): Promise<Measure<PaceFigure>> {
  const { client, server } = pair;
  const [sender, receiver] = direction === 'up' ? [client, server] : [server, client];

  async function send(seconds: number) {
    await receiver.ask('time');
    await receiver.ask('begin');
    await sender.ask('pace', { ...how, seconds });
    await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    return receiver.ask('delays');
  }

  await opened(pair, 'json');
  await send(how.seconds * LEAD);
  const late = await send(how.seconds);
  const receiverCpu = await receiver.ask('cpuMicros');
  await client.ask('close');
  const messages = how.perSecond * how.seconds;
  return {
    p50: quantile(late.micros, 0.5),
    p99: quantile(late.micros, 0.99),
    receiverMicros: receiverCpu / messages,
    faults: late.faults + Math.abs(messages - late.micros.length),
  };
}

async function opened({ candidate, client, server, url }: Pair, form: 'json' | 'bytes', count = 1): Promise<void> {
  await server.ask('forget');
  await client.ask('open', { name: candidate.name, url, form, count, atOnce: AT_ONCE });
}
