import { messagesOf, Roll, type Payloads } from './payloads.ts';
import type { Measure } from './rounds.ts';
import { BURSTS, pour, type Shape } from './turns.ts';
import type { Way } from './wire-clients.ts';
import type { WireServerProcess } from './wire-server-process.ts';

/** `up`: from the client to the server. */
export type Direction = 'up' | 'down';

export interface Load {
  payloads: Payloads;
  direction: Direction;
  shape: Shape;
  messages: number;
}

/** Of what a run is made. */
export interface RunOptions {
  server: WireServerProcess;
  way: Way;
  load: Load;
  /** Counts frames and compares contents; otherwise time is measured, which that would take. */
  isCounting: boolean;
}

export type WireFigure =
  'bytes' | 'back' | 'frames' | 'framesBack' | 'clientMicros' | 'serverMicros' | 'perSecond' | 'faults';

const ARRIVAL_MS = 45_000;
// so many are sent before anything is counted, where that makes frames longer: no session begins anew all the time
const LEAD = 9_999;

/** Sends a load over a connection of its own, and measures what it cost. Frames are per 1,000 messages, the rest per message. */
export async function carry({ server, way, load, isCounting }: RunOptions): Promise<Measure<WireFigure>> {
  const { payloads, direction, shape, messages } = load;
  const first = way.hasPositions && isCounting ? 0 : LEAD;
  await server.order({ do: 'expect', stream: payloads.name, first, isCounting });
  const roll = new Roll(payloads, first);
  let allArrived: () => void = () => undefined;
  const client = await way.open(server.url, {
    form: payloads.form,
    onMessage: (message) => {
      if (roll.take(message)) allArrived();
    },
  });

  let cpu = process.cpuUsage();
  let start = performance.now();
  const begin = (): void => {
    cpu = process.cpuUsage();
    start = performance.now();
  };

  async function send(from: number, to: number, how: Shape): Promise<void> {
    const isExact = isCounting && from === LEAD;
    const list = direction === 'up' ? messagesOf(payloads, from, to) : [];
    await server.order({ do: 'begin', upTo: direction === 'up' ? to : first, isExact });
    if (direction === 'up') {
      const complete = inTime(server.complete());
      begin();
      await pour(client, list, how);
      await complete;
    } else {
      roll.expect(to, { isExact });
      const complete = inTime(new Promise<void>((resolve) => (allArrived = resolve)));
      begin();
      await server.order({ do: 'send', from, to, shape: how });
      await complete;
    }
    await client.settled();
  }

  if (first < LEAD) await send(first, LEAD, BURSTS);
  await send(LEAD, LEAD + messages, shape);
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - start;
  const costs = await server.report();
  await client.close();

  const [there, back] = direction === 'up' ? (['In', 'Out'] as const) : (['Out', 'In'] as const);
  return {
    bytes: (costs.bytesIn + costs.bytesOut) / messages,
    back: costs[`bytes${back}`] / messages,
    frames: (costs[`frames${there}`] / messages) * 1_000,
    framesBack: (costs[`frames${back}`] / messages) * 1_000,
    clientMicros: (user + system) / messages,
    serverMicros: costs.cpuMicros / messages,
    perSecond: (messages / wallMs) * 1_000,
    faults: costs.faults + roll.faults,
  };
}

// what is lost by then is a fault that is counted
async function inTime(arrival: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ARRIVAL_MS)));
  await Promise.race([arrival, late]);
  clearTimeout(timer);
}
