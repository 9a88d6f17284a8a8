import type { Measure } from '../rounds.ts';
import { AT_ONCE } from './jobs.ts';
import type { Pair } from './pairs.ts';

/** Of each connection: time of the processor in µs, and memory in kB. */
export type LifeFigure =
  'start' | 'recover' | 'stop' | 'serverStart' | 'serverRecover' | 'serverStop' | 'heap' | 'serverHeap' | 'faults';

type Cost = readonly [client: number, server: number];

// what follows a handshake is over by then
const SETTLE_MS = 500;

/** Opens so many connections, loses all of them at once, waits for them to be open again, sends a message on each, and closes them. Who does not connect again loses none. */
export async function livesOf(
  pair: Pair,
  { connections, isLost }: { connections: number; isLost: boolean },
): Promise<Measure<LifeFigure>> {
  const { candidate, client, server, url } = pair;
  await server.ask('forget');
  const empty = await heapsOf(pair);
  const start = await costOf(pair, async () => {
    await client.ask('open', { name: candidate.name, url, form: 'json', count: connections, atOnce: AT_ONCE });
  });
  const full = await heapsOf(pair);
  const recover = isLost ? await costOf(pair, () => lost(pair, connections)) : ([Number.NaN, Number.NaN] as const);
  const faults = await greeted(pair, connections);
  const stop = await costOf(pair, () => client.ask('close'));
  await server.ask('forget');
  const each = (figure: number): number => figure / connections;
  return {
    start: each(start[0]),
    serverStart: each(start[1]),
    recover: each(recover[0]),
    serverRecover: each(recover[1]),
    stop: each(stop[0]),
    serverStop: each(stop[1]),
    heap: each(full[0] - empty[0]) / 1_024,
    serverHeap: each(full[1] - empty[1]) / 1_024,
    faults,
  };
}

async function lost({ server }: Pair, connections: number): Promise<void> {
  const before = await server.ask('upgrades');
  await server.ask('drop');
  await server.ask('upgraded', before + connections);
  // who gave up a handshake has asked for another one, and the rest is not there yet
  await server.ask('peopled', connections);
}

// whether each of them carries a message
async function greeted({ client, server }: Pair, connections: number): Promise<number> {
  const span = { stream: 'terminal', from: 0, to: connections };
  await server.ask('expect', { ...span, lanes: connections });
  await client.ask('pour', { ...span, shape: { name: 'greeting', perTurn: 100, gapMs: 0 } });
  const { faults } = await server.ask('complete');
  return faults;
}

async function costOf({ client, server }: Pair, work: () => Promise<void>): Promise<Cost> {
  await Promise.all([client.ask('begin'), server.ask('begin')]);
  await work();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return Promise.all([client.ask('cpuMicros'), server.ask('cpuMicros')]);
}

async function heapsOf({ client, server }: Pair): Promise<Cost> {
  const [clientMemory, serverMemory] = await Promise.all([client.ask('memory'), server.ask('memory')]);
  return [clientMemory.heap, serverMemory.heap];
}
