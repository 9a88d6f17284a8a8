import { MessageError, type Connection, type EnhancedWebSocketService } from 'holdfast';

import { messageOf, numberIn, type ServiceName } from './client.ts';
import { Endpoint } from './endpoint.ts';
import { History } from './history.ts';
import { Ledger } from './ledger.ts';

/** One service with all that is needed to hurt it and to account for it. */
export class Subject {
  readonly name: ServiceName;
  readonly ledger = new Ledger();
  readonly history = new History();
  readonly endpoint: Endpoint;
  #connection: Connection | undefined;
  #transmit: (message: unknown) => Promise<unknown> = () => Promise.reject(new Error('It is not connected.'));
  #timer: NodeJS.Timeout | undefined;

  constructor(name: ServiceName) {
    this.name = name;
    this.endpoint = new Endpoint((number) => {
      this.ledger.received(number);
    });
  }

  get connection(): Connection {
    if (!this.#connection) throw new Error('It is not connected.');
    return this.#connection;
  }

  /** Takes over a connection that is open. */
  use(service: EnhancedWebSocketService, connectionId: string): void {
    const connection = service.connection(connectionId);
    this.#connection = connection;
    // both faces of the same connection: by id, and as an object
    this.#transmit =
      this.name === 'terminal'
        ? (message) => service.sendMessage(connectionId, message)
        : (message) => connection.send(message).settled;
    connection.subscribe((data) => {
      this.ledger.echoed(numberIn(data));
    });
  }

  /** Sends the next message, whatever state the connection is in, and enters what its receipt says. */
  send(): void {
    const number = this.ledger.open(!this.history.isUsable);
    this.#transmit(messageOf(this.name, number)).then(
      // the socket that took it is still the one in use: nothing can happen to it before this is heard
      () => {
        this.ledger.handed(number, this.history.isUsable ? this.history.generation : 0);
      },
      (error: unknown) => {
        this.ledger.dropped(number, error instanceof MessageError ? error.code : String(error));
      },
    );
  }

  /** Sends a message at each interval until {@link Subject.fallSilent}. */
  keepSending(everyMs: number): void {
    this.#timer = setInterval(() => {
      this.send();
    }, everyMs);
  }

  fallSilent(): void {
    clearInterval(this.#timer);
  }
}
