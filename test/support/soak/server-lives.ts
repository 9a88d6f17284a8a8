import { createServer } from 'node:net';
import { join } from 'node:path';

import { startObedient, type Obedient } from './processes.ts';

/** One server on one port, over all the processes that it is killed in and started again as. Each life has a journal of its own. */
export class ServerLives {
  readonly port: number;
  /** The journals, in order. */
  readonly journals: string[] = [];
  /** The processes, in order. */
  readonly processes: Obedient[] = [];
  readonly #directory: string;
  readonly #seed: number;

  constructor(directory: string, { port, seed }: { port: number; seed: number }) {
    this.#directory = directory;
    this.port = port;
    this.#seed = seed;
  }

  /** The process that lives, or lived last. */
  get present(): Obedient {
    const present = this.processes.at(-1);
    if (!present) throw new Error('The server was never started.');
    return present;
  }

  async start(): Promise<void> {
    const life = this.journals.length;
    const journal = join(this.#directory, `server-${life}.jsonl`);
    this.journals.push(journal);
    const args = [this.port, journal, this.#seed + life];
    this.processes.push(await startObedient('server', { directory: this.#directory, args }));
  }
}

// beyond it the system takes ports for the sockets of clients, and one of them could have it while the server is down
const LEAST_PORT = 20_000;
const MOST_PORT = 32_000;

/** A port where nobody listens, and which no socket of a client gets by itself. */
export async function steadyPort(): Promise<number> {
  for (;;) {
    const port = LEAST_PORT + Math.floor(Math.random() * (MOST_PORT - LEAST_PORT));
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => {
        resolve(false);
      });
      server.listen(port, '127.0.0.1', () => {
        resolve(true);
      });
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
