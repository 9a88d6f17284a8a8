import { MessageError, type Connection, type EnhancedWebSocketService, type SendOutcome } from 'holdfast';

import { contentOf, messageOf, WIRES, type ServiceName } from './client.ts';
import { Endpoint } from './endpoint.ts';
import { History } from './history.ts';
import { Ledger } from './ledger.ts';
import { News } from './news.ts';
import type { AppReport } from './server.ts';
import type { Issuer } from './tokens.ts';

/** One service with all that is needed to hurt it and to account for it. */
export class Subject {
  readonly name: ServiceName;
  readonly ledger = new Ledger();
  readonly news = new News();
  readonly history = new History();
  readonly endpoint: Endpoint;
  /** Who issues its tokens, where its server demands them. */
  readonly issuer: Issuer | undefined;
  #connection: Connection | undefined;
  #transmit: (message: unknown) => Promise<SendOutcome> = () => Promise.reject(new Error('It is not connected.'));
  #timer: NodeJS.Timeout | undefined;

  constructor(name: ServiceName, issuer?: Issuer) {
    this.name = name;
    this.issuer = issuer;
    this.endpoint = new Endpoint({
      wire: WIRES[name],
      key: issuer?.key,
      told: (report) => {
        this.#told(report);
      },
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
      const { n, isNews } = contentOf(data);
      if (isNews) this.news.heard(n);
      else this.ledger.echoed(n);
    });
  }

  /** Sends the next message, whatever state the connection is in, and enters what its receipt says. */
  send(): void {
    const number = this.ledger.open(!this.history.isUsable);
    this.#transmit(messageOf(this.name, number)).then(
      ({ outcome }) => {
        const { isUsable, generation } = this.history;
        if (outcome === 'acknowledged') this.ledger.acknowledged(number, generation);
        // the socket that took it is still the one in use: nothing can happen to it before this is heard
        else this.ledger.handed(number, isUsable ? generation : 0);
      },
      (error: unknown) => {
        if (error instanceof MessageError && error.outcome === 'unknown')
          this.ledger.inDoubt(number, this.history.generation);
        else this.ledger.dropped(number, error instanceof MessageError ? error.code : String(error));
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

  #told(report: AppReport): void {
    switch (report.type) {
      case 'received':
        this.ledger.received(report.number);
        return;
      case 'said':
        this.news.said();
        return;
      case 'confirmed':
        if (report.what === 'news') this.news.confirmed();
        else this.ledger.echoConfirmed();
        return;
      case 'hushed':
        this.news.end();
    }
  }
}
