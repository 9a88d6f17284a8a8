import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import { micros } from './instruments.ts';

/** What befalls a connection. */
export const DROPS = ['terminate', 'close', 'stall', 'hole'] as const;
/** `terminate`: both ends see it go; `close`: the server says 1001; `stall`: 200 ms of nothing, then it is reset; `hole`: from now on nothing gets through, and nobody is told. */
export type Drop = (typeof DROPS)[number];

const STALL_MS = 200;
// who does not answer is cut off
const CLOSING_MS = 1_000;
// a close frame of a server, with 1001. Source: RFC 6455, section 5.5.1
const CLOSE = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

interface Leg {
  client: Socket;
  server: Socket;
}

/** A TCP proxy before a server, on which connections are lost. */
export class DropProxy {
  readonly #server = createServer();
  readonly #legs = new Set<Leg>();
  /** When the connections came, in µs. */
  readonly #came: number[] = [];

  constructor(port: number) {
    this.#server.on('connection', (client) => {
      const leg = { client, server: connect(port, '127.0.0.1') };
      this.#came.push(micros());
      this.#legs.add(leg);
      for (const [from, to] of [
        [client, leg.server],
        [leg.server, client],
      ] as const) {
        from.setNoDelay(true);
        from.on('error', () => undefined);
        from.pipe(to);
        from.on('close', () => {
          this.#legs.delete(leg);
          to.destroy();
        });
      }
    });
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Something befalls every connection. @returns When, in µs */
  drop(how: Drop): number {
    for (const { client, server } of [...this.#legs]) {
      if (how === 'terminate') client.resetAndDestroy();
      else if (how === 'close') {
        // the client's answer gets through, with what it wrote before: the server ends the connection then, as it would have by itself
        server.unpipe(client);
        server.resume();
        client.write(CLOSE);
        setTimeout(() => {
          client.destroy();
        }, CLOSING_MS).unref();
      } else {
        for (const socket of [client, server]) {
          socket.unpipe();
          // what is sent is taken, and goes nowhere
          socket.resume();
        }
        if (how === 'stall')
          setTimeout(() => {
            client.resetAndDestroy();
            server.resetAndDestroy();
          }, STALL_MS);
      }
    }
    return micros();
  }

  /** When the first connection after a moment came; `undefined` for none. */
  cameAfter(atMicros: number): number | undefined {
    return this.#came.find((came) => came > atMicros);
  }

  stop(): void {
    for (const { client, server } of this.#legs) {
      client.destroy();
      server.destroy();
    }
    this.#server.close();
  }
}
