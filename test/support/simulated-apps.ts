import type { ServiceOptions } from '../../src/index.ts';
import { Book } from '../../src/testing/book.ts';
import { Chance } from '../../src/testing/chance.ts';
import { ClientApp, type ClientAppOptions } from '../../src/testing/client-app.ts';
import { ServerApp, type ServerAppOptions } from '../../src/testing/server-app.ts';
import { SimulatedServer } from '../../src/testing/server.ts';
import { SimulatedStore } from '../../src/testing/store.ts';
import { SimulatedClient } from './simulated-client.ts';
import { NetworkRig } from './simulated.ts';

export interface AppsOptions {
  server?: Partial<ServerAppOptions>;
  client?: Partial<ClientAppOptions>;
  service?: Partial<ServiceOptions>;
  /** Whether sessions outlive their server. */
  hasStore?: boolean;
  wire?: 'holdfast.v1' | 'plain';
}

/** The applications of both ends over a network that does not fail, and their book. */
export class AppsRig extends NetworkRig {
  readonly book: Book;
  readonly serverApp: ServerApp;
  readonly server: SimulatedServer;
  readonly #options: AppsOptions;
  #tags = 0;

  constructor(options: AppsOptions = {}) {
    super({ host: () => this.server });
    const { clock, history } = this;
    this.#options = options;
    this.book = new Book(history, options.wire ?? 'holdfast.v1');
    this.serverApp = new ServerApp({
      name: 'n1',
      clock,
      history,
      book: this.book,
      chance: new Chance(3),
      nextTag: this.nextTag,
      isSlow: false,
      isWelcome: () => true,
      credentialsMs: Infinity,
      ...options.server,
    });
    this.server = new SimulatedServer({
      clock,
      chance: new Chance(4),
      ...(options.hasStore && { store: new SimulatedStore({ clock, chance: new Chance(5) }) }),
      serve: (life) => this.serverApp.serve(life),
    });
    this.server.start();
  }

  readonly nextTag = (): string => String(++this.#tags);

  /** A client without an application of its own. */
  client(): SimulatedClient {
    return new SimulatedClient(this.network, this.#options.service);
  }

  /** A client with one, which asks to be connected. */
  clientApp(): { app: ClientApp; client: SimulatedClient } {
    const client = this.client();
    const { history, book, nextTag } = this;
    const app = new ClientApp(client.connection, {
      service: client.service,
      history,
      book,
      nextTag,
      later: (ms, deed) => void this.clock.setTimeout(deed, ms),
      whims: null,
      asks: true,
      isExposed: false,
      isCramped: false,
      ...this.#options.client,
    });
    return { app, client };
  }

  /** The server dies, and its sockets with it; its next life begins. */
  restart(): void {
    this.server.crash();
    this.serverApp.crashed();
    this.network.abandon(this.server, () => 1);
    this.server.start();
  }

  pass(ms = 1_000): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  get breach(): string | undefined {
    return this.history.breach;
  }

  /** How often something is in the history. */
  times(what: string | RegExp): number {
    return this.history
      .tail(Infinity)
      .split('\n')
      .filter((line) => line.search(what) >= 0).length;
  }
}
