import { createHoldfastServer, type HandshakeRequest, type HoldfastServer } from '../server/index.ts';
import type { HoldfastServerOptions, ServerSocket, SocketEvents } from '../server/index.ts';
import { Chance } from './chance.ts';
import type { SimulatedClock } from './clock.ts';
import { Lifetime } from './lifetime.ts';
import type { Host } from './line.ts';
import type { SimulatedStore, StoreAccess } from './store.ts';

export interface SimulatedServerOptions {
  clock: SimulatedClock;
  /** @default one of the seed 1 */
  chance?: Chance;
  /** Of the node. @default 'server' */
  name?: string;
  /** Where its sessions are kept. @default in its own memory: they die with it */
  store?: SimulatedStore;
  /** What the server is made of, for each life of it; time, chance, store and node are given. Whatever hears of a life that has crashed must not count. */
  serve: (life: ServerLife) => Omit<HoldfastServerOptions, 'clock' | 'random' | 'store' | 'node' | 'onPlain'>;
}

/** One life of a server: from its start to its crash, or to the end of its drain. */
export interface ServerLife {
  /** From 1. */
  readonly number: number;
  /** Whether it has ended: whatever still runs of it, as promises do, is of a dead process. */
  readonly isOver: boolean;
}

interface Running {
  server: HoldfastServer;
  clock: Lifetime;
  access: StoreAccess | undefined;
}

/** A host with the real server of `holdfast.v1` on it, which starts, crashes, drains, and starts again. It is down until it starts, and refuses clients that speak plain. */
export class SimulatedServer implements Host {
  readonly name: string;
  readonly protocol = 'holdfast.v1';
  readonly isStrict = true;
  readonly #options: SimulatedServerOptions;
  #running: Running | undefined;
  #lives = 0;
  #isDraining = false;
  #timersLeft = 0;
  readonly #chance: Chance;

  constructor(options: SimulatedServerOptions) {
    this.#options = options;
    this.#chance = options.chance ?? new Chance(1);
    this.name = options.name ?? 'server';
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  /** The server that runs now. */
  get server(): HoldfastServer | undefined {
    return this.#running?.server;
  }

  /** How many timers were left when lives of it had come to their end in order, by a drain or a close. */
  get timersLeft(): number {
    return this.#timersLeft;
  }

  /** Does nothing to one that runs. */
  start(): void {
    if (this.#running) return;
    const { clock: simulated, serve, store } = this.#options;
    const clock = new Lifetime(simulated);
    const access = store?.access();
    const life: ServerLife = {
      number: ++this.#lives,
      get isOver() {
        return clock.isOver;
      },
    };
    const options = { ...serve(life), ...(access && { store: access }), node: this.name };
    this.#running = { server: createHoldfastServer({ ...options, clock, random: this.#chance.fill }), clock, access };
  }

  /** @throws {Error} While it is down: nobody can reach it then. */
  accept(socket: ServerSocket, request: HandshakeRequest): SocketEvents {
    if (!this.#running) throw new Error(`${this.name} is down.`);
    return this.#running.server.accept(socket, request);
  }

  /** Everything in its memory is gone, and nothing of it runs on. The network has to be told as well: see {@link SimulatedNetwork.abandon}. */
  crash(): void {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    this.#isDraining = false;
    running.clock.end();
    running.access?.kill();
  }

  /** Leaves as a node does that is updated: its clients are asked to move. Resolves once it is down, in whatever way. */
  async drain(options: Parameters<HoldfastServer['drain']>[0] = {}): Promise<void> {
    const running = this.#running;
    if (!running) return;
    if (this.#isDraining) return running.clock.ended;
    this.#isDraining = true;
    const { server } = running;
    await this.#leave(running, () => server.drain(options).then(() => server.close()));
  }

  /** Ends every session and socket of it. Resolves once it is down, in whatever way. */
  async close(): Promise<void> {
    const running = this.#running;
    if (running) await this.#leave(running, () => running.server.close());
  }

  // a crash on the way is an end as well, and nothing of that life settles any more
  async #leave(running: Running, leave: () => Promise<void>): Promise<void> {
    await Promise.race([leave(), running.clock.ended]);
    if (this.#running !== running) return;
    this.#timersLeft += running.clock.timersLeft;
    this.crash();
  }
}
