import { CANDIDATES, RAW } from './candidates.ts';
import type { Candidate } from './ends.ts';
import { Process } from './process.ts';
import type { Asked } from './questions.ts';
import type { ClientOrders } from './client-orders.ts';
import type { ServerOrders } from './server.ts';

/** A candidate, with each of its ends in a process or a page of its own. */
export interface Pair {
  candidate: Candidate;
  url: string;
  client: Asked<ClientOrders>;
  server: Asked<ServerOrders>;
}

interface ProcessPair extends Pair {
  client: Process<ClientOrders>;
  server: Process<ServerOrders>;
}

/** The processes of all candidates, each started when it is first needed: they share no heap, and the compiler knows each of them alone. */
export class Pairs {
  readonly #pairs = new Map<string, Promise<ProcessPair>>();

  of(candidate: Candidate): Promise<Pair> {
    const known = this.#pairs.get(candidate.name) ?? started(candidate);
    this.#pairs.set(candidate.name, known);
    return known;
  }

  async stop(): Promise<void> {
    for (const started of await Promise.allSettled(this.#pairs.values())) {
      // whoever asked for it knows why it did not start
      if (started.status === 'rejected') continue;
      const { client, server } = started.value;
      client.stop();
      server.stop();
    }
    this.#pairs.clear();
  }
}

/** Brings candidates together who are measured beside each other, for as long as that takes. */
export type Gathering = <Result>(
  candidates: readonly Candidate[],
  work: (pairs: readonly Pair[]) => Promise<Result>,
) => Promise<Result>;

/** In processes that nothing else has run in. */
export const gathered: Gathering = async (candidates, work) => {
  const pairs = new Pairs();
  try {
    return await work(await Promise.all(candidates.map((candidate) => pairs.of(candidate))));
  } finally {
    await pairs.stop();
  }
};

/** Of those who can do something. */
export function able(candidates: readonly Candidate[], ...needs: readonly ('uplink' | 'bytes')[]): Candidate[] {
  return candidates.filter(({ lacks = [] }) => !needs.some((need) => lacks.includes(need)));
}

/** Raw, and everybody else. */
export const ALL: readonly Candidate[] = [RAW, ...CANDIDATES];

async function started(candidate: Candidate): Promise<ProcessPair> {
  const server = new Process<ServerOrders>('./server.ts', [candidate.service]);
  const client = new Process<ClientOrders>('./client.ts');
  const [port] = await Promise.all([server.ask('port'), client.ask('cpuMicros')]);
  return { candidate, url: `ws://127.0.0.1:${port}`, client, server };
}
