import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Chance } from '../../src/testing/chance.ts';
import { Lane, Way, type WayShape, type WayTruth } from './shaped-lane.ts';

/** From the client to the server, or back. */
export type Direction = 'up' | 'down';

/** What a link does to what travels on it, each way. */
export type Shape = Partial<Record<Direction, WayShape>>;

/** What the link really did, since its shape was last set. */
export type Truth = Record<Direction, WayTruth | null> & {
  /** The mean of a round trip: both ways together. `null` until something small has passed each way. */
  rttMs: number | null;
};

interface Pair {
  /** The socket of the client. */
  near: Socket;
  /** The socket of the server. */
  far: Socket;
  lanes: readonly Lane[];
}

const BOTH: readonly Direction[] = ['up', 'down'];

/** The same shape each way: a round trip takes twice the delay. */
export function bothWays(way: WayShape): Shape {
  return { up: way, down: way };
}

/**
 * A stretch of network between clients and a server, with a length, a width and faults. Everything happens where bytes enter it: what is under
 * way when a stall or a loss begins still arrives. A TCP handshake takes no time on it, for the platform answers that.
 */
export class ShapedProxy {
  readonly #target: number;
  readonly #ways: Record<Direction, Way> = { up: new Way(), down: new Way() };
  readonly #pairs = new Set<Pair>();
  readonly #chance: Chance;
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    this.#join(near);
  });

  /**
   * @param target The port of the server behind it.
   * @param seed Decides on jitter and stalls, per connection and way: the same seed draws the same.
   */
  constructor(target: number, shape: Shape = {}, seed = 1) {
    this.#target = target;
    this.#chance = new Chance(seed);
    this.shape(shape);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** How many clients are connected. */
  get clients(): number {
    return [...this.#pairs].filter(({ near }) => !near.destroyed).length;
  }

  /** How many connections to the server there are. */
  get servers(): number {
    return [...this.#pairs].filter(({ far }) => !far.destroyed).length;
  }

  get truth(): Truth {
    const [up, down] = [this.#ways.up.truth, this.#ways.down.truth];
    return { up, down, rttMs: up && down && up.meanMs + down.meanMs };
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  /** Of which shape it is from now on, and for what enters it from now on; the truth is counted anew. */
  shape({ up = {}, down = {} }: Shape): void {
    this.#ways.up.take(up);
    this.#ways.down.take(down);
  }

  /** Nothing enters it for so long; then all of it does, as when what was lost is sent again. */
  stall(ms: number, directions = BOTH): void {
    for (const direction of directions) this.#ways[direction].stalledUntil = performance.now() + ms;
  }

  /**
   * From now on it swallows what enters it, an end of a connection too; all sockets stay open. New connections are accepted, and swallowed.
   */
  blackhole(directions = BOTH): void {
    for (const direction of directions) this.#ways[direction].isDropping = true;
  }

  /** Ends stalls and losses. A connection that has lost bytes stays dark in that direction. */
  restore(): void {
    for (const direction of BOTH) this.#ways[direction].heal();
  }

  /** One side of every connection is gone, and the other never learns it: it sends to nobody, and hears nothing. */
  halfOpen(gone: 'client' | 'server'): void {
    for (const { near, far, lanes } of this.#pairs) {
      for (const lane of lanes) lane.darken();
      (gone === 'client' ? near : far).resetAndDestroy();
    }
  }

  /** Breaks every connection, without a goodbye to either side. */
  cut(): void {
    for (const { near, far, lanes } of this.#pairs) {
      for (const lane of lanes) lane.darken();
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Breaks every connection, and takes no other. Resolves when no socket is left. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    const farClosed = [...this.#pairs].map(({ far }) =>
      far.closed ? null : new Promise((done) => far.once('close', done)),
    );
    this.cut();
    await Promise.all([closed, ...farClosed]);
  }

  #join(near: Socket): void {
    const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const { up, down } = this.#ways;
    const lanes = [
      new Lane({ from: near, to: far }, up, this.#chance.fork()),
      new Lane({ from: far, to: near }, down, this.#chance.fork()),
    ];
    const pair = { near, far, lanes };
    this.#pairs.add(pair);
    const forget = (): void => {
      if (near.destroyed && far.destroyed) this.#pairs.delete(pair);
    };
    near.on('close', forget);
    far.on('close', forget);
  }
}
