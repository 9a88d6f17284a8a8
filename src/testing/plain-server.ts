import type { ServerSocket, SocketEvents } from '../server/index.ts';
import type { Host } from './line.ts';

/** What hears of a socket of a {@link PlainServer}. */
export interface PlainEvents {
  received(data: string | ArrayBuffer): void;
  closed?(code: number): void;
}

/** A host that speaks no protocol of its own: what its sockets say is the application's. */
export class PlainServer implements Host {
  readonly name: string;
  readonly protocol = '';
  readonly sockets = new Set<ServerSocket>();
  readonly #opened: (socket: ServerSocket) => PlainEvents;
  #isUp = true;

  /** @param opened Hears of each socket. */
  constructor(name: string, opened: (socket: ServerSocket) => PlainEvents) {
    this.name = name;
    this.#opened = opened;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  start(): void {
    this.#isUp = true;
  }

  /** Its sockets are gone. The network has to be told as well: see {@link SimulatedNetwork.abandon}. */
  crash(): void {
    this.#isUp = false;
    this.sockets.clear();
  }

  accept(socket: ServerSocket): SocketEvents {
    this.sockets.add(socket);
    const events = this.#opened(socket);
    return {
      received: (data) => {
        events.received(data);
      },
      closed: (code) => {
        this.sockets.delete(socket);
        events.closed?.(code);
      },
      heard: () => undefined,
    };
  }
}
