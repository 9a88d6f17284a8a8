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
}

export type CarryingFigure = 'perSecond' | 'capacity' | 'clientMicros' | 'serverMicros' | 'bytes' | 'faults';
export type TripFigure = 'p50' | 'p99' | 'perSecond' | 'faults';

/** What is shown of round trips. */
export const TRIP_COLUMNS: readonly (FigureColumn & { key: TripFigure })[] = [
  { key: 'p50', heading: 'p50 µs', digits: 0 },
  { key: 'p99', heading: 'p99 µs', digits: 0 },
  { key: 'perSecond', heading: 'requests/s', digits: 0 },
];

const LEAST_MESSAGES = 500;
// before anything is measured: the compiler has seen the code, and sockets have grown
const LEAD = 0.25;
const LATE_MS = 300;
/** How many handshakes are under way. */
export const AT_ONCE = 64;

/**
 * Carries a load over a connection of its own. Per message: the time of the processor at each end, and the bytes of the server's socket in both directions. `capacity` is what the busier end
 * could carry in a second.
 */
export async function carry(pair: Pair, load: Load): Promise<Measure<CarryingFigure>> {
  const { candidate, client, server } = pair;
  const { payloads, direction, shape, connections = 1 } = load;
  const [sender, receiver] = direction === 'up' ? [client, server] : [server, client];
  const messages = Math.max(LEAST_MESSAGES, Math.round(load.messages * (candidate.share ?? 1)));
  const lead = Math.round(messages * LEAD);
  const stream = payloads.name;

  async function send(from: number, to: number) {
    await receiver.ask('expect', { stream, from, to, lanes: connections });
    const [began, arrival] = await Promise.all([
      sender.ask('pour', { stream, from, to, shape }),
      receiver.ask('complete'),
    ]);
    return { ...arrival, seconds: (arrival.atMicros - began) / 1e6 };
  }

  await opened(pair, payloads.form, connections);
  const before = await send(0, lead);
  const bytesBefore = await server.ask('bytes');
  const { seconds, faults } = await send(lead, lead + messages);
  const [clientCpu, serverCpu] = [await client.ask('cpuMicros'), await server.ask('cpuMicros')];
  const bytes = (await server.ask('bytes')) - bytesBefore;
  await client.ask('close');
  const [clientMicros, serverMicros] = [clientCpu / messages, serverCpu / messages];
  return {
    perSecond: messages / seconds,
    capacity: 1e6 / Math.max(clientMicros, serverMicros),
    clientMicros,
    serverMicros,
    bytes: bytes / messages,
    faults: before.faults + faults,
  };
}

/** Asks, and waits for the answers. Times in µs. */
export async function ask(
  pair: Pair,
  { count, inFlight }: { count: number; inFlight: number },
): Promise<Measure<TripFigure>> {
  const { candidate, client, server } = pair;
  const trips = Math.max(LEAST_MESSAGES, Math.round(count * (candidate.share ?? 1)));
  await opened(pair, 'json');
  await server.ask('echo', true);
  const before = await client.ask('trips', { count: Math.round(trips * LEAD), inFlight });
  const measured = await client.ask('trips', { count: trips, inFlight });
  await server.ask('echo', false);
  await client.ask('close');
  return { ...measured, faults: before.faults + measured.faults };
}

/** How long messages are on their way up at an even pace, in µs. */
export async function pace(
  pair: Pair,
  how: { perSecond: number; seconds: number },
): Promise<Measure<'p50' | 'p99' | 'faults' | 'serverMicros'>> {
  const { client, server } = pair;
  await opened(pair, 'json');
  await server.ask('time');
  await client.ask('pace', { ...how, seconds: how.seconds * LEAD });
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  await server.ask('delays');
  await server.ask('time');
  await server.ask('begin');
  await client.ask('pace', how);
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  const serverMicros = (await server.ask('cpuMicros')) / (how.perSecond * how.seconds);
  const late = await server.ask('delays');
  await client.ask('close');
  return {
    p50: quantile(late.micros, 0.5),
    p99: quantile(late.micros, 0.99),
    serverMicros,
    faults: late.faults + Math.abs(how.perSecond * how.seconds - late.micros.length),
  };
}

async function opened({ candidate, client, server, url }: Pair, form: 'json' | 'bytes', count = 1): Promise<void> {
  await server.ask('forget');
  await client.ask('open', { name: candidate.name, url, form, count, atOnce: AT_ONCE });
}
