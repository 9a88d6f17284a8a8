import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

interface Pair {
  near: Socket;
  far: Socket;
}

/** A stretch of network between a client and a server, which can go bad. */
export class TestProxy {
  /** Connections at present. */
  readonly #pairs = new Set<Pair>();
  readonly #dead = new WeakSet<Socket>();
  readonly #target: number;
  readonly #server = createServer((near) => {
    this.#join(near);
  });

  /** @param target The port of the server behind it. */
  constructor(target: number) {
    this.#target = target;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many clients are connected. */
  get clients(): number {
    return [...this.#pairs].filter(({ near }) => !near.destroyed).length;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  /** From now on the connections of this moment swallow every byte in both directions, and stay open. Later ones work. */
  swallow(): void {
    for (const { near, far } of this.#pairs) this.#dead.add(near).add(far);
  }

  /** Breaks every connection, without a goodbye to either side. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.cut();
    });
  }

  #join(near: Socket): void {
    const pair = { near, far: connect(this.#target, '127.0.0.1') };
    this.#pairs.add(pair);
    this.#forward(pair.near, pair.far);
    this.#forward(pair.far, pair.near);
    near.on('close', () => {
      if (pair.far.destroyed) this.#pairs.delete(pair);
    });
    pair.far.on('close', () => {
      if (near.destroyed) this.#pairs.delete(pair);
    });
  }

  #forward(from: Socket, to: Socket): void {
    from.on('data', (data) => {
      if (!this.#dead.has(from)) to.write(data);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      if (!this.#dead.has(from)) to.destroy();
    });
  }
}

/** Starts a proxy to a port of this machine, which is stopped when the test is over. */
export async function startProxy(target: number): Promise<TestProxy> {
  const proxy = new TestProxy(target);
  await proxy.listen();
  onTestFinished(() => proxy.stop());
  return proxy;
}
